// Runs when the carrier of the room's state is mounted: state goes to the page, clicks go to the server.
const names = ["choose", "cancel", "retry", "gone", "move", "away", "use", "draft", "play", "keep", "transfer", "revoke"];
// "share" is a word that Gradio keeps for itself.
names.push("publish", "unpublish", "links", "again", "run");
videogen.mounted(Object.fromEntries(names.map((name) => [name, (data) => trigger(name, data ?? {})])));
const applyRoom = () => props.value && videogen.applyRoom(props.value);
watch("value", applyRoom);
applyRoom();

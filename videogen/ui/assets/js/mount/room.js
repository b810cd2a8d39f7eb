// Runs when the carrier of the room's state is mounted: state goes to the page, clicks go to the server.
// "share" is a word that Gradio keeps for itself.
const names = ["choose", "cancel", "retry", "history", "more", "publish", "unpublish", "links", "use", "draft", "play", "keep"];
videogen.mounted(Object.fromEntries(names.map((name) => [name, (data) => trigger(name, data ?? {})])));
const applyRoom = () => props.value && videogen.applyRoom(props.value);
watch("value", applyRoom);
applyRoom();

// Runs when the carrier of the room's state is mounted: state goes to the page, clicks go to the server.
const names = ["choose", "cancel", "retry", "history", "more", "share", "unshare", "shares", "use", "draft", "play", "keep"];
videogen.mounted(Object.fromEntries(names.map((name) => [name, (data) => trigger(name, data ?? {})])));
const applyRoom = () => props.value && videogen.applyRoom(props.value);
watch("value", applyRoom);
applyRoom();

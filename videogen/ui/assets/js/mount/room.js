// Runs when the carrier of the room's state is mounted: state goes to the page, clicks go to the server.
for (const name of ["choose", "cancel", "retry", "history", "more", "use", "draft", "play", "keep"]) {
  videogen.handlers = { ...videogen.handlers, [name]: (data) => trigger(name, data ?? {}) };
}
videogen.act = (name, data) => videogen.handlers[name](data);
videogen.listen();
const applyRoom = () => props.value && videogen.applyRoom(props.value);
watch("value", applyRoom);
applyRoom();

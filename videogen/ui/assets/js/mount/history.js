// Runs when the carrier of the history is mounted.
watch("value", () => videogen.lists.applyHistory(props.value));
if (props.value) videogen.lists.applyHistory(props.value);

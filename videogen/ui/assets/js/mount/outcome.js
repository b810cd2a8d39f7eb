// Runs when the carrier of the answers to clicks is mounted.
watch("value", () => videogen.form.apply(props.value));
watch("value", () => videogen.away.apply(props.value));
watch("value", () => videogen.take.apply(props.value));

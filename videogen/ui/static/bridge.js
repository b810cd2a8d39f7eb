// Of the component `bridge`. Gradio looks for its events here: "act" "fill" "keep" "resend" "connect" "explain"
videogen.started(trigger);
watch("value", () => props.value && videogen.receive(props.value));

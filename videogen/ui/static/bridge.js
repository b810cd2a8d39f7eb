// Of the component `bridge`. Gradio looks for its events here: "act" "fill" "keep" "resend" "connect" "explain"
start(trigger);
watch("value", () => props.value && receive(props.value));

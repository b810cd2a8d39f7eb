// js_on_load of the hidden component `bridge`: frames come in through it, events of the page go out.
const EVENTS = ["act", "fill", "keep", "resend", "connect", "explain"]; // Gradio looks for the quoted names here
videogen.trigger = (name, data) => EVENTS.includes(name) && trigger(name, data);
for (const [name, data] of videogen.waiting.splice(0)) videogen.trigger(name, data);
watch("value", () => props.value && videogen.receive(props.value));

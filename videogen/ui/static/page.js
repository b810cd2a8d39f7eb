// What all scripts use; clicks become events of Gradio, what Python sends becomes calls of the scripts.
const LATE = 5000; // milliseconds without an answer
const [runs, waiting] = [{}, []];
const [draft, outbox, network] = [{}, {}, {}]; // filled by the scripts of these names
let [signals, trigger] = [{}];
const $ = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const path = () => new URL(window.gradio_config?.root || ".", document.baseURI).pathname;
const root = () => location.origin + path().replace(/\/+$/, "");
const random = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
const listen = (kinds, run, capture) => kinds.split("|").forEach((kind) => addEventListener(kind, run, capture));
// A click on what a selector finds.
const onClick = (selector, run) =>
  listen("click", ({ target }) => (target = target.closest?.(selector)) && run(target));
const onChange = (run, attributeFilter) =>
  new MutationObserver(run).observe(document, { childList: true, subtree: true, attributeFilter });
const on = (name, run) => (runs[name] ??= []).push(run);
const send = (...event) => (trigger ? trigger(...event) : waiting.push(event));
const act = (name, data) => send("act", { do: name, ...data });
const stored = (name) => JSON.parse(localStorage.getItem(`videogen.${name}`));
// Returns whether the next visit will find it.
const store = (name, value) => {
  try {
    localStorage.setItem(`videogen.${name}`, JSON.stringify(value));
    return !localStorage.fleeting;
  } catch {} // It is full.
};
const start = (how) => ((trigger = how), waiting.splice(0).forEach((event) => send(...event)));
const receive = (text) => {
  const before = signals;
  signals = JSON.parse(text);
  for (const [name, value] of Object.entries(signals)) {
    if (JSON.stringify(value) !== JSON.stringify(before[name])) runs[name]?.forEach((run) => run(value, before[name]));
  }
};
// The second half of a double click.
listen("click", (event) => {
  if (event.detail > 1 && event.target.closest("#generate, [data-once]")) event.stopImmediatePropagation();
}, true);
const WANTED = { click: "button, a", submit: "form", change: "select, input" };
listen("click|submit|change", (event) => {
  const { type, shiftKey: shift } = event;
  const target = event.target.closest?.("[data-do], [data-fill]");
  if (!target?.matches(WANTED[type])) return;
  if (type === "submit") event.preventDefault();
  const own = type === "submit" ? Object.fromEntries(new FormData(target)) : {};
  if (type === "change") own.value = target.type === "checkbox" ? target.checked : target.value;
  const around = target.closest("[data-generation-id]")?.dataset;
  send(target.dataset.fill ? "fill" : "act", { base: root(), shift, ...around, ...target.dataset, ...own });
});
// Python explains the form half a second after a change; each watcher has to learn it.
let pause;
const changed = () => (clearTimeout(pause), (pause = setTimeout(send, 500, "explain")));
on("frame", (frame, before) => frame > before || changed());
onChange(() => $("#early") && $("#generate") && !$("gradio-app .loading") && $("#early").remove());

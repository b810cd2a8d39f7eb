// The page's scripts share `videogen`. Here: clicks become events of Gradio, and frames become calls of the scripts.
window.videogen = {
  root: () => location.origin + new URL(window.gradio_config?.root || ".", document.baseURI).pathname.replace(/\/+$/, ""),
  listeners: {},
  signals: {},
  waiting: [],
  trigger: null, // set by bridge.js once Gradio has started

  /** Call `act` with the value of a signal whenever it changes. */
  on(name, act) {
    (videogen.listeners[name] ??= []).push(act);
  },
  /** Have Python handle an event: `act`, `fill` or `keep`. Before Gradio has started it waits. */
  send(name, data) {
    if (videogen.trigger) videogen.trigger(name, data);
    else videogen.waiting.push([name, data]);
  },
  receive(text) {
    const old = videogen.signals;
    videogen.signals = JSON.parse(text);
    for (const [name, value] of Object.entries(videogen.signals)) {
      if (JSON.stringify(value) === JSON.stringify(old[name])) continue;
      for (const act of videogen.listeners[name] ?? []) act(value, old[name]);
    }
  },
};
for (const kind of ["click", "submit", "change"]) {
  document.addEventListener(kind, (event) => {
    const wanted = { click: "button, a, [role=button]", submit: "form", change: "select, input" }[kind];
    const target = event.target.closest?.("[data-do], [data-fill]");
    if (!target?.matches(wanted) || target.disabled || event.defaultPrevented) return;
    if (event.detail > 1 && "once" in target.dataset) return; // the second half of a double click
    if (kind === "submit") event.preventDefault();
    const own = kind === "submit" ? Object.fromEntries(new FormData(target)) : {};
    if (kind === "change") own.value = target.type === "checkbox" ? target.checked : target.value;
    const around = target.closest("[data-generation-id]")?.dataset;
    const data = { base: videogen.root(), shift: event.shiftKey, ...around, ...target.dataset, ...own };
    videogen.send(target.dataset.fill ? "fill" : "act", data);
  });
}
// Gradio's components come one by one; what the document showed until then goes when the last one is there.
new MutationObserver((_, observer) => {
  if (!document.getElementById("generate") || document.querySelector("gradio-app .loading")) return;
  observer.disconnect();
  document.getElementById("early")?.remove();
}).observe(document, { childList: true, subtree: true });

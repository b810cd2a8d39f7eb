// On an entry of the history: arrows, F2 opens it, Delete deletes it. Elsewhere: what a `data-key` names.
const WRITES = ":is(input, textarea, select, [contenteditable], [role=combobox]):not([type=checkbox], [type=button])";
const does = ({ dataset: { focus, press, play } }) => {
  const target = $(`gradio-app ${focus ?? press ?? play}`);
  if (!target?.checkVisibility()) return false;
  if (play) target.paused ? target.play().catch(() => {}) : target.pause();
  else focus ? target.focus() : target.click();
  return true;
};
const onEntry = ({ key, repeat, target }) => {
  const entry = target.closest?.("#history .card")?.parentElement;
  if (key === "Escape" && !$("dialog[open]")) $("#pick-end")?.click();
  if (!entry) return false;
  const list = [...entry.parentElement.children];
  const columns = list.filter((one) => one.offsetTop === list[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  if (step) list[list.indexOf(entry) + step]?.querySelector(".card").focus();
  else if (key === "F2") entry.querySelector("[data-do=entry]").click();
  else if (key === "Delete") repeat || act("trash", entry.dataset);
  return step || key === "F2" || key === "Delete";
};
listen("keydown", (event) => {
  const { key, code, target, ctrlKey, metaKey } = event;
  const control = ctrlKey || metaKey;
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  if (!control && onEntry(event)) return event.preventDefault();
  const one = key > "~" && key.length === 1 ? code.slice(3).toLowerCase() : key; // another alphabet
  const node = $(`gradio-app [data-key="${CSS.escape(control ? ["Control", one].join("+") : one)}"]`);
  const writes = target.closest?.(WRITES) || $("dialog[open]");
  if (!node || event.repeat || (writes && !(node.dataset.within && target.closest?.(node.dataset.within)))) return;
  if (node.dataset.do ? (node.click(), true) : does(node)) event.preventDefault();
});
onClick("[data-focus]", does);

// Keys do what a `data-key` names; on an entry of the history they do it to that entry, and arrows go to another one.
const WRITES = ":is(input, textarea, select):not([type=checkbox])";
function walk(entry, key) {
  const list = [...entry.parentElement.children];
  const columns = list.filter((one) => one.offsetTop === list[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  if (step) list[list.indexOf(entry) + step]?.querySelector(".card").focus();
  return step;
}
listen("keydown", (event) => {
  const { key, code, target, ctrlKey, metaKey } = event;
  if (event.defaultPrevented || event.isComposing || event.altKey || event.repeat) return;
  const entry = target.closest?.("#history > li");
  if (entry && !ctrlKey && !metaKey && walk(entry, key)) return event.preventDefault();
  const plain = key > "~" && key.length === 1 ? code.slice(3).toLowerCase() : key; // another alphabet
  const node = $(`gradio-app [data-key="${CSS.escape(ctrlKey || metaKey ? `Control+${plain}` : plain)}"]`);
  const writes = target.closest?.(WRITES) || $("dialog[open]");
  if (!node || (writes && !target.closest?.(node.dataset.within))) return;
  event.preventDefault();
  if (!node.dataset.do) node.click();
  else act(node.dataset.do, { ...node.dataset, ...entry?.dataset });
});
// A label gives the focus to its field.
onClick("[data-press]", ({ dataset }) => {
  const target = $(`gradio-app ${dataset.press}`);
  if (target?.checkVisibility()) target.click();
});

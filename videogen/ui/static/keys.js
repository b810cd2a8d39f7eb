// Keys do what a `data-key` names; on an entry of the history they do it to that entry.
const WRITES = ":is(input, textarea, select):not([type=checkbox])";
listen("keydown", (event) => {
  const { key, code, target, ctrlKey, metaKey } = event;
  if (event.defaultPrevented || event.isComposing || event.altKey || event.repeat) return;
  const plain = key > "~" && key.length === 1 ? code.slice(3).toLowerCase() : key; // another alphabet
  const node = $(`gradio-app [data-key="${CSS.escape(ctrlKey || metaKey ? `Control+${plain}` : plain)}"]`);
  const writes = target.closest?.(WRITES) || $("dialog[open]");
  if (!node || (writes && !target.closest?.(node.dataset.within))) return;
  event.preventDefault();
  if (!node.dataset.do) node.click();
  else act(node.dataset.do, { ...node.dataset, ...target.closest?.("#history > li")?.dataset });
});
// A label gives the focus to its field.
onClick("[data-press]", ({ dataset }) => {
  const target = $(`gradio-app ${dataset.press}`);
  if (target?.checkVisibility()) target.click();
});

// Keys: each presses, focuses or plays what an element with `data-key` names, which Python renders.
{
  const WRITES = "input:not([type=checkbox], [type=button]), textarea, select, [contenteditable], [role=combobox], [role=slider]";
  const act = (node) => {
    const target = document.querySelector(`gradio-app ${node.dataset.focus ?? node.dataset.press ?? node.dataset.play ?? "_"}`);
    if (node.dataset.do) node.click();
    else if (!target?.checkVisibility()) return false;
    else if (node.dataset.focus) target.focus();
    else if (node.dataset.press) target.click();
    else target.paused ? target.play().catch(() => {}) : target.pause();
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat || event.altKey) return;
    // In another alphabet the place of the key counts.
    const key = event.key > "~" && event.key.length === 1 ? event.code.replace(/^Key/, "").toLowerCase() : event.key;
    const name = event.ctrlKey || event.metaKey ? ["Control", key].join("+") : key;
    const node = document.querySelector(`gradio-app [data-key="${CSS.escape(name)}"]`);
    const writes = event.target.closest?.(WRITES) || document.querySelector("dialog[open]");
    if (writes && !(node?.dataset.within && event.target.closest?.(node.dataset.within))) return;
    if (node && act(node)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-focus]");
    if (link && act(link)) event.preventDefault();
  });
}

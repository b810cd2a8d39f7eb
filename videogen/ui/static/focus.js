// A frame changes panels by position: the focused element may have become another one, or have gone. The focus stays
// with what a person had chosen, else with what is nearest. What they have opened stays open.
{
  let wanted = []; // selectors of what has the focus, and of what is nearest where that has gone
  let outside = []; // the same of what had it before the dialog
  let held; // the element that had the focus last
  const open = new Set();

  function places(node) {
    if (node.id) return [`#${CSS.escape(node.id)}`];
    const entry = node.closest("[data-generation-id]");
    const list = (entry ?? node).parentElement.closest("[id]");
    if (!list) return [];
    if (!entry) return [`#${CSS.escape(list.id)} ${node.localName}`];
    const part = node.matches(".card") ? ".card" : `[data-do="${node.dataset.do}"]`;
    const place = [...list.children].indexOf(entry) + 1;
    const own = `[data-generation-id="${CSS.escape(entry.dataset.generationId)}"]`;
    return [own, `:nth-child(${place})`, ":last-child"].map((one) => `#${list.id} > ${one} ${part}`);
  }

  function look() {
    for (const id of open) {
      const details = document.getElementById(id);
      // Where it is set once more, the observer is called once more.
      if (details && !details.open) details.open = true;
    }
    const active = document.activeElement;
    // Another element than before was chosen on purpose: `focusin` comes after what its own `focus` changes.
    if (!wanted.length || (active !== document.body && (active !== held || places(active)[0] === wanted[0]))) return;
    wanted.map((one) => document.querySelector(one)).find((one) => one && !one.hidden)?.focus({ preventScroll: true });
  }

  document.addEventListener("focusin", ({ target }) => {
    held = target;
    const home = target.closest("[id$='-panel']")?.id;
    const found = [...places(target), ...(home ? [`#${home} [tabindex='-1']`] : [])];
    if (!target.closest("dialog")) outside = found;
    wanted = target.closest("dialog") ? [...found, ...outside] : found;
  });
  document.addEventListener("focusout", ({ target }) => {
    // Left on purpose: it is still there.
    setTimeout(() => {
      const left = document.activeElement === document.body && target.isConnected && places(target)[0] === wanted[0];
      if (left && !target.disabled) wanted = [];
    });
  });
  document.addEventListener("click", ({ target }) => {
    const details = target.closest?.("summary")?.parentElement;
    if (details?.id) open[details.open ? "delete" : "add"](details.id);
  });
  const attributeFilter = ["data-generation-id", "data-do", "id", "disabled", "hidden", "open"];
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter });
}

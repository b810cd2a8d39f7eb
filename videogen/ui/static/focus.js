// A frame changes panels by position: the focused element may have become another one, or have gone. The focus stays
// with what a person had chosen, else with what is nearest. What they have opened stays open.
let wanted = []; // selectors of what has the focus, and of what is nearest where that has gone
let outside = []; // the same of what had it before the dialog
let held; // the element that had the focus last
const open = new Set();

function places(node) {
  const entry = node.closest("[data-generation-id]");
  const list = (entry ?? node).parentElement?.closest("[id]");
  if (node.id || !list) return node.id ? [`#${CSS.escape(node.id)}`] : [];
  if (!entry) return [`#${CSS.escape(list.id)} ${node.localName}`];
  const part = node.matches(".card") ? ".card" : `[data-do="${node.dataset.do}"]`;
  const own = `[data-generation-id="${CSS.escape(entry.dataset.generationId)}"]`;
  const nearest = [own, `:nth-child(${[...list.children].indexOf(entry) + 1})`, ":last-child"];
  return nearest.map((one) => `#${list.id} > ${one} ${part}`);
}

onChange(() => {
  // Where it is set once more, this is called once more.
  for (const id of open) if ($(`#${id}:not([open])`)) $(`#${id}`).open = true;
  const active = document.activeElement;
  // Another element than before was chosen on purpose: `focusin` comes after what its own `focus` changes.
  if (!wanted.length || (active !== document.body && (active !== held || places(active)[0] === wanted[0]))) return;
  wanted.map($).find((one) => one && !one.hidden)?.focus({ preventScroll: true });
}, ["data-generation-id", "data-do", "id", "disabled", "hidden", "open"]);
listen("focusin", ({ target }) => {
  held = target;
  const home = target.closest("[id$='-panel']")?.id;
  const found = [...places(target), ...(home ? [`#${home} [tabindex='-1']`] : [])];
  if (!target.closest("dialog")) outside = found;
  wanted = target.closest("dialog") ? [...found, ...outside] : found;
});
// Left on purpose: it is still there.
listen("focusout", ({ target }) => setTimeout(() => {
  const left = document.activeElement === document.body && target.isConnected && places(target)[0] === wanted[0];
  if (left && !target.disabled) wanted = [];
}));
listen("click", ({ target }) => {
  const details = target.closest?.("summary")?.parentElement;
  if (details?.id) open[details.open ? "delete" : "add"](details.id);
});

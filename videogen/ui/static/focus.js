// Panels change by position: the focus stays, else goes to what is nearest, and open details stay open.
let [wanted, outside, held] = [[], []]; // selectors: of the focus and what is nearest, of those before a dialog
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
  for (const id of open) if ($(`#${id}:not([open])`)) $(`#${id}`).open = true;
  const active = document.activeElement;
  // `focusin` comes after what its own `focus` changes.
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
listen("focusout", ({ target }) => setTimeout(() => { // Left on purpose it is still there.
  const left = document.activeElement === document.body && target.isConnected && places(target)[0] === wanted[0];
  if (left && !target.disabled) wanted = [];
}));
onClick("details[id] > summary", ({ parentElement: { id, open: was } }) => open[was ? "delete" : "add"](id));

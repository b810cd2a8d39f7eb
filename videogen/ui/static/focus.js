// Panels change by position: the focus stays with what had it, else near by, and open details stay open.
const open = new Set();
let [places, outside, held] = [() => [], () => []]; // where the focus belongs, and where it was before a dialog
const seek = () => [...places(), ...outside()].find((one) => one?.checkVisibility());

// Finds an element again: by its id or entry, else its neighbour or its panel.
function finder(node) {
  const entry = (one) => one.closest("[data-generation-id]")?.dataset.generationId;
  const around = CSS.escape(node.parentElement.closest("[id]")?.id);
  const panel = node.closest("[id$='-panel']")?.id;
  const part = node.dataset.do ? `[data-do="${node.dataset.do}"]` : node.localName;
  const alike = () => all(`#${around} ${part}`);
  const [id, own, index] = [node.id, entry(node), alike().indexOf(node)];
  return () => {
    const list = alike();
    const same = id ? document.getElementById(id) : own ? list.find((one) => entry(one) === own) : node;
    return [same, list[index] ?? list.at(-1), $(`#${panel} [tabindex='-1']`)];
  };
}

onChange(() => {
  for (const id of open) if ($(`#${id}:not([open])`)) $(`#${id}`).open = true;
  if ([document.body, held].includes(document.activeElement)) seek()?.focus({ preventScroll: true });
}, ["data-generation-id", "id", "disabled", "hidden", "open"]);
listen("focusin", ({ target }) => {
  [held, places] = [target, finder(target)];
  if (!target.closest("dialog")) outside = places;
});
// Left on purpose it is still there.
listen("focusout", ({ target }) => setTimeout(() => {
  if (document.activeElement === document.body && seek() === target && !target.disabled) places = outside = () => [];
}));
onClick("details[id] > summary", ({ parentElement: { id, open: was } }) => open[was ? "delete" : "add"](id));

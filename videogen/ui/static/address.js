// The address names what is looked at; Back and Forward go through it.
const HOST = "https://huggingface.co"; // around a Space, with an address of its own
let steps = Infinity;
on("address", (at) => {
  if (!at) return;
  const { step, query, shown, hash, outer: queryString } = at;
  const method = step > steps && query !== location.search ? "pushState" : "replaceState";
  steps = step;
  history[method]({ shown }, "", location.pathname + query + (hash ? location.hash : ""));
  if (parent !== window && (location.ancestorOrigins?.[0] ?? HOST) === HOST) parent.postMessage({ queryString }, HOST);
});
listen("popstate", () => act("go", { search: location.search, shown: history.state?.shown }));

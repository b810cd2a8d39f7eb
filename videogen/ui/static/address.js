// The address names what is looked at: it is written as that changes, and Back and Forward go through it.
{
  const HOST = "https://huggingface.co"; // shows a Space in a frame, and has an address of its own around it
  const framedBy = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
  let step = Infinity;
  videogen.on("address", (at) => {
    if (!at) return;
    const goes = at.step > step && at.query !== location.search;
    step = at.step;
    history[goes ? "pushState" : "replaceState"]({ shown: at.shown }, "", location.pathname + at.query + location.hash);
    if (window.parent !== window && framedBy === HOST) window.parent.postMessage({ queryString: at.outer }, HOST);
  });
  window.addEventListener("popstate", () => {
    videogen.send("act", { do: "go", search: location.search, shown: history.state?.shown });
  });
  videogen.on("search", function fill([order, text]) {
    const field = document.querySelector("#history-search :is(input, textarea)");
    if (!field) return setTimeout(fill, 200, [order, text]);
    if (!order || field.value === text) return undefined;
    field.value = text;
    return field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

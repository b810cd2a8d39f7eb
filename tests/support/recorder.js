// Runs before the page's own scripts, and writes down what it shows, as it shows it.
(() => {
  const seen = { job: [], connection: [], previews: [] };
  window.seenByTest = seen;
  const byId = (id) => document.getElementById(id);
  const add = (list, entry) => {
    if (JSON.stringify(list.at(-1)) !== JSON.stringify(entry)) list.push(entry);
  };
  const look = () => {
    const status = byId("job-status");
    const bar = byId("job-progress");
    if (!status || !bar) return;
    add(seen.job, {
      id: status.dataset.generationId,
      status: status.dataset.status,
      progress: Number(bar.getAttribute("aria-valuenow")),
      stage: byId("job-stage")?.textContent ?? "",
      step: byId("job-step")?.textContent ?? "",
    });
    add(seen.connection, byId("connection")?.textContent.trim());
  };
  new MutationObserver(look).observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  const loaded = ({ target }) => {
    if (target.id !== "job-preview") return;
    seen.previews.push({ status: byId("job-status").dataset.status, width: target.naturalWidth, src: target.src });
  };
  document.addEventListener("load", loaded, true);
})();

// Records when the page first shows each progress value (ms since the epoch), and the delay of each time that the bare page shows.
window.benchShown = [];
window.benchDelays = [];
{
  const now = () => performance.timeOrigin + performance.now();
  let last = null;
  let lastTime = null;
  const look = () => {
    const bar = document.querySelector("#job-progress");
    const status = document.querySelector("#job-status");
    const value = Number(bar?.getAttribute("aria-valuenow"));
    if (value > 0 && value !== last && status?.dataset.status === "processing") {
      last = value;
      window.benchShown.push([value, now()]);
    }
    const mark = document.querySelector("#sent-at")?.textContent;
    if (mark && mark !== lastTime) {
      lastTime = mark;
      window.benchDelays.push(now() - Number(mark));
    }
  };
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
    attributeFilter: ["aria-valuenow", "data-status"],
  });
}

// Records when the page first shows each progress value (ms since the epoch), the delay of each time that the bare page
// shows, and when the bare page has its heading (ms since navigation).
window.benchShown = [];
window.benchDelays = [];
window.benchHeading = 0;
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
    if (!window.benchHeading && document.querySelector("gradio-app h1")) window.benchHeading = performance.now();
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

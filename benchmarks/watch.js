// Notes when the page first shows each progress value (ms since the epoch), and how late the bare page tells the time.
window.benchShown = [];
window.benchTold = [];
{
  const now = () => performance.timeOrigin + performance.now();
  let last = null;
  let told = null;
  const look = () => {
    const bar = document.querySelector("#job-progress");
    const status = document.querySelector("#job-status");
    const value = Number(bar?.getAttribute("aria-valuenow"));
    if (value > 0 && value !== last && status?.dataset.status === "processing") {
      last = value;
      window.benchShown.push([value, now()]);
    }
    const mark = document.querySelector("#told")?.textContent;
    if (mark && mark !== told) {
      told = mark;
      window.benchTold.push(now() - Number(mark));
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

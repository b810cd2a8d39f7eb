// Notes when a page can be used (ms since it was asked for). Ours: what is there already is shown, a prompt can be typed,
// and Generate counts. The bare page has nothing to use but its heading.
window.benchReady = 0;
{
  const seen = (selector) => {
    const found = [...document.querySelectorAll(selector)];
    return found.some((node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
  };
  const ours = () => seen("#early-prompt, #prompt textarea") && seen("#early-generate, #generate") && !document.querySelector("[data-asking]");
  const bare = () => !document.querySelector("#connection") && seen("gradio-app h1");
  const look = () => {
    if (window.benchReady !== 0 || !(ours() || bare())) return;
    // What was changed is seen with the next frame.
    window.benchReady = -1;
    requestAnimationFrame(() => (window.benchReady = performance.now()));
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
}

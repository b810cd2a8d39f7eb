// Records when a page can be used (ms since navigation). The app's page: its content is shown, a prompt can be typed, and
// Generate works. The bare page: its heading is shown.
window.benchReady = 0;
{
  const visible = (selector) => {
    const nodes = [...document.querySelectorAll(selector)];
    return nodes.some((node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
  };
  const ours = () => visible("#early-prompt, #prompt textarea") && visible("#early-generate, #generate") && !document.querySelector("[data-asking]");
  const bare = () => !document.querySelector("#connection") && visible("gradio-app h1");
  const check = () => {
    if (window.benchReady !== 0 || !(ours() || bare())) return;
    // The change is visible with the next frame of the browser.
    window.benchReady = -1;
    requestAnimationFrame(() => (window.benchReady = performance.now()));
  };
  new MutationObserver(check).observe(document, { subtree: true, childList: true, attributes: true });
}

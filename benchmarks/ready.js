// Records when a page can be used (ms since navigation): a prompt can be typed, and Generate works.
window.benchReady = 0;
{
  const visible = (selector) =>
    [...document.querySelectorAll(selector)].some((node) =>
      node.checkVisibility({ visibilityProperty: true, opacityProperty: true }),
    );
  const check = () => {
    if (window.benchReady !== 0 || !visible("#prompt textarea") || !visible("#generate")) return;
    // The change is visible with the next frame of the browser.
    window.benchReady = -1;
    requestAnimationFrame(() => (window.benchReady = performance.now()));
  };
  new MutationObserver(check).observe(document, { subtree: true, childList: true, attributes: true });
}

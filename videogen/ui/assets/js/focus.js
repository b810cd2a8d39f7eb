// Whoever uses keys must not lose their place: what has the focus may vanish, be moved away, or have to wait.
(() => {
  const HOMES = "dialog[open], section, [role='group'], fieldset, header, main, .gradio-container";
  let last = null;
  let homes = [];

  const usable = (node) => node.isConnected && !node.disabled && node.checkVisibility({ visibilityProperty: true });

  /** The nearest part around it that is still there: Tab goes on from its beginning, and nothing is pressed by mistake. */
  function home() {
    const part = homes.find(usable);
    if (!part) return;
    if (!part.hasAttribute("tabindex")) part.tabIndex = -1;
    part.focus({ preventScroll: true });
  }

  function look() {
    const active = document.activeElement;
    if (last === null || (active !== last && active !== document.body) || usable(last)) return;
    last = null;
    home();
  }

  document.addEventListener("focusin", (event) => {
    last = event.target;
    homes = [];
    for (let part = last.parentElement?.closest(HOMES); part; part = part.parentElement?.closest(HOMES)) homes.push(part);
  });
  // Left on purpose: what was left is still there.
  document.addEventListener("focusout", (event) => event.target === last && usable(last) && (last = null));
  new MutationObserver((changes) => {
    if (last && changes.some((one) => one.type === "attributes" || one.removedNodes.length > 0)) look();
  }).observe(document, { subtree: true, childList: true, attributeFilter: ["hidden", "disabled", "open"] });

  /** A button that waits for an answer keeps the focus, which a disabled one would lose; pressing it does nothing. */
  videogen.busy = (id, is) => {
    const button = typeof id === "string" ? videogen.byId(id) : id;
    if (button) videogen.attribute(button, "aria-disabled", is ? "true" : null);
  };
  document.addEventListener(
    "click",
    (event) => {
      if (!event.target.closest?.('[aria-disabled="true"]')) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".vg-skip")) return;
    event.preventDefault();
    videogen.form.focus();
  });

  /** How to scroll: at once, for those who do not want things to move. */
  videogen.glide = () => (window.matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");
})();

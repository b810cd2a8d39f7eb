// What can be done with one entry of the history: open, mark, rename, download, delete; by pointer, finger and keys.
(() => {
  const { byId, attribute } = videogen;
  const STEPS = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: (wide) => -wide, ArrowDown: (wide) => wide };
  let about = null; // the entry that the menu is about
  let anchor = null; // the button that it belongs to

  const find = (id) => videogen.history.items.find((one) => one.id === id);
  const entryOf = (target) => target.closest?.("#history [data-generation-id]");

  async function favorite(item, button) {
    const on = !item.favorite;
    attribute(button, "aria-pressed", String(on));
    try {
      await videogen.history.change(item.id, { favorite: on });
    } catch (problem) {
      attribute(button, "aria-pressed", String(!on));
      videogen.toast.say(problem.message);
      if (problem.status === 404) videogen.history.changed();
    }
  }

  function trash(item, byKey) {
    return videogen.toast.trash([item.id], item.name, byKey);
  }

  // Renaming

  function rename(item, node) {
    if (node.querySelector(".vg-rename")) return;
    const field = document.createElement("input");
    field.className = "vg-rename";
    field.maxLength = 200;
    field.value = item.title;
    field.placeholder = item.prompt;
    field.dir = "auto";
    field.setAttribute("aria-label", videogen.say("history.new_title"));
    field.title = videogen.say("history.rename_keys");
    node.setAttribute("data-renaming", "");
    node.querySelector(".vg-card").after(field);
    field.focus();
    field.select();
    let over = false;
    const done = (keep, back) => {
      if (over) return;
      over = true;
      const title = field.value.trim();
      field.remove();
      node.removeAttribute("data-renaming");
      if (back) node.querySelector(".vg-card").focus({ preventScroll: true });
      if (keep && title !== item.title) save(item, title);
    };
    field.addEventListener("blur", () => done(true, false));
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      done(event.key === "Enter", true);
    });
  }

  async function save(item, title) {
    try {
      await videogen.history.change(item.id, { title });
    } catch (problem) {
      videogen.toast.say(problem.message);
      if (problem.status === 404) videogen.history.changed();
    }
  }

  // The menu

  function popUp(item, button) {
    about = item;
    const menu = byId("history-menu");
    const link = menu.querySelector('[data-do="download"]');
    link.hidden = item.file === null;
    attribute(link, "href", videogen.absolute(item.file));
    menu.showPopover();
    anchor = button;
    stand();
    menu.querySelector("[role=menuitem]:not([hidden])").focus({ preventScroll: true });
  }

  /** The menu stays with its entry, as long as that is in sight. */
  function stand() {
    const menu = byId("history-menu");
    if (!menu?.matches(":popover-open")) return;
    const [box, own] = [anchor.getBoundingClientRect(), menu.getBoundingClientRect()];
    if (!anchor.isConnected || box.bottom < 0 || box.top > window.innerHeight) {
      menu.hidePopover();
      return;
    }
    const below = box.bottom + own.height + 8 < window.innerHeight;
    menu.style.left = `${Math.max(8, Math.min(box.right - own.width, window.innerWidth - own.width - 8))}px`;
    menu.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - own.height - 4)}px`;
  }

  function chosen(event, what) {
    const item = about;
    const node = byId("history").querySelector(`[data-generation-id="${item.id}"]`);
    byId("history-menu").hidePopover();
    if (what === "rename" && node) rename(item, node);
    if (what === "select") videogen.selection.begin(item.id);
    if (what === "trash") trash(item, event.detail === 0);
  }

  function walk(event) {
    const entries = [...byId("history-menu").querySelectorAll("[role=menuitem]:not([hidden])")];
    const place = entries.indexOf(document.activeElement);
    const goal = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: -1 }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    entries.at(goal % entries.length).focus();
  }

  // Pointer and keys

  function clicked(event) {
    const what = event.target.closest?.("#history-menu [data-do]")?.dataset.do;
    if (what) return chosen(event, what);
    if (event.target.closest?.("#history-more")) return videogen.history.more();
    const node = entryOf(event.target);
    const item = node && find(node.dataset.generationId);
    const button = event.target.closest?.("button");
    if (!item || !button) return undefined;
    videogen.notice.acted();
    if (button.dataset.do === "favorite") return favorite(item, button);
    if (button.dataset.do === "menu") return popUp(item, button);
    return videogen.selection.active ? videogen.selection.toggle(item.id, event.shiftKey) : videogen.act("choose", { id: item.id });
  }

  function pressed(event) {
    if (event.target.closest?.("#history-menu")) return walk(event);
    const card = event.target.closest?.("#history .vg-card");
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    const item = find(entryOf(card).dataset.generationId);
    const step = STEPS[event.key]?.(videogen.gallery.columns);
    if (step !== undefined) videogen.gallery.focus(videogen.gallery.index(item.id) + step);
    else if (event.key === "Delete") trash(item, true);
    else if (event.key === "F2") rename(item, entryOf(card));
    else return undefined;
    return event.preventDefault();
  }

  document.addEventListener("click", clicked);
  document.addEventListener("keydown", pressed);
  window.addEventListener("scroll", stand, { passive: true, capture: true });
  window.addEventListener("resize", stand);
})();

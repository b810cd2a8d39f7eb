// Deleting, and taking it back: a word on what was deleted, with Undo, for as long as anybody needs to read it.
(() => {
  const { byId, text, show, say } = videogen;
  const SECONDS = 12;
  const SECONDS_LATER = 30; // for somebody who comes back
  const MANY = 1000; // the API takes no more at once
  let undo = null; // what Undo brings back
  let ticking = 0;
  let left = 0;

  function deleted(count, name) {
    return count === 1 && name ? say("history.deleted_one", { name }) : say("history.deleted", { count });
  }

  function held() {
    const toast = byId("history-toast");
    return toast.matches(":hover") || toast.contains(document.activeElement) || document.hidden;
  }

  function tick() {
    if (held()) return;
    left -= 1;
    if (left <= 0) close();
  }

  function open(words, seconds, what = null) {
    undo = what;
    left = seconds;
    text("history-told", words);
    show("history-undo", what !== null);
    show("history-toast", true);
    window.clearInterval(ticking);
    ticking = window.setInterval(tick, 1000);
  }

  function close() {
    window.clearInterval(ticking);
    const focused = byId("history-toast").contains(document.activeElement);
    show("history-toast", false);
    if (focused) videogen.gallery.focus(undo?.place ?? 0);
    undo = null;
    // Whoever has seen it to its end has had the choice.
    videogen.store.write("deleted", null);
  }

  function parts(ids) {
    return Array.from({ length: Math.ceil(ids.length / MANY) }, (_, part) => ids.slice(part * MANY, (part + 1) * MANY));
  }

  /** What the stage shows next: the older neighbour, else the newer one. */
  function following(shown, gone) {
    const items = videogen.history.items;
    const place = items.findIndex((one) => one.id === shown);
    const stays = (one) => !gone.has(one.id);
    const found = items.slice(place + 1).find(stays) ?? items.slice(0, Math.max(0, place)).findLast(stays);
    return found?.id ?? null;
  }

  function clearStage(ids) {
    const shown = videogen.stage.job?.id;
    const gone = new Set(ids);
    if (!gone.has(shown)) return null;
    videogen.act("gone", { ids, next: following(shown, gone) });
    return shown;
  }

  async function send(ids, told) {
    for (const part of parts(ids)) {
      const answer = await videogen.api.ask("POST", "/generations/trash", { ids: part });
      told.ids.push(...answer.ids);
      if (answer.restorableUntil) told.until = Date.parse(answer.restorableUntil);
      told.running ||= answer.leftOut.some((one) => one.code === "not_terminal");
    }
  }

  async function trash(ids, name, byKey) {
    const place = Math.max(0, Math.min(...ids.map(videogen.gallery.index).filter((index) => index >= 0)));
    const told = { ids: [], until: 0, running: false };
    let problem = null;
    await send(ids, told).catch((found) => (problem = found.message));
    if (told.ids.length) {
      const shown = clearStage(told.ids);
      videogen.store.write("deleted", { ids: told.ids, until: told.until });
      videogen.history.drop(told.ids);
      open(deleted(told.ids.length, name), SECONDS, { ids: told.ids, shown, place });
    } else {
      videogen.history.changed();
      open(problem ?? (told.running ? say("history.still_running") : say("history.not_there")), SECONDS);
    }
    // Who works by keys has lost the place where the keys were.
    if (byKey) byId(told.ids.length ? "history-undo" : "history-toast-close").focus({ preventScroll: true });
  }

  async function restore() {
    const what = undo;
    if (what === null) return;
    // A button that is switched off loses the focus.
    const focused = byId("history-toast").contains(document.activeElement);
    byId("history-undo").disabled = true;
    const back = [];
    try {
      for (const part of parts(what.ids)) {
        back.push(...(await videogen.api.ask("POST", "/generations/restore", { ids: part })).ids);
      }
      await videogen.history.changed();
      if (what.shown && back.includes(what.shown)) videogen.act("choose", { id: what.shown, quiet: true });
      close();
      open(back.length ? say("history.back", { count: back.length }) : say("history.too_late"), 4);
      if (focused) videogen.gallery.focus(what.place);
    } catch (problem) {
      open(problem.message, SECONDS, what);
    } finally {
      byId("history-undo").disabled = false;
    }
  }

  const writes = (node) => node.closest?.("input, textarea, select, [contenteditable]") !== null;
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#history-undo")) restore();
    if (event.target.closest?.("#history-toast-close")) close();
  });
  document.addEventListener("keydown", (event) => {
    if (!byId("history-toast") || byId("history-toast").hidden) return;
    if (event.key === "Escape" && byId("history-toast").contains(event.target)) close();
    const undoes = event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
    if (!undoes || undo === null || writes(event.target)) return;
    event.preventDefault();
    restore();
  });

  videogen.toast = {
    say: (words) => open(words, SECONDS),
    trash,

    /** Somebody may have closed the page before there was time to undo. */
    recall() {
      const earlier = videogen.store.read("deleted");
      if (!earlier?.ids?.length || !(earlier.until > Date.now())) return;
      open(say("history.deleted_earlier", { count: earlier.ids.length }), SECONDS_LATER, { ids: earlier.ids, shown: null, place: 0 });
    },
  };
})();

// What has ended while nobody of this browser looked: said once on return, with a way to the newest.
(() => {
  const OFTEN = 2000; // that somebody is here is noted this often
  const { byId, text, show } = videogen;
  let noted = -Infinity;
  let visit = null;
  let unseen = [];
  let newest = null;

  const here = () => videogen.store.read("here");

  function announce(done, failed, latest, more) {
    const parts = [];
    if (more) parts.push(videogen.say("away.more", { number: done }));
    else if (done) parts.push(videogen.say("away.finished", { count: done }));
    if (failed) parts.push(videogen.say("away.failed", { count: failed }));
    if (!parts.length) return;
    newest = latest;
    text("away-words", videogen.say("away.text", { what: parts.join(", ") }));
    show("away-show", newest !== null);
    show("away", true);
  }

  function close() {
    show("away", false);
    text("away-words", "");
  }

  function look() {
    if (document.hidden) return;
    // Another tab may have been looked at in the meantime.
    const missed = unseen.filter((item) => item.at > (here() ?? 0));
    unseen = [];
    const done = missed.filter((item) => item.status === "completed");
    announce(done.length, missed.length - done.length, (done.at(-1) ?? missed.at(-1))?.id ?? null, false);
  }

  document.addEventListener("visibilitychange", look);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#away-show, #away-close");
    if (!button) return;
    if (button.id === "away-show") videogen.act("choose", { id: newest });
    close();
  });

  videogen.away = {
    /** What the watcher says; times are the server's, so that no clock of this browser matters. */
    heard(room) {
      if (!room.now) return;
      const since = here();
      if (room.visit !== visit && since !== null) videogen.act("away", { since });
      visit = room.visit;
      if (document.hidden || performance.now() - noted < OFTEN) return;
      noted = performance.now();
      videogen.store.write("here", room.now);
    },

    ended(item) {
      if (document.hidden) unseen.push(item);
      else videogen.store.write("here", Math.max(here() ?? 0, item.at));
    },

    /** The answer to what has ended since. */
    apply(outcome) {
      const told = outcome?.away;
      if (!told) return;
      const fresh = told.items.filter((item) => !videogen.attention.knows(item.id));
      for (const item of [...fresh].reverse()) if (document.hidden) videogen.attention.ended(item);
      if (!document.hidden && fresh.length) announce(told.done, told.failed, told.newest, told.more);
    },
  };
})();

// Brings the parts together: one state of the room, and one listener for all its buttons.
(() => {
  let listening = false;
  let visit = null;
  let history = null;

  function act(event) {
    const entry = event.target.closest("#active [data-generation-id]");
    if (event.target.closest("button")) videogen.notice.acted();
    if (entry && event.target.closest("button:not([data-line])")) return videogen.act("choose", { id: entry.dataset.generationId });
    const button = event.target.closest("#cancel, #retry, #use-settings, #animate, #new-seed, #vary");
    if (!button) return undefined;
    if (button.id === "use-settings") return videogen.reuse.use(videogen.stage.job);
    if (button.id === "animate") return videogen.draft.animate();
    videogen.busy(button, true);
    if (button.id === "new-seed") return videogen.reuse.again(videogen.stage.job, 1);
    if (button.id === "vary") return videogen.reuse.again(videogen.stage.job, 4);
    return videogen.act(button.id, { id: videogen.stage.job?.id });
  }

  videogen.listen = () => {
    if (listening) return;
    listening = true;
    document.addEventListener("click", act);
  };

  /** The parts of a frame come as JSON texts. */
  function unpack(frame) {
    const part = (name) => (frame[name] ? JSON.parse(frame[name]) : null);
    const still = part("selected");
    const selected = still && { ...still, ...part("moving") };
    return { ...frame, selected, active: part("active") ?? [], ended: part("ended") ?? [] };
  }

  function show(room) {
    videogen.stage.apply(room);
    videogen.queue.apply(room);
    videogen.attention.apply(room);
  }

  /** What was brought along is said until somebody acts; a welcome only as long as it is true. */
  function greet(room) {
    if (videogen.remix.said) videogen.notice.warn(videogen.remix.said);
    else videogen.notice.tell(room.notice);
  }

  /** What the API says before the first frame has come: the truth of the moment, though not live yet. */
  videogen.showRoom = (room, entries) => {
    greet(room);
    show(room);
    videogen.history.apply(entries);
  };

  // A frame tells the whole state, and says only once what is to be done once.
  videogen.applyRoom = (frame) => {
    const room = unpack(frame);
    videogen.connection.heard(room);
    if (room.problem) return videogen.notice.warn(room.problem);
    videogen.watched = true;
    videogen.session.apply(room);
    show(room);
    videogen.away.heard(room);
    // The welcome has been read once somebody acts, and is no longer true once everything has ended.
    if (room.visit !== visit) greet(room);
    else if (room.active.length === 0) videogen.notice.settle();
    const version = `${room.visit}.${room.history}`;
    if (version !== history) {
      videogen.history.changed();
      videogen.act("links");
    }
    visit = room.visit;
    history = version;
    return undefined;
  };
})();

// Brings the parts together: one state of the room, and one listener for all its buttons.
(() => {
  let listening = false;
  let visit = null;
  let history = null;

  function act(event) {
    const entry = event.target.closest("#active [data-generation-id], #history [data-generation-id]");
    if (event.target.closest("button")) videogen.notice.acted();
    if (entry && event.target.closest("button")) return videogen.act("choose", { id: entry.dataset.generationId });
    const button = event.target.closest("#cancel, #retry, #history-more, #use-settings, #animate");
    if (!button) return undefined;
    if (button.id === "use-settings") return videogen.act("use");
    if (button.id === "animate") return videogen.draft.animate();
    videogen.busy(button, true);
    if (button.id === "history-more") return videogen.act("more");
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
    return { ...frame, selected: still && { ...still, ...part("moving") }, active: part("active") ?? [] };
  }

  function show(room) {
    videogen.stage.apply(room);
    videogen.lists.applyActive(room);
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
    videogen.lists.applyHistory(entries);
  };

  // A frame tells the whole state, and says only once what is to be done once.
  videogen.applyRoom = (frame) => {
    const room = unpack(frame);
    videogen.connection.heard(room);
    if (room.problem) return videogen.notice.warn(room.problem);
    videogen.watched = true;
    videogen.session.apply(room);
    show(room);
    // The welcome has been read once somebody acts, and is no longer true once everything has ended.
    if (room.visit !== visit) greet(room);
    else if (room.active.length === 0) videogen.notice.settle();
    const version = `${room.visit}.${room.history}`;
    if (version !== history) for (const name of ["history", "links"]) videogen.act(name);
    visit = room.visit;
    history = version;
    return undefined;
  };
})();

// Brings the parts together: one state of the room, and one listener for all its buttons.
(() => {
  let listening = false;
  let trouble = false;

  function act(event) {
    const entry = event.target.closest("#active [data-generation-id], #history [data-generation-id]");
    if (entry && event.target.closest("button")) return videogen.act("choose", { id: entry.dataset.generationId });
    const button = event.target.closest("#cancel, #retry, #history-more, #use-settings");
    if (!button) return undefined;
    if (button.id === "use-settings") return videogen.act("use");
    button.disabled = true;
    if (button.id === "history-more") return videogen.act("more");
    return videogen.act(button.id, { id: videogen.stage.job?.id });
  }

  videogen.listen = () => {
    if (listening) return;
    listening = true;
    document.addEventListener("click", act);
  };

  videogen.applyRoom = (room) => {
    videogen.connection.heard(room);
    videogen.stage.apply(room);
    videogen.lists.applyActive(room);
    if (room.problem) videogen.notice.tell(room.problem);
    else if ("notice" in room) videogen.notice.tell(room.notice);
    else if (trouble) videogen.notice.tell("");
    trouble = Boolean(room.problem);
    if (room.adopt) videogen.adopt(room.adopt);
  };
})();

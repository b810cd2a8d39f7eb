// The form around its fields: the answer to Generate, and the shortcut.
(() => {
  const { byId, text } = videogen;

  function field() {
    return document.querySelector("#prompt textarea");
  }

  function busy(is) {
    const button = byId("generate");
    if (button) videogen.attribute(button, "aria-busy", is ? "true" : null);
  }

  document.addEventListener("keydown", (event) => {
    const wanted = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!wanted || event.target !== field()) return;
    event.preventDefault();
    byId("generate").click();
  });

  // Gradio tells of keys; what is pasted, dictated or dropped comes without any.
  document.addEventListener("input", (event) => {
    if (event.target.closest?.("#desk")) videogen.act("draft");
  });

  videogen.form = {
    sending() {
      busy(true);
      // Whatever becomes of the answer, the button does not stay asleep.
      window.setTimeout(() => busy(false), 30_000);
    },

    focus() {
      field()?.scrollIntoView({ block: "center", behavior: videogen.glide() });
      field()?.focus({ preventScroll: true });
    },

    apply(outcome) {
      if (!outcome) return;
      busy(false);
      if ("error" in outcome || "accepted" in outcome) text("form-error", outcome.error ?? "");
      if (outcome.error) videogen.stage.unexpect();
      if (outcome.error) byId("form-error")?.scrollIntoView({ block: "nearest" });
      videogen.settings.refused(outcome.faults);
      videogen.reuse.answered(outcome);
      if (outcome.accepted) videogen.draft.accepted(outcome.accepted);
      if (outcome.shown) videogen.stage.look();
      if (outcome.notice) videogen.notice.warn(outcome.notice);
      if (outcome.shares) videogen.share.apply(outcome.shares);
      for (const id of ["cancel", "retry", "new-seed", "vary"]) videogen.busy(id, false);
    },
  };
})();

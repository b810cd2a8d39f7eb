// The prompt and Generate are there before Gradio is: what is typed is kept, what is sent is sent. When the form has
// been built and filled, it takes over what stands here, with the focus and the cursor's place.
(() => {
  const { byId } = videogen;
  const built = () => document.querySelector("#prompt textarea");

  /** Put text into a field of Gradio's as if it had been typed. */
  function type(node, value) {
    const setter = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    setter.call(node, value);
    node.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function send() {
    videogen.busy("early-generate", true);
    videogen.draft.note({ prompt: byId("early-prompt").value });
    videogen.draft.start(videogen.draft.read());
    if (byId("early-prompt").value.trim()) videogen.stage.expect(byId("early-prompt").value);
  }

  let touched = false; // whether somebody has typed here: otherwise the draft knows better

  document.addEventListener("input", (event) => {
    if (event.target.id !== "early-prompt") return;
    touched = true;
    videogen.draft.note({ prompt: event.target.value });
  });
  document.addEventListener("click", (event) => event.target.id === "early-generate" && send());
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "early-prompt" || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    byId("early-generate").click();
  });

  videogen.early = {
    /** As the draft was left. */
    open() {
      byId("early-prompt").value = videogen.store.read("draft", { form: {} }).form.prompt ?? "";
    },

    /** The draft was changed by something else, such as a preset. */
    noted(prompt) {
      const node = byId("early-prompt");
      if (!node || prompt === undefined || node.value === prompt) return;
      node.value = prompt;
      touched = false;
    },

    /** Gradio's column is there, but its fields are not filled yet: until then this stands in their place. */
    moveIn() {
      byId("desk")?.prepend(byId("early"));
    },

    /** The form is as it was left: it goes on from here. */
    handOver() {
      const mine = byId("early");
      const field = built();
      if (!mine || !field) return;
      const { value, selectionStart, selectionEnd } = byId("early-prompt");
      const at = document.activeElement?.id;
      mine.remove();
      if (touched && field.value !== value) type(field, value);
      if (at === "early-generate") byId("generate").focus({ preventScroll: true });
      if (at !== "early-prompt") return;
      field.focus({ preventScroll: true });
      field.setSelectionRange(selectionStart, selectionEnd);
    },
  };
})();

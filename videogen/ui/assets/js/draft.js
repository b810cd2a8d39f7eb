// The form's draft lives in this browser: what was typed survives a reload, a crash, a restart of the server.
// With it lives the idempotency key of this very form, so that a double click or a reload makes one project.
(() => {
  const FIELDS = ["prompt", "negative", "shape", "detail", "seconds", "fps", "seed", "engine"];
  const skip = () => FIELDS.map(() => undefined);

  function newKey() {
    if (window.crypto?.randomUUID) return window.crypto.randomUUID();
    // Without https there is no randomUUID.
    const bytes = window.crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function asObject(values) {
    const form = Object.fromEntries(FIELDS.map((name, index) => [name, values[index] ?? null]));
    videogen.settings.shaped(form);
    return { ...form, ...videogen.intake.values(), ...videogen.settings.values() };
  }

  function save(...values) {
    const form = asObject(values);
    const before = videogen.store.read("draft");
    const same = before !== null && JSON.stringify(before.form) === JSON.stringify(form);
    videogen.store.write("draft", { form, key: same ? before.key : newKey() });
    last = form;
    return form;
  }

  const wishes = () => ({ ...videogen.intake.values(), ...videogen.settings.wishes() });
  let animating = false;
  let last = null; // the form, also where nothing can be stored
  let wanted = null; // a form that is to be filled in
  let started = null; // a form that is to be sent as it is

  videogen.draft = {
    FIELDS,

    save(...values) {
      save(...values);
      return [];
    },

    /** Change the draft of a form that is not there yet. */
    note(values) {
      const before = videogen.store.read("draft", { form: {} }).form;
      last = null;
      videogen.early.noted(values.prompt);
      const own = values.partial ? { ...before.own, ...values.own } : (values.own ?? before.own);
      videogen.store.write("draft", { form: { ...before, ...values, own, partial: false }, key: newKey() });
    },

    newKey,

    /** The form as it is now. */
    read() {
      return last ?? videogen.store.read("draft", { form: {} }).form;
    },

    /** Fill in a form; one that is not there yet finds it in its draft. */
    put(form) {
      if (videogen.handlers === null) return videogen.draft.note(form);
      wanted = form;
      return videogen.act("use");
    },

    /** Send a form as it is. */
    async start(form) {
      await videogen.session.token();
      started = form;
      videogen.act("run");
    },

    /** The form as it was left, field by field; what is not offered any more is left as it is. */
    restore() {
      const fill = () => videogen.engines.fill(videogen.store.read("draft", { form: {} }).form);
      // At once where nothing is awaited, or the form would be seen to change.
      return videogen.remix.taken === null ? fill() : videogen.remix.taken.then(fill);
    },

    /** The form is as it was left: now it can be seen, and typed into. */
    settled() {
      window.requestAnimationFrame(() => {
        document.documentElement.removeAttribute("data-unsettled");
        videogen.early.handOver();
      });
      return [];
    },

    /** Called with the form's values and the session: hands the key over to the server. */
    async submit(...values) {
      const session = values.pop();
      save(...values);
      const { key } = videogen.store.read("draft", { key: newKey() });
      const more = { key, wishes: wishes(), language: videogen.language };
      videogen.form.sending();
      if (values[0]?.trim()) videogen.stage.expect(values[0]);
      return [...values, { ...(await videogen.session.along(session)), ...more }];
    },

    /** Called as `submit` is, for a form that need not be on the page yet. */
    async run(...values) {
      const session = values.pop();
      const filled = videogen.engines.fill(started).map((one) => one?.value);
      const more = { key: newKey(), wishes: wishes(), language: videogen.language };
      return [...filled, { ...(await videogen.session.along(session)), ...more }];
    },

    /** The form was accepted under this key: the next Generate is a new wish, even if nothing is changed. */
    accepted(key) {
      const draft = videogen.store.read("draft");
      if (draft !== null && draft.key === key) videogen.store.write("draft", { ...draft, key: newKey() });
    },

    /** Have the still on the stage be what the next video starts from. */
    animate() {
      animating = true;
      videogen.form.focus();
      videogen.act("use");
    },

    /** Values of the form: those that wait for it, or the settings of the generation on the stage. */
    use() {
      const job = videogen.stage.job;
      const still = animating ? job?.still : null;
      const form = wanted ?? (job?.recipe ? videogen.engines.formOf(job.recipe) : null);
      animating = false;
      wanted = null;
      if (!form) return skip();
      if (still) Object.assign(form, { type: "video", inputFileId: still, seed: "" });
      return videogen.engines.fill(form);
    },

    roll() {
      return String(window.crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);
    },
  };
})();

// Good sets of prompt and settings as pictures: one press fills the form and starts them. Engines bring some; a person's own
// are kept in this browser.
(() => {
  const { byId, text, attribute, show, say } = videogen;
  const MOST = 60;
  const ON_STAGE = 8;
  const MOST_LETTERS = 60;
  const ASKED = ["prompt", "negative", "shape", "detail", "seconds", "fps", "seed", "engine", "type", "variations", "size"];
  let renaming = null; // the one whose name is being changed; null for a new one
  let gone = null;

  const isText = (value) => typeof value === "string";

  /** What is kept here may have been written by anything. */
  function own() {
    const kept = videogen.store.read("presets", []);
    const whole = (one) => isText(one?.id) && isText(one.title) && isText(one.form?.prompt) && isText(one.form.engine);
    return Array.isArray(kept) ? kept.filter(whole).slice(0, MOST) : [];
  }

  /** Tells whether it could be kept. */
  function keep(all) {
    const kept = videogen.store.write("presets", all);
    render();
    return kept;
  }

  /** The engines' presets as recipes. */
  function brought() {
    return videogen.engines.all().filter((engine) => engine.available).flatMap((engine) =>
      engine.presets.map((preset) => ({ key: `${engine.id}/${preset.id}`, title: preset.title, poster: preset.posterUrl, recipe: recipe(engine, preset) })),
    );
  }

  function recipe(engine, { type, prompt, negativePrompt, settings }) {
    const { width, height, durationSeconds: seconds, fps, seed, ...rest } = settings;
    return {
      type,
      prompt,
      negative: negativePrompt,
      engine: engine.id,
      ...{ width, height, seconds, fps },
      seed: seed === undefined || seed === null ? "" : String(seed),
      settings: rest,
      inputFileId: null,
    };
  }

  function chip(template, key, title) {
    const node = byId(template).content.firstElementChild.cloneNode(true);
    node.dataset.preset = key;
    node.querySelector('[data-part="title"]').textContent = title;
    return node;
  }

  function pictured({ key, title, poster, recipe: { prompt } }) {
    const node = chip(poster ? "preset-entry" : "own-preset-entry", key, title);
    if (poster) attribute(node.querySelector("img"), "src", videogen.absolute(poster));
    else {
      node.querySelector('[data-part="prompt"]').textContent = prompt;
      node.querySelector(".vg-preset-do").remove();
    }
    attribute(node.querySelector(".vg-preset"), "aria-label", say("preset.start", { title: poster ? title : `${title} ${prompt}` }));
    attribute(node.querySelector(".vg-preset"), "title", prompt);
    return node;
  }

  function written({ id, title, form }) {
    const node = chip("own-preset-entry", id, title);
    node.querySelector('[data-part="prompt"]').textContent = form.prompt;
    attribute(node.querySelector(".vg-preset"), "aria-label", say("preset.start", { title: `${title} ${form.prompt}` }));
    attribute(node.querySelector(".vg-preset"), "title", form.prompt);
    attribute(node.querySelector('[data-preset-do="rename"]'), "aria-label", say("preset.rename_it", { title }));
    attribute(node.querySelector('[data-preset-do="delete"]'), "aria-label", say("preset.delete_it", { title }));
    return node;
  }

  function render() {
    byId("own-presets")?.replaceChildren(...own().map(written));
    show("own-presets", own().length > 0);
  }

  function tell(words, undo = false) {
    text("presets-words", words);
    show("presets-undo", undo);
  }

  function ask(preset) {
    renaming = preset;
    show("preset-form", true);
    attribute(byId("preset-save"), "aria-expanded", "true");
    const field = byId("preset-name");
    field.value = preset?.title ?? videogen.draft.read().prompt?.split(/[,.;\n]/)[0].slice(0, MOST_LETTERS) ?? "";
    field.focus();
    field.select();
  }

  function close() {
    show("preset-form", false);
    attribute(byId("preset-save"), "aria-expanded", "false");
    const back = renaming && document.querySelector(`[data-preset="${CSS.escape(renaming.id)}"] [data-preset-do="rename"]`);
    (back ?? byId("preset-save")).focus();
    renaming = null;
  }

  function save() {
    const form = videogen.draft.read();
    if (!form.prompt?.trim()) return tell(say("preset.empty"));
    if (own().length >= MOST) return tell(say("preset.full", { most: MOST }));
    tell("");
    return ask(null);
  }

  function name(title) {
    if (!title) return;
    if (renaming) {
      keep(own().map((one) => (one.id === renaming.id ? { ...one, title } : one)));
      tell(say("preset.renamed", { title: title }));
    } else {
      const form = videogen.draft.read();
      const picked = Object.fromEntries(ASKED.map((key) => [key, form[key]]));
      // Of the engines' own settings, those of the chosen one; the image is this visit's.
      picked.own = { [form.engine]: form.own?.[form.engine] ?? {} };
      const kept = keep([...own(), { id: videogen.draft.newKey(), title, form: { ...picked, inputFileId: null } }]);
      tell(kept ? say("preset.saved", { title: title }) : say("preset.forbidden"));
    }
    close();
  }

  function remove(preset) {
    gone = { preset, at: own().findIndex((one) => one.id === preset.id) };
    keep(own().filter((one) => one.id !== preset.id));
    tell(say("preset.deleted", { title: preset.title }), true);
    byId("presets-undo").focus();
  }

  function bringBack() {
    const all = own();
    all.splice(gone.at, 0, gone.preset);
    keep(all);
    tell(say("preset.restored", { title: gone.preset.title }));
    gone = null;
    byId("preset-save").focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#presets button, #stage-presets button");
    if (!button) return;
    const key = button.closest("[data-preset]")?.dataset.preset;
    const mine = own().find((one) => one.id === key);
    const theirs = brought().find((one) => one.key === key);
    if (button.id === "preset-save") save();
    else if (button.id === "preset-cancel") close();
    else if (button.id === "presets-undo") bringBack();
    else if (mine && button.dataset.presetDo === "rename") ask(mine);
    else if (mine && button.dataset.presetDo === "delete") remove(mine);
    else if (mine) videogen.reuse.start({ ...mine.form, partial: true }, mine.title);
    else if (theirs) videogen.reuse.start(videogen.engines.formOf(theirs.recipe), theirs.title);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "preset-form") return;
    event.preventDefault();
    name(byId("preset-name").value.trim().slice(0, MOST_LETTERS));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest?.("#preset-form")) close();
  });

  // Another tab may have kept or deleted one.
  window.addEventListener("storage", (event) => event.key === "videogen.presets" && render());

  videogen.presets = {
    /** Show them; they are in the page from the beginning. */
    open() {
      const all = brought();
      byId("preset-list")?.replaceChildren(...all.map(pictured));
      byId("stage-presets")?.replaceChildren(...all.slice(0, ON_STAGE).map(pictured));
      render();
    },
  };
})();

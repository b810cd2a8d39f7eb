// Making something again: a recipe into the form, with a way back; once more with a new seed; in variations; from a file.
(() => {
  const { byId, text, show, say } = videogen;
  let before = null; // the form that was written over
  let asking = false;
  let told = null; // the recipe in the details

  function tell(words, undo) {
    text("form-filled-words", words);
    show("form-undo", undo);
  }

  const filled = (what) => say("reuse.filled", { what });
  const quoted = (words) => say("reuse.quoted", { words: words.length > 40 ? `${words.slice(0, 39)}…` : words });
  const noImage = () => say("reuse.no_image", { engine: videogen.engines.find(videogen.draft.read().engine).title });

  function refuse(words) {
    text("form-error", words);
    byId("form-error")?.scrollIntoView({ block: "nearest" });
  }

  /** Fill in a form, and keep the one that was there. */
  function put(form, words) {
    before = videogen.draft.read();
    text("form-error", "");
    videogen.draft.put(form);
    tell(words, true);
  }

  function undo() {
    if (before === null) return;
    videogen.draft.put({ ...before, partial: false });
    before = null;
    tell(say("reuse.back"), false);
    byId("form-filled")?.focus();
  }

  async function copy(button) {
    let words = say("job.copied");
    try {
      await navigator.clipboard.writeText(told.document);
    } catch {
      words = say("job.copy_refused");
    }
    button.textContent = words;
    window.setTimeout(() => (button.textContent = say("job.copy_recipe")), 1500);
  }

  /** Everything that a recipe holds, as pairs of name and value. */
  function facts(recipe) {
    const engine = videogen.engines.all().find((one) => one.id === recipe.engine);
    const document = JSON.parse(recipe.document);
    const field = (name) => engine?.fields.find((one) => one.name === name) ?? engine?.basics[name];
    const own = Object.entries(document.settings)
      .filter(([name]) => name !== "seed")
      .map(([name, value]) => {
        const known = field(name);
        const unit = known?.unit || (name === "durationSeconds" ? "s" : "");
        return [known ? videogen.settings.title(known) : name, known ? videogen.settings.named({ ...known, unit }, value) : JSON.stringify(value)];
      });
    const pairs = [
      [say("job.makes"), say(recipe.type === "video" ? "form.video" : "form.still")],
      [say("job.left_out"), recipe.negative],
      [say("job.started_from"), recipe.inputFileId ? say("job.an_image") : ""],
      ...own,
      [say("job.seed"), recipe.seed],
      [say("job.engine"), `${recipe.engine} ${document.engineVersion}`.trim()],
      [say("job.hash"), recipe.hash],
    ];
    return pairs.filter(([, value]) => value);
  }

  function pair([name, value]) {
    const box = document.createElement("div");
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    box.append(term, detail);
    return box;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#form-undo, #recipe-copy");
    if (button?.id === "form-undo") undo();
    else if (button) copy(button);
    // What is sent by hand is wanted as it is.
    else if (event.target.closest?.("#generate")) tell("", false);
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "recipe-file") return;
    const [file] = event.target.files;
    event.target.value = ""; // or the same file could not be chosen again
    if (file) videogen.reuse.open(file);
  });

  videogen.reuse = {
    /** The settings of a generation into the form, exactly. */
    use(job) {
      if (!job?.recipe) return;
      const faults = videogen.engines.faultsOf(job.recipe);
      const words = filled(quoted(job.recipe.prompt));
      put(videogen.engines.formOf(job.recipe), faults.length ? [words, say("reuse.partly"), ...faults].join(" ") : words);
      videogen.form.focus();
    },

    /** The same recipe at once, with seeds that are drawn anew. */
    again(job, variations) {
      if (!job || asking) return;
      asking = true;
      videogen.act("again", { id: job.id, variations, key: videogen.draft.newKey() });
    },

    /** Fill in a form and start it. */
    start(form, title) {
      if (asking) return;
      asking = true;
      put(form, filled(quoted(title)));
      videogen.form.sending();
      videogen.draft.start(form);
    },

    answered(outcome) {
      if ("error" in outcome || "accepted" in outcome || "notice" in outcome) asking = false;
    },

    /** Take the recipe out of a file. Tells whether that was all there is to do with it: an image may be one to start from. */
    async open(file, otherwise = null) {
      const { kind, recipe, fault, ours } = await videogen.recipes.read(file);
      if (!recipe && otherwise !== null && kind !== "mp4" && !ours && !file.type.startsWith("video/")) {
        if (videogen.intake.takes()) return otherwise(file);
        if (file.type.startsWith("image/")) return refuse(say("reuse.refused", { name: file.name, why: noImage() }));
      }
      if (fault) return refuse(say("reuse.refused", { name: file.name, why: fault }));
      const faults = videogen.engines.faultsOf(recipe);
      if (faults.length) return refuse(say("reuse.refused", { name: file.name, why: faults.join(" ") }));
      const engine = videogen.engines.find(recipe.engine);
      const words = [filled(file.name)];
      if (engine.version !== recipe.version) {
        words.push(say("reuse.version", { then: recipe.version, engine: engine.title, now: engine.version }));
      }
      if (recipe.hadImage) words.push(say("reuse.image"));
      put(videogen.engines.formOf(recipe), words.join(" "));
      return videogen.form.focus();
    },

    /** The whole recipe of what is on the stage. */
    tell(recipe) {
      if (recipe?.document === told?.document) return;
      told = recipe ?? null;
      show("job-recipe", told);
      byId("recipe-facts").replaceChildren(...(told ? facts(told) : []).map(pair));
    },

    refuse,
  };
})();

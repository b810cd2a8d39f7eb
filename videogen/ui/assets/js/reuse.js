// Making something again: a recipe into the form, with a way back; once more with a new seed; in variations; from a file.
(() => {
  const { byId, text, show } = videogen;
  const SAY = {
    filled: (what) => `The form now holds the settings of ${what}.`,
    generation: (prompt) => `“${prompt.length > 40 ? `${prompt.slice(0, 39)}…` : prompt}”`,
    partly: "Not all of it can be asked for here.",
    version: (engine, then, now) => `It was made with version ${then} of ${engine}; here is ${now}, so the result may differ.`,
    image: "It started from an image, which is not in the file: choose that again.",
    file: (name, fault) => `${name}: ${fault}. Nothing was changed.`,
    refused: (name, faults) => `${name}: ${faults.join(" ")} Nothing was changed.`,
    noImage: (title) => `${title} starts from no image, and this one carries no recipe. Nothing was changed.`,
    back: "Your form is as it was.",
    copied: "Copied",
    copy: "Copy as JSON",
    refusedCopy: "Not allowed",
    labels: { hash: "Recipe hash", engine: "Engine", seed: "Seed", negative: "Left out", type: "Makes", input: "Started from" },
    values: { video: "Video", image: "Still", input: "An image" },
    units: { durationSeconds: "s" },
    titles: { width: "Width", height: "Height", durationSeconds: "Length", fps: "Frame rate" },
  };
  let before = null; // the form that was written over
  let asking = false;
  let told = null; // the recipe in the details

  function say(words, undo) {
    text("form-filled-words", words);
    show("form-undo", undo);
  }

  function refuse(words) {
    text("form-error", words);
    byId("form-error")?.scrollIntoView({ block: "nearest" });
  }

  /** Fill in a form, and keep the one that was there. */
  function put(form, words) {
    before = videogen.draft.read();
    text("form-error", "");
    videogen.draft.put(form);
    say(words, true);
  }

  function undo() {
    if (before === null) return;
    videogen.draft.put({ ...before, partial: false });
    before = null;
    say(SAY.back, false);
    byId("form-filled")?.focus();
  }

  async function copy(button) {
    let words = SAY.copied;
    try {
      await navigator.clipboard.writeText(told.document);
    } catch {
      words = SAY.refusedCopy;
    }
    button.textContent = words;
    window.setTimeout(() => (button.textContent = SAY.copy), 1500);
  }

  /** Everything that a recipe holds, as pairs of name and value. */
  function facts(recipe) {
    const engine = videogen.engines.all().find((one) => one.id === recipe.engine);
    const document = JSON.parse(recipe.document);
    const field = (name) => engine?.fields.find((one) => one.name === name) ?? engine?.basics[name];
    const own = Object.entries(document.settings)
      .filter(([name]) => name !== "seed")
      .map(([name, value]) => [
        SAY.titles[name] ?? field(name)?.title ?? name,
        field(name) ? videogen.settings.named({ ...field(name), unit: field(name).unit || SAY.units[name] }, value) : JSON.stringify(value),
      ]);
    const pairs = [
      [SAY.labels.type, SAY.values[recipe.type]],
      [SAY.labels.negative, recipe.negative],
      [SAY.labels.input, recipe.inputFileId ? SAY.values.input : ""],
      ...own,
      [SAY.labels.seed, recipe.seed],
      [SAY.labels.engine, `${recipe.engine} ${document.engineVersion}`.trim()],
      [SAY.labels.hash, recipe.hash],
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
    else if (event.target.closest?.("#generate")) say("", false);
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
      const words = SAY.filled(SAY.generation(job.recipe.prompt));
      put(videogen.engines.formOf(job.recipe), faults.length ? `${words} ${SAY.partly} ${faults.join(" ")}` : words);
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
      put(form, SAY.filled(`“${title}”`));
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
        if (file.type.startsWith("image/")) return refuse(SAY.noImage(videogen.engines.find(videogen.draft.read().engine).title));
      }
      if (fault) return refuse(SAY.file(file.name, fault));
      const faults = videogen.engines.faultsOf(recipe);
      if (faults.length) return refuse(SAY.refused(file.name, faults));
      const engine = videogen.engines.find(recipe.engine);
      const words = [SAY.filled(file.name)];
      if (engine.version !== recipe.version) words.push(SAY.version(engine.title, recipe.version, engine.version));
      if (recipe.hadImage) words.push(SAY.image);
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

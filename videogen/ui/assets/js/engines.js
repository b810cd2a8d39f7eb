// What each engine lets one choose. The server put it into the page; switching engines asks nobody.
(() => {
  const SAY = {
    unknown: (id) => `Engine: expected one that is offered here, got ${id.length > 40 ? `${id.slice(0, 39)}…` : id}.`,
    unavailable: (title, reason) => `Engine: ${title} is not available here. ${reason ?? ""}`.trim(),
    at: (title, words) => `${title}: ${words[0].toLowerCase()}${words.slice(1)}`,
    seed: (got) => `Seed: expected a whole number that this engine takes, got ${String(got).slice(0, 40)}.`,
    pixels: (most, got) => `Size: expected at most ${most} pixels in all, got ${got}.`,
    prompt: "Prompt",
    negative: "Negative prompt",
    type: (types, got) => `Make: expected ${types.join(" or ")}, got ${got}.`,
  };
  let told = null;
  const set = (value, more = {}) => ({ __type__: "update", ...more, ...(value === undefined ? {} : { value }) });

  function specs() {
    const node = videogen.byId("engine-forms");
    if (node) told ??= JSON.parse(node.textContent);
    return told ?? [];
  }

  function find(id) {
    const all = specs();
    return all.find((engine) => engine.id === id) ?? all.find((engine) => engine.available) ?? all[0];
  }

  function keep(value, offered, fallback) {
    return offered.includes(value) ? value : fallback;
  }

  /** The frame rates to choose from: those of the engine, and the one that is asked for, where it can be. */
  function rates(engine, fps) {
    const fits = !videogen.checks.check(engine.basics.fps, fps).fault && engine.basics.fps.choices.length === 0;
    const all = fits && !engine.fps_choices.includes(fps) ? [...engine.fps_choices, fps].sort((a, b) => a - b) : engine.fps_choices;
    return { all, fps: all.includes(fps) ? fps : engine.fps };
  }

  function isSeed(engine, seed) {
    const most = engine.basics.seed.maximum;
    return /^\d{1,18}$/.test(seed) && (most === null || BigInt(seed) <= BigInt(Math.floor(most)));
  }

  function updates(engine, form) {
    videogen.intake.fill(form, engine);
    videogen.settings.fill(form, engine);
    const { all, fps } = rates(engine, form.fps);
    const seconds = Number(form.seconds ?? engine.seconds);
    return [
      set(form.prompt ?? ""),
      set(form.negative ?? "", { visible: engine.negative }),
      set(keep(form.shape, [...Object.keys(engine.sizes), "custom"], "16:9")),
      set(keep(form.detail, engine.details, engine.details[0]), { choices: engine.detail_choices }),
      set(Math.min(engine.max_seconds, Math.max(engine.min_seconds, seconds)), {
        minimum: engine.min_seconds,
        maximum: engine.max_seconds,
      }),
      set(fps, { choices: all.map((one) => [`${one} fps`, one]) }),
      set(form.seed ?? ""),
      set(engine.id),
    ];
  }

  function describe(engine) {
    const words = engine.available ? engine.description : (engine.reason ?? engine.description);
    for (const node of document.querySelectorAll("[data-engine-note]")) node.textContent = words;
  }

  videogen.engines = {
    /** Describe the engine of the draft, while its fields are not there yet: none shall appear only to vanish. */
    introduce() {
      const form = videogen.store.read("draft", { form: {} }).form;
      const engine = find(form.engine);
      if (!engine) return;
      describe(engine);
      videogen.intake.offers(engine);
      videogen.settings.fill(form, engine);
    },

    fill(form) {
      const engine = find(form.engine);
      if (!engine) return videogen.draft.FIELDS.map(() => undefined);
      describe(engine);
      return updates(engine, form);
    },

    /** Another engine was chosen: keep whatever it offers too. */
    switched(...values) {
      const form = Object.fromEntries(videogen.draft.FIELDS.map((name, index) => [name, values[index]]));
      return videogen.engines.fill({ ...form, ...videogen.intake.values(), ...videogen.settings.values() });
    },

    all: specs,
    find,

    /** A generation's recipe as values of the form: all of it, also a size that is no shape and detail. */
    formOf(recipe) {
      const engine = find(recipe.engine);
      const width = recipe.width ?? engine.basics.width.default ?? engine.sizes["16:9"][engine.details[0]][0];
      const height = recipe.height ?? engine.basics.height.default ?? engine.sizes["16:9"][engine.details[0]][1];
      const fits = ([across, down]) => across === width && down === height;
      const shape = Object.keys(engine.sizes).find((name) => Object.values(engine.sizes[name]).some(fits));
      const detail = shape && Object.keys(engine.sizes[shape]).find((short) => fits(engine.sizes[shape][short]));
      return {
        prompt: recipe.prompt,
        negative: recipe.negative,
        seed: recipe.seed,
        engine: engine.id,
        type: recipe.type,
        inputFileId: recipe.inputFileId,
        variations: 1,
        shape: shape ?? "custom",
        detail: detail ?? engine.details[0],
        size: [width, height],
        // A still has neither a length nor a frame rate. A length is whole frames: what it is short of them is noise.
        fps: recipe.fps || engine.fps,
        seconds: Math.round((recipe.seconds || engine.seconds) * 1000) / 1000,
        own: { [engine.id]: videogen.settings.raw(engine, recipe.settings) },
        partial: true,
      };
    },

    /** What of a recipe could not be asked for here, each in a sentence. */
    faultsOf(recipe) {
      const { check } = videogen.checks;
      const engine = specs().find((one) => one.id === recipe.engine);
      if (!engine) return [SAY.unknown(recipe.engine)];
      if (!engine.available) return [SAY.unavailable(engine.title, engine.reason)];
      const words = { kind: "text", min_length: null, max_length: engine.max_prompt_chars, pattern: null };
      const texts = [[SAY.prompt, recipe.prompt], [SAY.negative, recipe.negative]];
      const asked = { width: recipe.width, height: recipe.height };
      if (recipe.type === "video") Object.assign(asked, { durationSeconds: recipe.seconds, fps: recipe.fps });
      const found = Object.entries(asked)
        .filter(([name, value]) => value !== undefined && !engine.lacks.includes(name))
        .map(([name, value]) => ({ title: engine.basics[name].title, words: check(engine.basics[name], value).fault }))
        .concat(texts.map(([title, text]) => ({ title, words: check(words, text).fault })))
        .concat(videogen.settings.faultsOf(engine, videogen.settings.raw(engine, recipe.settings)))
        .filter((one) => one.words)
        .map((one) => SAY.at(one.title, one.words));
      const area = recipe.width * recipe.height;
      if (area > engine.max_pixels) found.push(SAY.pixels(engine.max_pixels, area));
      if (recipe.seed && !isSeed(engine, recipe.seed)) found.push(SAY.seed(recipe.seed));
      if (!engine.types.includes(recipe.type)) found.push(SAY.type(engine.types, recipe.type));
      return found;
    },
  };
})();

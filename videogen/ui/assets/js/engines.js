// What each engine lets one choose. The server put it into the page; switching engines asks nobody.
(() => {
  const { say } = videogen;
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
      const { check, fault, about } = videogen.checks;
      const engine = specs().find((one) => one.id === recipe.engine);
      if (!engine) return [about(say("form.engine"), fault(say("check.offered"), recipe.engine))];
      if (!engine.available) {
        return [about(say("form.engine"), fault(say("check.available", { reason: engine.reason ?? "" }), engine.title))];
      }
      const words = { kind: "text", min_length: null, max_length: engine.max_prompt_chars, pattern: null };
      const asked = { width: recipe.width, height: recipe.height };
      if (recipe.type === "video") Object.assign(asked, { durationSeconds: recipe.seconds, fps: recipe.fps });
      const found = [
        { ...check(words, recipe.prompt), title: say("form.prompt") },
        { ...check(words, recipe.negative), title: say("form.negative") },
        ...videogen.settings.faultsOf(engine, videogen.settings.raw(engine, recipe.settings)),
      ];
      for (const [name, value] of Object.entries(asked)) {
        const field = engine.basics[name];
        if (value !== undefined && !engine.lacks.includes(name)) found.push({ ...check(field, value), title: videogen.settings.title(field) });
      }
      const add = (is, key, expected, got) => is && found.push({ ...fault(expected, got), title: say(key) });
      const area = recipe.width * recipe.height;
      add(area > engine.max_pixels, "job.size", say("check.pixels", { most: engine.max_pixels }), area);
      add(recipe.seed && !isSeed(engine, recipe.seed), "form.seed", say("check.seed"), recipe.seed);
      add(!engine.types.includes(recipe.type), "form.make", say("check.type", { types: engine.types.join(", ") }), recipe.type);
      return found.filter((one) => one.fault).map((one) => about(one.title, one));
    },
  };
})();

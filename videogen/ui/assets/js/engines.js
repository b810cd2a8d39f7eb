// What each engine lets one choose. The server put it into the page; switching engines asks nobody.
(() => {
  const SHAPES = { "16:9": [16, 9], "1:1": [1, 1], "9:16": [9, 16] };
  const set = (value, more = {}) => ({ __type__: "update", ...more, ...(value === undefined ? {} : { value }) });

  function specs() {
    const node = videogen.byId("engine-forms");
    return node ? JSON.parse(node.textContent) : [];
  }

  function find(id) {
    const all = specs();
    return all.find((engine) => engine.id === id) ?? all.find((engine) => engine.available) ?? all[0];
  }

  function keep(value, offered, fallback) {
    return offered.includes(value) ? value : fallback;
  }

  function nearest(value, offered) {
    return offered.reduce((best, one) => (Math.abs(one - value) < Math.abs(best - value) ? one : best));
  }

  function updates(engine, form) {
    videogen.intake.fill(form, engine);
    const seconds = Number(form.seconds ?? engine.seconds);
    return [
      set(form.prompt ?? ""),
      set(form.negative ?? "", { visible: engine.negative }),
      set(keep(form.shape, Object.keys(SHAPES), "16:9")),
      set(keep(form.detail, engine.details, engine.details[0]), { choices: engine.detail_choices }),
      set(Math.min(engine.max_seconds, Math.max(engine.min_seconds, seconds)), {
        minimum: engine.min_seconds,
        maximum: engine.max_seconds,
      }),
      set(keep(form.fps, engine.fps_choices, engine.fps), { choices: engine.fps_choices.map((fps) => [`${fps} fps`, fps]) }),
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
      const engine = find(videogen.store.read("draft")?.form.engine);
      if (!engine) return;
      describe(engine);
      videogen.intake.offers(engine);
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
      return videogen.engines.fill({ ...form, ...videogen.intake.values() });
    },

    /** The values of the form that come closest to a generation's recipe. */
    formOf(recipe) {
      const engine = find(recipe.engine);
      const ratio = Math.log(recipe.width / recipe.height);
      const distance = ([across, down]) => Math.abs(Math.log(across / down) - ratio);
      const [shape] = Object.entries(SHAPES).reduce((best, one) => (distance(one[1]) < distance(best[1]) ? one : best));
      const short = nearest(Math.min(recipe.width, recipe.height), engine.details.map(Number));
      // A still has neither a length nor a frame rate.
      const fps = recipe.fps ? nearest(recipe.fps, engine.fps_choices) : engine.fps;
      return { ...recipe, shape, detail: String(short), fps, seconds: recipe.seconds || engine.seconds };
    },
  };
})();

// The engine's own settings, made from its schema, and a size that is typed. Plain HTML: a new engine needs no code here.
(() => {
  const { byId, text, attribute, say, checks } = videogen;
  const TITLES = {
    width: "form.width",
    height: "form.height",
    durationSeconds: "form.seconds",
    fps: "form.fps",
    seed: "form.seed",
  };
  const SIDES = ["width", "height"];
  let engine = null;
  let own = {}; // by engine, then by name: what stands in the form where it is not the default
  let size = ["", ""];
  let custom = false;
  let shape = "16:9"; // the last one that was no typed size
  let stopped = false; // whether the form says why it was not sent
  let built = null; // the engine whose fields stand on the page

  /** What has a control of its own is called as that is. */
  const title = ({ name, title: told }) => (Object.hasOwn(TITLES, name) ? say(TITLES[name]) : told);
  const mine = () => own[engine?.id] ?? {};
  const identity = (field) => `setting-${field.name}`;
  const control = (field) => byId(identity(field));

  function named(field, value) {
    if (value === null || value === undefined || value === "") return say("setting.none");
    if (field.kind === "choice") return field.choices.find(([, one]) => checks.same(one, value))?.[0] ?? String(value);
    if (field.kind === "boolean") return value ? say("setting.yes") : say("setting.no");
    return field.kind === "json" ? JSON.stringify(value) : `${value}${field.unit ? ` ${field.unit}` : ""}`;
  }

  function make(name, values, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(values)) attribute(node, key, value);
    node.append(...children);
    return node;
  }

  /** The choices of a field; the first, where there may be none, stands for null. */
  function options(field) {
    const told = field.kind === "boolean" ? [[say("setting.yes"), true], [say("setting.no"), false]] : field.choices;
    return field.optional || field.required ? [[say("setting.unset"), null], ...told] : told;
  }

  function input(field) {
    const about = { id: identity(field), "aria-describedby": `${identity(field)}-help ${identity(field)}-fault` };
    if (field.kind === "boolean" && !field.optional && !field.required) return make("input", { ...about, type: "checkbox" });
    if (field.kind === "choice" || field.kind === "boolean") {
      return make("select", about, ...options(field).map(([name], index) => make("option", { value: index }, name)));
    }
    const placeholder = field.default === null || field.default === "" ? "" : String(checks.raw(field, field.default));
    if (field.kind === "json") return make("textarea", { ...about, rows: 2, spellcheck: "false", placeholder });
    if (field.kind === "text") return make("input", { ...about, type: "text", dir: "auto", autocomplete: "off", placeholder });
    const bounds = { min: field.minimum, max: field.maximum, step: field.multiple ?? (field.kind === "integer" ? 1 : "any") };
    return make("input", { ...about, type: "number", inputmode: field.kind === "integer" ? "numeric" : "decimal", placeholder, ...bounds });
  }

  function row(field) {
    const id = identity(field);
    const node = input(field);
    const name = make("span", { class: "vg-setting-title" }, field.title);
    const unit = field.unit ? [make("span", { class: "vg-unit" }, field.unit)] : [];
    const help = [field.help, checks.bounds(field), say("setting.default", { value: named(field, field.default) })].filter(Boolean);
    if (field.required) help.pop();
    const reset = make("button", { type: "button", class: "vg-reset", "data-reset": field.name }, say("setting.reset"));
    attribute(reset, "aria-label", say("setting.reset_to", { title: title(field), value: named(field, field.default) }));
    reset.hidden = true;
    const label = make("label", { for: id }, name, ...unit);
    const check = node.type === "checkbox";
    const box = make("div", { class: "vg-setting", "data-setting": field.name, "data-kind": check ? "check" : field.kind });
    const head = make("div", { class: "vg-setting-head" }, ...(check ? [node, label] : [label]), reset);
    const words = make("p", { class: "vg-help", id: `${id}-help` }, help.join(" "));
    const said = make("p", { class: "vg-fault", id: `${id}-fault`, role: "alert" });
    box.append(head, ...(check ? [] : [node]), words, said);
    return box;
  }

  function build() {
    if (built === engine.id) return;
    built = engine.id;
    const groups = new Map();
    for (const field of engine.fields) {
      const name = field.group || say("setting.more");
      groups.set(name, [...(groups.get(name) ?? []), field]);
    }
    const sets = [...groups].map(([name, fields]) =>
      make("fieldset", { class: "vg-group" }, make("legend", {}, name), ...fields.map(row)),
    );
    byId("own-settings").replaceChildren(...sets);
  }

  /** Bring a field's control to what is set, or to the default. */
  function put(field) {
    const node = control(field);
    const set = Object.hasOwn(mine(), field.name);
    const raw = set ? mine()[field.name] : checks.raw(field, field.default);
    if (node.type === "checkbox") node.checked = raw === true;
    else if (node.tagName === "SELECT") node.selectedIndex = Math.max(0, options(field).findIndex(([, one]) => checks.same(one, raw ?? null)));
    // What cannot be shown in a field of numbers is not written over what is typed there.
    else if (raw !== checks.BAD && node.value !== String(raw)) node.value = raw;
  }

  function take(field) {
    const node = control(field);
    if (node.type === "checkbox") return node.checked;
    if (node.tagName === "SELECT") return options(field)[node.selectedIndex][1];
    return node.validity.badInput ? checks.BAD : node.value;
  }

  function tell(id, words) {
    text(`${id}-fault`, words ?? "");
    if (byId(id)) attribute(byId(id), "aria-invalid", words ? "true" : null);
  }

  function read(field) {
    return checks.read(field, Object.hasOwn(mine(), field.name) ? mine()[field.name] : undefined);
  }

  function judge(field) {
    const found = read(field);
    tell(identity(field), found.fault);
    const reset = document.querySelector(`[data-reset="${CSS.escape(field.name)}"]`);
    const changed = Object.hasOwn(mine(), field.name) && !(found.value === undefined && !found.fault);
    if (reset) reset.hidden = !changed || (!found.fault && checks.same(found.value, field.default));
    return found;
  }

  const sides = () => SIDES.map((side, index) => ({ side, field: { ...engine.basics[side], required: true, default: null, optional: false }, raw: size[index] }));

  function judgeSize() {
    const found = sides().map(({ field, raw }) => (custom ? checks.read(field, raw) : { value: null }));
    const [width, height] = found.map((one) => one.value);
    const area = custom && found.every((one) => !one.fault) ? width * height : 0;
    if (area > engine.max_pixels) found[0] = checks.fault(say("check.pixels", { most: engine.max_pixels }), area);
    SIDES.forEach((side, index) => tell(`size-${side}`, found[index].fault));
    return found;
  }

  function show() {
    if (!engine) return;
    const place = byId("own-settings");
    if (place) {
      build();
      attribute(place, "data-lacks", engine.lacks.join(" ") || null);
      place.hidden = engine.fields.length === 0;
      for (const field of engine.fields) {
        put(field);
        judge(field);
      }
    }
    const box = byId("own-size");
    if (!box) return;
    box.hidden = !custom;
    SIDES.forEach((side, index) => {
      const node = byId(`size-${side}`);
      const field = engine.basics[side];
      if (node.value !== size[index] && size[index] !== checks.BAD) node.value = size[index];
      for (const [name, value] of [["min", field.minimum], ["max", field.maximum], ["step", field.multiple ?? 1]]) attribute(node, name, value);
    });
    if (custom) judgeSize();
  }

  /** What was typed a moment ago, before anything else looks at it. */
  function typed(event) {
    const side = SIDES.findIndex((name) => event.target.id === `size-${name}`);
    if (side >= 0) {
      size = size.map((one, index) => (index === side ? (event.target.validity.badInput ? checks.BAD : event.target.value) : one));
      judgeSize();
      return mended();
    }
    const name = event.target.closest?.("[data-setting]")?.dataset.setting;
    const field = engine?.fields.find((one) => one.name === name);
    if (!field) return undefined;
    own = { ...own, [engine.id]: { ...mine(), [field.name]: take(field) } };
    judge(field);
    return mended();
  }

  /** What was said of the whole form is over once nothing is wrong any more. */
  function mended() {
    if (!stopped || videogen.settings.faults().length) return;
    stopped = false;
    text("form-error", "");
  }

  function reset(event) {
    const name = event.target.closest?.("[data-reset]")?.dataset.reset;
    const field = engine?.fields.find((one) => one.name === name);
    if (!field) return;
    const { [field.name]: _gone, ...rest } = mine();
    own = { ...own, [engine.id]: rest };
    if (control(field).validity.badInput) control(field).value = "";
    put(field);
    judge(field);
    mended();
    control(field).focus();
    videogen.act("draft");
  }

  document.addEventListener("input", typed);
  document.addEventListener("click", reset);
  // Before Gradio hears of it: what cannot be sent is said, and not sent.
  document.addEventListener(
    "click",
    (event) => {
      if (!event.target.closest?.("#generate")) return;
      const first = videogen.settings.faults()[0];
      if (!first) return;
      event.stopImmediatePropagation();
      event.preventDefault();
      stopped = true;
      text("form-error", checks.about(first.title, first));
      byId(first.id)?.focus({ preventScroll: true });
      // In the middle: on a phone the lower end is under the button.
      byId(first.id)?.scrollIntoView({ block: "center" });
    },
    true,
  );

  videogen.settings = {
    named,
    title,

    /** What stands in the form, as part of the draft. */
    values() {
      return { own, size };
    },

    /** What is sent: what was set, and the size that was typed. */
    wishes() {
      const settings = {};
      for (const field of engine?.fields ?? []) {
        const found = read(field);
        // What is no value at all is sent as it was typed: the API says what is wrong with it.
        const value = found.fault && found.value === undefined ? mine()[field.name] : found.value;
        if (value !== undefined) settings[field.name] = value === checks.BAD ? null : value;
      }
      return { settings, ...(custom ? { size: judgeSize().map((one) => one.value ?? null) } : {}) };
    },

    /** Everything in the form that cannot be sent: `{id, title, fault, expected, got}`. */
    faults() {
      if (!engine) return [];
      const found = judgeSize().map((one, index) => ({ ...one, id: `size-${SIDES[index]}`, title: say(TITLES[SIDES[index]]) }));
      for (const field of engine.fields) found.push({ ...judge(field), id: identity(field), title: title(field) });
      return found.filter((one) => one.fault);
    },

    /** What the API found wrong, by the names of the settings, said at the fields. */
    refused(faults) {
      for (const [name, words] of Object.entries(faults ?? {})) {
        tell(SIDES.includes(name) ? `size-${name}` : `setting-${name}`, words);
      }
    },

    /** A recipe's settings as they stand in the form; only what the engine has is taken. */
    raw(of, settings) {
      const plain = (name) => name.replaceAll("_", "").toLowerCase();
      // A recipe inside a file has Python's names, the API's has those of the schema.
      const known = new Map(Object.keys(settings ?? {}).map((name) => [plain(name), settings[name]]));
      const has = of.fields.filter((field) => known.has(plain(field.name)));
      return Object.fromEntries(has.map((field) => [field.name, checks.raw(field, known.get(plain(field.name)))]));
    },

    /** A recipe's settings against their fields: what this engine would not take. */
    faultsOf(of, raw) {
      const read = (field) => checks.read(field, Object.hasOwn(raw, field.name) ? raw[field.name] : undefined);
      return of.fields.map((field) => ({ ...read(field), title: title(field) })).filter((one) => one.fault);
    },

    /** Shape and detail, or a width and a height that are typed. */
    shaped(form) {
      const was = custom;
      custom = form.shape === "custom";
      if (custom && !was && engine && size.every((one) => one === "")) {
        const known = engine.sizes[shape]?.[form.detail] ?? engine.sizes["16:9"][engine.details[0]];
        size = known.map(String);
      }
      if (!custom) shape = form.shape;
      if (custom !== was) show();
    },

    fill(form, chosen) {
      engine = chosen;
      own = form.partial ? { ...own, ...form.own } : { ...form.own };
      if (Array.isArray(form.size) && form.size.length === 2) size = form.size.map((one) => String(one ?? ""));
      custom = form.shape === "custom";
      show();
    },

    mounted() {
      built = null;
      show();
    },
  };
})();

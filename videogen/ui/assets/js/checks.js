// What a setting may be, by the engine's own description of it: from what was typed to a value, or to what is wrong.
// The API checks again; this says it earlier.
(() => {
  const { say } = videogen;
  const BAD = "\u0000"; // what a number field holds, and does not tell

  const letters = (count) => say("check.letters", { count });
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function shown(value) {
    if (value === BAD) return say("check.something");
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
    return text.length > 60 ? `${text.slice(0, 57)}…` : text;
  }

  /** What is wrong; the value goes along, where there is one, since the API is to have the last word. */
  const fault = (expected, wrong, value) => {
    const got = shown(wrong);
    return { fault: say("form.expected_got", { expected, got }), expected, got, value };
  };

  function bounded(field, value) {
    if (field.minimum !== null && value < field.minimum) return fault(say("check.least", { bound: String(field.minimum) }), value, value);
    if (field.above !== null && value <= field.above) return fault(say("check.above", { bound: String(field.above) }), value, value);
    if (field.maximum !== null && value > field.maximum) return fault(say("check.most", { bound: String(field.maximum) }), value, value);
    if (field.below !== null && value >= field.below) return fault(say("check.below", { bound: String(field.below) }), value, value);
    if (field.multiple) {
      const steps = value / field.multiple;
      if (Math.abs(steps - Math.round(steps)) > 1e-9) return fault(say("check.multiple", { step: String(field.multiple) }), value, value);
    }
    return { value };
  }

  function number(field, value, got) {
    const whole = field.kind === "integer";
    if (typeof value !== "number" || !Number.isFinite(value)) return fault(whole ? say("check.whole") : say("check.number"), got);
    if (whole && !Number.isSafeInteger(value)) return fault(say("check.whole"), got);
    return bounded(field, value);
  }

  function matches(pattern, value) {
    try {
      return new RegExp(pattern, "u").test(value);
    } catch {
      return true; // written for another kind of machine: the API knows
    }
  }

  function words(field, value) {
    const count = [...value].length;
    // eslint-disable-next-line no-control-regex
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(value) || !(value.isWellFormed?.() ?? true)) {
      return fault(say("check.control"), say("check.others"), value);
    }
    if (field.min_length !== null && count < field.min_length) return fault(say("check.least", { bound: letters(field.min_length) }), count, value);
    if (field.max_length !== null && count > field.max_length) return fault(say("check.most", { bound: letters(field.max_length) }), count, value);
    if (field.pattern && !matches(field.pattern, value)) return fault(say("check.pattern", { pattern: field.pattern }), value, value);
    return { value };
  }

  /** A value, as JSON knows it, against its field: `{value}` or `{fault}`. */
  function check(field, value) {
    if (value === null && field.optional) return { value };
    switch (field.kind) {
      case "integer":
      case "number":
        return number(field, value, value);
      case "boolean":
        return typeof value === "boolean" ? { value } : fault(say("check.boolean"), value);
      case "choice": {
        const found = field.choices.find(([, one]) => same(one, value));
        return found ? { value: found[1] } : fault(say("check.choice", { names: field.choices.map(([name]) => name).join(", ") }), value, value);
      }
      case "text":
        return typeof value === "string" ? words(field, value) : fault(say("check.text"), value);
      default:
        return { value };
    }
  }

  function parsed(field, text) {
    if (field.kind === "text") return check(field, text);
    if (field.kind === "json") {
      try {
        return { value: JSON.parse(text) };
      } catch {
        return fault(say("check.json"), text);
      }
    }
    if (text === BAD) return number(field, NaN, BAD);
    return number(field, /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN, text);
  }

  videogen.checks = {
    BAD,
    same,
    check,
    fault,

    /** What is wrong with a field, in a sentence that names it. */
    about: (title, { expected, got }) => say("form.expected", { field: title, expected, got }),

    /** What stands in the form: `{value}`, where undefined leaves it to the engine, or `{fault}`. */
    read(field, raw) {
      const typed = ["integer", "number", "text", "json"].includes(field.kind);
      const empty = raw === undefined || (typed && String(raw).trim() === "" && (field.kind !== "text" || field.optional));
      if (empty) {
        if (raw !== undefined && field.optional && field.default !== null) return { value: null };
        return field.required && !field.optional ? fault(say("check.value"), say("form.nothing")) : { value: undefined };
      }
      return typed ? parsed(field, field.kind === "text" ? String(raw) : String(raw).trim()) : check(field, raw);
    },

    /** A value as it stands in the form. */
    raw(field, value) {
      if (field.kind === "choice" || field.kind === "boolean") return value;
      if (value === null || value === undefined) return "";
      return field.kind === "json" ? JSON.stringify(value) : String(value);
    },

    /** The bounds of a field in words, or nothing. */
    bounds(field) {
      const low = field.minimum ?? null;
      const high = field.maximum ?? null;
      const told = [];
      if (low !== null && high !== null) told.push(say("check.between", { least: String(low), most: String(high) }));
      else if (low !== null) told.push(say("check.least", { bound: String(low) }));
      else if (high !== null) told.push(say("check.most", { bound: String(high) }));
      if (field.above !== null) told.push(say("check.above", { bound: String(field.above) }));
      if (field.below !== null) told.push(say("check.below", { bound: String(field.below) }));
      if (field.multiple && field.multiple !== 1) told.push(say("check.multiple", { step: String(field.multiple) }));
      if (field.max_length !== null) told.push(say("check.most", { bound: letters(field.max_length) }));
      const text = told.join(", ");
      return text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "";
    },
  };
})();

// What a setting may be, by the engine's own description of it: from what was typed to a value, or to what is wrong.
// The API checks again; this says it earlier, and in the same words.
(() => {
  const SAY = {
    whole: "a whole number",
    number: "a number",
    boolean: "true or false",
    text: "text",
    json: "valid JSON",
    value: "a value",
    nothing: "nothing",
    least: (bound) => `at least ${bound}`,
    most: (bound) => `at most ${bound}`,
    above: (bound) => `more than ${bound}`,
    below: (bound) => `less than ${bound}`,
    between: (least, most) => `${least} to ${most}`,
    multiple: (step) => `a multiple of ${step}`,
    letters: (count) => `${count} characters`,
    form: (pattern) => `text of the form ${pattern}`,
    choice: (names) => `one of ${names.join(", ")}`,
    expected: (expected, got) => `Expected ${expected}, got ${got}.`,
    control: "text without control characters",
  };
  const BAD = "\u0000"; // what a number field holds, and does not tell

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function shown(value) {
    if (value === BAD) return "something else";
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
    return text.length > 60 ? `${text.slice(0, 57)}…` : text;
  }

  /** What is wrong; the value goes along, where there is one, since the API is to have the last word. */
  const fault = (expected, got, value) => ({ fault: SAY.expected(expected, shown(got)), value });

  function bounded(field, value) {
    if (field.minimum !== null && value < field.minimum) return fault(SAY.least(field.minimum), value, value);
    if (field.above !== null && value <= field.above) return fault(SAY.above(field.above), value, value);
    if (field.maximum !== null && value > field.maximum) return fault(SAY.most(field.maximum), value, value);
    if (field.below !== null && value >= field.below) return fault(SAY.below(field.below), value, value);
    if (field.multiple) {
      const steps = value / field.multiple;
      if (Math.abs(steps - Math.round(steps)) > 1e-9) return fault(SAY.multiple(field.multiple), value, value);
    }
    return { value };
  }

  function number(field, value, got) {
    const whole = field.kind === "integer";
    if (typeof value !== "number" || !Number.isFinite(value)) return fault(whole ? SAY.whole : SAY.number, got);
    if (whole && !Number.isSafeInteger(value)) return fault(SAY.whole, got);
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
      return fault(SAY.control, "others", value);
    }
    if (field.min_length !== null && count < field.min_length) return fault(SAY.least(SAY.letters(field.min_length)), count, value);
    if (field.max_length !== null && count > field.max_length) return fault(SAY.most(SAY.letters(field.max_length)), count, value);
    if (field.pattern && !matches(field.pattern, value)) return fault(SAY.form(field.pattern), value, value);
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
        return typeof value === "boolean" ? { value } : fault(SAY.boolean, value);
      case "choice": {
        const found = field.choices.find(([, one]) => same(one, value));
        return found ? { value: found[1] } : fault(SAY.choice(field.choices.map(([name]) => name)), value, value);
      }
      case "text":
        return typeof value === "string" ? words(field, value) : fault(SAY.text, value);
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
        return fault(SAY.json, text);
      }
    }
    if (text === BAD) return number(field, NaN, BAD);
    return number(field, /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN, text);
  }

  videogen.checks = {
    BAD,
    same,
    check,

    /** What stands in the form: `{value}`, where undefined leaves it to the engine, or `{fault}`. */
    read(field, raw) {
      const typed = ["integer", "number", "text", "json"].includes(field.kind);
      const empty = raw === undefined || (typed && String(raw).trim() === "" && (field.kind !== "text" || field.optional));
      if (empty) {
        if (raw !== undefined && field.optional && field.default !== null) return { value: null };
        return field.required && !field.optional ? fault(SAY.value, SAY.nothing) : { value: undefined };
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
      if (low !== null && high !== null) told.push(SAY.between(low, high));
      else if (low !== null) told.push(SAY.least(low));
      else if (high !== null) told.push(SAY.most(high));
      if (field.above !== null) told.push(SAY.above(field.above));
      if (field.below !== null) told.push(SAY.below(field.below));
      if (field.multiple && field.multiple !== 1) told.push(SAY.multiple(field.multiple));
      if (field.max_length !== null) told.push(SAY.most(SAY.letters(field.max_length)));
      const text = told.join(", ");
      return text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "";
    },
  };
})();

// What scripts say, in the language of the document: the server has put the texts that they need into it.
window.videogen ??= {};
(() => {
  const language = document.documentElement.lang || "en";
  // Whole numbers, or tenths: as the server writes them.
  const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1, roundingMode: "halfEven" });
  const plurals = new Intl.PluralRules(language);
  let told = null;

  function texts() {
    told ??= JSON.parse(document.getElementById("words").textContent);
    return told;
  }

  const shown = (value) => (typeof value === "number" ? numbers.format(value) : String(value));

  Object.assign(window.videogen, {
    language,

    /** A text with its placeholders filled in; `count` chooses its plural form. */
    say(key, values = {}) {
      const found = texts()[key];
      const text = typeof found === "object" ? (found[plurals.select(values.count)] ?? found.other) : found;
      return text.replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
    },

    /** An error of the API for people: its own words in its own language, else those of its code, where known. */
    problem(told) {
      const known = language !== "en" && `error.${told.code}` in texts();
      return known ? videogen.say(`error.${told.code}`) : told.detail;
    },
  });
})();

// Texts in the language of the document, which holds those that the script needs.
const texts = JSON.parse(document.getElementById("words").textContent);
const language = document.documentElement.lang || "en";
const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1, roundingMode: "halfEven" });
const plurals = new Intl.PluralRules(language);

/** A text with its placeholders filled in; `count` chooses its plural form. */
function gettext(key, values = {}) {
  const text = typeof texts[key] === "object" ? (texts[key][plurals.select(values.count)] ?? texts[key].other) : texts[key];
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? numbers.format(values[name]) : values[name]));
}
/** An error of the API: its own words in its own language, else those of its code, where known. */
const problem = ({ code, detail }) => (language !== "en" && `error.${code}` in texts ? gettext(`error.${code}`) : detail);

// What this browser keeps; where that is forbidden, as long as the page.
videogen.random = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
let lasting = true;
try {
  if (!stored("browser")) store("browser", videogen.random());
} catch {
  lasting = false;
  const kept = new Map([["videogen-browser", '"alone"']]);
  const [getItem, setItem] = [(name) => kept.get(name) ?? null, (name, text) => kept.set(name, `${text}`)];
  const value = { getItem, setItem, removeItem: (name) => kept.delete(name) };
  for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { value });
}
on("choices", (choices) => (store("choices", choices), (document.documentElement.dataset.theme = choices.theme)));
videogen.presets = () => localStorage.getItem("videogen.presets");
on("presets", (text) => {
  if (!text) return;
  try {
    localStorage.setItem("videogen.presets", text);
  } catch {
    lasting = false;
  }
  if (!lasting) act("presets-refused");
});
listen("storage", ({ key, newValue }) => key === "videogen.presets" && act("presets", { kept: newValue ?? "" }));

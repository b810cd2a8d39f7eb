// What this browser keeps; where that is forbidden, as long as the page.
try {
  if (!stored("browser")) store("browser", random());
} catch {
  const kept = { "videogen.browser": '"alone"' };
  const value = {
    fleeting: true,
    getItem: (name) => kept[name] ?? null,
    setItem: (name, text) => void (kept[name] = `${text}`),
    removeItem: (name) => delete kept[name],
  };
  for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { value });
}
on("choices", (choices) => (store("choices", choices), (document.documentElement.dataset.theme = choices.theme)));
on("presets", (list) => list && !store("presets", list) && act("presets-refused"));
listen("storage", ({ key, newValue }) => key === "videogen.presets" && act("presets", { kept: newValue ?? "" }));

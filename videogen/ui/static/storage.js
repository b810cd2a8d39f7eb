// What this browser keeps for the page. Gradio would not start without a storage: where it is forbidden, what is stored
// lives as long as the page.
let lasting = true;
try {
  localStorage.length;
} catch {
  lasting = false;
  const kept = new Map();
  const value = {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => kept.set(name, String(text)),
    removeItem: (name) => kept.delete(name),
  };
  for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { value });
}
Object.assign(videogen, {
  stored(name) {
    try {
      return JSON.parse(localStorage.getItem(`videogen-${name}`));
    } catch {
      return null;
    }
  },
  store(name, value) {
    try {
      localStorage.setItem(`videogen-${name}`, JSON.stringify(value));
    } catch {
      // It is full.
    }
  },
  random: () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
});
if (lasting && !videogen.stored("browser")) videogen.store("browser", videogen.random());
// Under this name the server counts the tabs of one browser.
videogen.browser = (lasting && videogen.stored("browser")) || "alone";

// What this browser keeps. Gradio does not start where that is forbidden: there, it lasts as long as the page.
{
  let lasting = true;
  try {
    localStorage.length;
  } catch {
    lasting = false;
    const kept = new Map();
    const setItem = (name, text) => kept.set(name, String(text));
    const value = { getItem: (name) => kept.get(name) ?? null, setItem, removeItem: (name) => kept.delete(name) };
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { value });
  }
  const bytes = () => [...crypto.getRandomValues(new Uint8Array(16))];
  videogen.random = () => bytes().map((byte) => byte.toString(16).padStart(2, "0")).join("");
  videogen.stored = (name) => JSON.parse(localStorage.getItem(`videogen-${name}`));
  videogen.store = (name, value) => {
    try {
      localStorage.setItem(`videogen-${name}`, JSON.stringify(value));
    } catch {} // It is full.
  };
  // Under this name the server counts the tabs of one browser.
  if (lasting && !videogen.stored("browser")) videogen.store("browser", videogen.random());
  videogen.browser = videogen.stored("browser") ?? "alone";
}

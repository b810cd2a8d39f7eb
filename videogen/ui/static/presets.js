// A person's own presets are kept in this browser's storage; its other tabs hear of a change.
videogen.presets = () => localStorage.getItem("videogen.presets");
videogen.on("presets", (text) => {
  if (!text) return;
  try {
    localStorage.setItem("videogen.presets", text);
  } catch {
    lasting = false; // it is full
  }
  if (!lasting) videogen.send("act", { do: "presets-refused" });
});
window.addEventListener("storage", (event) => event.key === "videogen.presets" && videogen.send("act", { do: "presets", kept: event.newValue ?? "" }));
// The form has changed: half a second after the last change Python explains it. A new watcher does not know it yet.
videogen.changed = () => (clearTimeout(videogen.pause), (videogen.pause = setTimeout(() => videogen.send("explain"), 500)));
videogen.on("frame", (frame, before) => frame < before && videogen.changed());

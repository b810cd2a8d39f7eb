// The stage is silent where there is no sound, still for who wants no motion, and gets a new link for one that expired.
let renewed = -Infinity;
listen("loadeddata|load|error", ({ target, type }) => {
  if (!target.matches?.("#result-video video, #job-preview")) return;
  target.muted = !$("#job-status[data-sound]");
  if (type === "loadeddata" && matchMedia("(prefers-reduced-motion: reduce)").matches) setTimeout(() => target.pause());
  target.hidden = type === "error" && target.matches("img");
  if (type !== "error" || performance.now() - renewed < 30_000) return;
  renewed = performance.now();
  act("renew", $("#job-status").dataset);
}, true);

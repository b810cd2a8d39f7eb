// The stage's video and picture: silent, still for who wants no motion, and with a new link where one has expired.
{
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const places = (name) => (/down$/.test(name) ? "#result-video" : "#result-video video, #job-preview");
  const wanted = (event) => event.target.closest?.(places(event.type));
  let touched = false; // somebody has used the player of this video
  let renewed = -Infinity;
  const act = {
    pointerdown: () => (touched = true),
    keydown: () => (touched = true),
    loadeddata: (media) => ((media.muted = true), (touched = false)),
    play: (media) => calm.matches && !touched && media.pause(),
    load: (media) => (media.hidden = false),
    error: (media) => {
      if (media.matches("img")) media.hidden = true;
      if (performance.now() - renewed < 30_000) return;
      renewed = performance.now();
      videogen.send("act", { do: "renew", generationId: document.getElementById("job-status").dataset.generationId });
    },
  };
  for (const [name, run] of Object.entries(act)) {
    document.addEventListener(name, (event) => wanted(event) && run(event.target), true);
  }
}

// The stage's video and picture: silent, still for who wants no motion, and with a new link where one has expired.
{
  let renewed = -Infinity;
  const act = {
    loadeddata: (media) => {
      media.muted = true;
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) setTimeout(() => media.pause()); // Gradio plays it
    },
    load: (media) => (media.hidden = false),
    error: (media) => {
      media.hidden = media.matches("img");
      if (performance.now() - renewed < 30_000) return;
      renewed = performance.now();
      videogen.send("act", { do: "renew", generationId: document.getElementById("job-status").dataset.generationId });
    },
  };
  const onStage = ({ target, type }) => target.matches?.("#result-video video, #job-preview") && act[type](target);
  for (const name in act) document.addEventListener(name, onStage, true);
}

// Around Gradio's player: the poster stays until the video can be seen, and a link that ran out is renewed.
(() => {
  const stage = () => videogen.byId("stage");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  let playing = null;
  let renewed = -Infinity;
  let asked = false; // somebody has touched the player of this video

  function inPlayer(event) {
    return event.target instanceof HTMLVideoElement && event.target.closest("#result-video") !== null;
  }

  document.addEventListener("loadstart", (event) => inPlayer(event) && stage().removeAttribute("data-ready"), true);
  document.addEventListener(
    "loadeddata",
    (event) => {
      if (!inPlayer(event)) return;
      stage().setAttribute("data-ready", "true");
      asked = false;
      if (calm.matches) event.target.pause();
    },
    true,
  );
  // Whoever wants no motion starts a video themselves; Gradio would start it anyway.
  for (const name of ["pointerdown", "keydown"]) {
    document.addEventListener(name, (event) => event.target.closest?.("#result-video") && (asked = true), true);
  }
  document.addEventListener("play", (event) => inPlayer(event) && calm.matches && !asked && event.target.pause(), true);
  document.addEventListener(
    "error",
    (event) => {
      const job = videogen.stage.job;
      if (!inPlayer(event) || !job?.video || performance.now() - renewed < 30_000) return;
      renewed = performance.now();
      videogen.act("choose", { id: job.id });
    },
    true,
  );

  videogen.player = {
    play(url) {
      if (url === playing) return;
      playing = url;
      videogen.act("play");
    },

    /** What Gradio's player takes: a file that is already where the browser can reach it. */
    value() {
      return playing === null ? null : { path: playing, url: playing, meta: { _type: "gradio.FileData" } };
    },
  };
})();

// Plays compared videos in step. One clock leads; a shorter one stands at its end; while one has no picture, all wait.
{
  const LAST = 0.04; // seconds before its end a video still shows a picture
  const DIGITS = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const part = (name) => document.getElementById(`compare-${name}`);
  let [at, last, playing, turns] = [0, 0, false, 0]; // seconds, milliseconds

  function turn(mine) {
    if (mine !== turns) return;
    requestAnimationFrame(() => turn(mine));
    const videos = [...document.querySelectorAll("#compare-panes video")].filter((video) => video.duration);
    const length = Math.max(0, ...videos.map((video) => video.duration));
    if (!length) return;
    const due = (video) => playing && at < video.duration - LAST;
    const waits = videos.some((video) => due(video) && (video.seeking || video.readyState < 3));
    if (playing && !waits) at += (performance.now() - last) / 1000;
    last = performance.now();
    if (at >= length) [at, playing] = part("loop").checked ? [0, playing] : [length, false];
    for (const video of videos) {
      const plays = due(video) && !waits;
      const drift = video.currentTime - Math.max(0, Math.min(at, video.duration - LAST));
      if (plays && video.paused) video.play().catch(({ name }) => (playing &&= name !== "NotAllowedError"));
      else if (!plays) video.pause();
      if (Math.abs(drift) > (plays ? 0.25 : 0.02) && !video.seeking) video.currentTime -= drift;
      else video.playbackRate = Math.abs(drift) < 0.02 ? 1 : 1 - Math.max(-0.1, Math.min(drift, 0.1));
    }
    part("play").setAttribute("aria-pressed", playing);
    Object.assign(part("seek"), { max: length, value: at });
    const digits = [at, length].map((one) => one.toLocaleString(document.documentElement.lang, DIGITS));
    part("time").textContent = digits.join(" / ");
    part("seek").setAttribute("aria-valuetext", part("time").textContent);
  }

  videogen.on("compare", (ids) => {
    [at, turns, playing] = [0, turns + 1, !matchMedia("(prefers-reduced-motion: reduce)").matches];
    if (ids) turn(turns);
  });
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.("#compare-play")) return;
    if (at >= Number(part("seek").max)) at = 0;
    playing = !playing;
  });
  document.addEventListener("input", ({ target }) => target.id === "compare-seek" && (at = Number(target.value)));
}

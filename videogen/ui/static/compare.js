// Plays compared videos in step. One clock leads; a shorter one stands at its end; while one has no picture, all wait.
{
  const LAST = 0.04; // seconds before its end a video still shows a picture
  const part = (name) => document.getElementById(`compare-${name}`);
  let [at, last, playing, turns] = [0, 0, false, 0]; // seconds, milliseconds
  const one = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const digits = (seconds) => seconds.toLocaleString(document.documentElement.lang, one);
  const toggle = (on = !playing) => (playing = on);

  function turn(mine) {
    if (mine !== turns) return;
    requestAnimationFrame(() => turn(mine));
    const videos = [...document.querySelectorAll("#compare-panes video")].filter((video) => video.duration);
    if (!videos.length) return;
    const length = Math.max(...videos.map((video) => video.duration));
    const now = performance.now();
    const due = (video) => playing && at < video.duration - LAST;
    const waits = videos.some((video) => due(video) && (video.seeking || video.readyState < 3));
    if (playing && !waits) at += (now - last) / 1000;
    last = now;
    if (at >= length) [at, playing] = part("loop").checked ? [0, playing] : [length, false];
    for (const video of videos) {
      const plays = due(video) && !waits;
      const drift = video.currentTime - Math.max(0, Math.min(at, video.duration - LAST));
      if (plays && video.paused) video.play().catch((refusal) => refusal.name === "NotAllowedError" && toggle(false));
      else if (!plays) video.pause();
      if (Math.abs(drift) > (plays ? 0.25 : 0.02) && !video.seeking) video.currentTime -= drift;
      else video.playbackRate = Math.abs(drift) < 0.02 ? 1 : 1 - Math.max(-0.1, Math.min(drift, 0.1));
    }
    part("play").setAttribute("aria-pressed", playing);
    Object.assign(part("seek"), { max: length, value: at });
    part("time").textContent = `${digits(at)} / ${digits(length)}`;
    part("seek").setAttribute("aria-valuetext", part("time").textContent);
  }

  videogen.on("compare", (ids) => {
    [at, turns, playing] = [0, turns + 1, !matchMedia("(prefers-reduced-motion: reduce)").matches];
    if (ids) turn(turns);
  });
  document.addEventListener("click", (event) => event.target.closest?.("#compare-play") && toggle());
  document.addEventListener("input", ({ target }) => target.id === "compare-seek" && (at = Number(target.value)));
}

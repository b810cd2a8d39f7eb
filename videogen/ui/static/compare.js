// Plays videos in step with the longest; a shorter one stands at its end; all wait for each other.
const LAST = 0.04; // seconds before its end a video still shows a picture
const DIGITS = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
const part = (name) => $(`#compare-${name}`);
const loaded = () => all("#compare-panes video").filter((one) => one.duration).sort((a, b) => b.duration - a.duration);
let playing = false;

function turn() {
  if (!signals.compare) return;
  requestAnimationFrame(turn);
  const videos = loaded();
  const lead = videos[0];
  if (!lead) return;
  playing &&= !lead.ended; // its event comes a frame later
  const at = lead.currentTime;
  const due = (video) => playing && at < video.duration - LAST;
  const waits = videos.some((video) => due(video) && (video.seeking || video.readyState < 3));
  lead.loop = part("loop").checked;
  for (const video of videos) {
    const plays = video === lead ? playing && !waits : due(video) && !waits;
    if (!plays) video.pause();
    else if (video.paused) video.play().catch(({ name }) => (playing &&= name !== "NotAllowedError"));
    const place = video === lead ? at : Math.min(at, video.duration - LAST);
    if (Math.abs(video.currentTime - place) > (plays ? 0.1 : 0.02) && !video.seeking) video.currentTime = place;
  }
  part("play").setAttribute("aria-pressed", playing);
  Object.assign(part("seek"), { max: lead.duration, value: at });
  const digits = [at, lead.duration].map((one) => one.toLocaleString(document.documentElement.lang, DIGITS));
  part("time").textContent = digits.join(" / ");
  part("seek").setAttribute("aria-valuetext", part("time").textContent);
}

on("compare", (ids, before) => {
  playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!before) turn();
});
onClick("#compare-play", () => ((playing = !playing), loaded()[0].ended && (loaded()[0].currentTime = 0)));
listen("input", ({ target }) => target.id === "compare-seek" && (loaded()[0].currentTime = target.value));

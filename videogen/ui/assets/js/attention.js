// For those who look elsewhere: the tab's title and its icon say how far it is, and an end is passed on.
(() => {
  const { say } = videogen;
  const NAME = "videogen";
  const STEP = 5; // percent between two pictures of the icon
  const SIZE = 32;
  const LATER = 200;
  const known = new Set();
  let mark = null;
  let room = null;
  let drawn = null;
  let later = null;
  let plain = null;

  function short(prompt, length = 40) {
    return prompt.length > length ? `${prompt.slice(0, length - 1).trimEnd()}…` : prompt;
  }

  /** How far everything is together, in whole percent; what waits is at its beginning. */
  function percent(active) {
    return Math.floor(active.reduce((sum, item) => sum + item.progress, 0) / active.length);
  }

  function working(active) {
    const [first] = active;
    const prompt = short(first.prompt);
    const running = active.some((item) => item.status === "processing");
    if (running && active.length > 1) return say("tab.several", { percent: percent(active), number: active.length });
    if (running) return say("tab.one", { percent: percent(active), prompt });
    if (first.place === null) return say("tab.waiting", { prompt });
    return say(active.length > 1 ? "tab.several_wait" : "tab.place", { place: first.place, prompt, number: active.length });
  }

  function title() {
    const active = room?.active ?? [];
    if (active.length) return mark ? say("tab.marked", { title: working(active) }) : working(active);
    if (mark) return say(mark.status === "completed" ? "tab.done" : "tab.failed", { prompt: short(mark.prompt) });
    return NAME;
  }

  function show() {
    window.clearTimeout(later);
    later = null;
    const words = title();
    if (document.title !== words) document.title = words;
    const active = room?.active ?? [];
    icon(active.some((item) => item.status === "processing") ? percent(active) : mark ? 100 : null);
  }

  function icon(done) {
    const step = done === null ? null : Math.floor(done / STEP) * STEP;
    if (step === drawn) return;
    drawn = step;
    const link = document.querySelector('link[rel="icon"]');
    if (!link) return;
    plain ??= link.href;
    link.href = step === null ? plain : picture(step);
  }

  /** A ring that fills. The icons of a tab know no theme, so that it stands on a ground of its own. */
  function picture(done) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIZE;
    const ink = canvas.getContext("2d");
    const arc = (colour, part) => {
      ink.strokeStyle = colour;
      ink.beginPath();
      ink.arc(SIZE / 2, SIZE / 2, SIZE / 2 - 6, -Math.PI / 2, Math.PI * (2 * part - 0.5));
      ink.stroke();
    };
    ink.fillStyle = "#191613";
    ink.beginPath();
    ink.roundRect(0, 0, SIZE, SIZE, 8);
    ink.fill();
    ink.lineWidth = 5;
    arc("#4a423a", 1);
    arc(done >= 100 ? "#7fce97" : "#ff8a5b", Math.max(done, 2) / 100);
    return canvas.toDataURL("image/png");
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    mark = null; // it has been looked at
    show();
  });

  videogen.attention = {
    /** What the room says: the title follows, and what has just ended is passed on, once. */
    apply(told) {
      room = told;
      for (const item of told.ended ?? []) {
        if (known.has(item.id)) continue;
        known.add(item.id);
        videogen.attention.ended(item);
      }
      // Not in the way of what is shown on the page: drawing an icon takes longer than all of that.
      later ??= window.setTimeout(show, LATER);
    },

    /** One of this session's has ended: `{id, status, prompt, at}`. */
    ended(item) {
      known.add(item.id);
      if (item.status === "cancelled") return;
      if (document.hidden) mark = item;
      videogen.away.ended(item);
      videogen.alerts.ended(item);
    },

    knows: (id) => known.has(id),
    short,
  };
})();

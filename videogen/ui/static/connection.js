// The connection, as this browser knows it: frames that arrive are the truth, and `navigator.onLine` is none.
{
  const SILENCE = 9000; // milliseconds; a frame comes every four seconds at least
  const BEAT = 5000; // the same, where the clock may have stood still
  const START = 8000; // until a watcher's first frame
  let state = "reconnecting";
  let heard = performance.now();
  let due = heard + START; // when silence begins to count
  let attempts = 0;
  let probing = false;

  function show(next) {
    document.documentElement.dataset.connection = state = next;
    for (const node of document.querySelectorAll("#connection")) {
      if (node.dataset.state === next) continue;
      node.dataset.state = next;
      node.textContent = node.dataset[next];
    }
  }

  /** As many at once as the browser may hold kept-alive connections: all may be as dead as the stream. */
  async function answers() {
    const options = { cache: "no-store", signal: AbortSignal.timeout(2000) };
    const ask = () => fetch(`${videogen.root()}/healthz`, options).then((answer) => answer.ok || Promise.reject());
    return Promise.any(Array.from({ length: 6 }, ask)).catch(() => false);
  }

  function start() {
    show("reconnecting");
    due = performance.now() + START;
    videogen.send("connect", {});
  }

  /** Where nothing is heard, begin again: first with another watcher, then with another document. */
  async function check() {
    if (state === "paused" || probing || performance.now() < due) return;
    if (state === "live") show("reconnecting");
    videogen.hangUp?.();
    probing = true;
    // Those of the first round that were dead are closed then.
    const alive = (await answers()) || (await answers());
    probing = false;
    if (!alive) return show("offline");
    const reload = videogen.trigger ? attempts++ && !document.hidden && !videogen.refused : state === "offline";
    if (reload) location.reload();
    else if (videogen.trigger) start();
  }

  const doubt = (since) => ((due = Math.min(due, since)), check());
  const wake = () => document.hidden || (state === "paused" ? start() : doubt(heard + BEAT));

  videogen.on("frame", () => {
    heard = performance.now();
    due = heard + SILENCE;
    attempts = 0;
    show(videogen.signals.link);
    if (state !== "paused") videogen.outbox.flush();
  });
  videogen.on("build", (build, before) => before && location.reload());
  videogen.ended = () => doubt(0);
  window.addEventListener("offline", () => doubt(0));
  window.addEventListener("pageshow", (event) => event.persisted && doubt(0));
  document.addEventListener("visibilitychange", wake);
  for (const kind of ["focus", "pointerdown", "keydown"]) {
    window.addEventListener(kind, () => {
      if (state === "paused") start();
      else if (kind === "focus" && state === "live") videogen.send("act", {});
    });
  }
  setInterval(check, 1000);
}

// The connection, as this browser itself knows it: frames that arrive are the truth, and `navigator.onLine` is none.
{
  const SILENCE = 9000; // milliseconds; a frame comes every four seconds at least
  const BEAT = 5000;
  const START = 8000; // until the first frame of a watcher that was started
  let state = "reconnecting";
  let due = performance.now() + START; // when silence begins to count
  let heard = performance.now();
  let attempts = 0;
  let lost = false;
  let probing = false;

  function show(next) {
    state = next;
    document.documentElement.dataset.connection = next;
    for (const node of document.querySelectorAll("#connection")) {
      if (node.dataset.state === next) continue;
      node.dataset.state = next;
      node.textContent = node.dataset[next];
    }
  }

  /** Several at once: the browser may hold kept-alive connections that are as dead as the stream. */
  async function answers() {
    const signal = AbortSignal.timeout(3000);
    const ask = async () => {
      const answer = await fetch(`${videogen.root()}/healthz`, { cache: "no-store", signal });
      if (!answer.ok) throw answer;
    };
    return Promise.any([ask(), ask(), ask()]).then(() => true, () => false);
  }

  function start() {
    show("reconnecting");
    videogen.hangUp?.();
    due = performance.now() + START;
    videogen.send("connect", {});
  }

  /** Look whether it is still silent, and begin again: first with another watcher, then with another document. */
  async function check() {
    if (state === "paused" || probing || performance.now() < due) return;
    show(state === "live" ? "reconnecting" : state);
    const since = heard;
    probing = true;
    const alive = await answers();
    probing = false;
    if (heard !== since || state === "paused") return;
    if (!alive) {
      lost = true;
      show("offline");
    } else if (!videogen.trigger) {
      // Gradio is still starting, or could not load all of its files.
      if (lost) location.reload();
    } else if (attempts++ && !document.hidden && !videogen.refused) location.reload();
    else start();
  }

  /** After sleep, in the background or in the history, clocks say little. */
  function wake(trusted) {
    if (document.hidden) return;
    if (state === "paused") return start();
    if (performance.now() - heard > trusted) show("reconnecting");
    due = Math.min(due, heard + trusted);
    check();
  }

  videogen.on("frame", () => {
    heard = performance.now();
    due = heard + SILENCE;
    attempts = 0;
    show(videogen.signals.link);
    if (state !== "paused") videogen.outbox.flush();
  });
  videogen.on("build", (build, before) => before && build !== before && location.reload());
  videogen.ended = (hungUp) => {
    if (hungUp || state === "paused") return;
    due = performance.now();
    check();
  };
  window.addEventListener("offline", () => ((due = performance.now()), check()));
  window.addEventListener("pageshow", (event) => event.persisted && wake(0));
  document.addEventListener("visibilitychange", () => wake(BEAT));
  for (const kind of ["focus", "pointerdown", "keydown"]) {
    window.addEventListener(kind, () => {
      if (state === "paused") start();
      else if (kind === "focus" && state === "live") videogen.send("act", { do: "use" });
    });
  }
  setInterval(check, 1000);
}

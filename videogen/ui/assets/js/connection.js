// The connection indicator. It says what this browser itself knows, and re-checks whenever it may have changed.
(() => {
  const SILENCE = 10_000; // the page hears something every 5 s
  const BEAT = 6_000; // and a little for its way
  const STUCK = 8_000; // the server answers, but the page's stream stays silent
  const PROBE_LIMIT = 3_000;
  const WORDS = { live: "link.live", reconnecting: "link.reconnecting", offline: "link.offline" };
  let heard = performance.now();
  let link = "live";
  let state = "reconnecting"; // until the first news
  let answered = null; // since when the server answers while the stream is silent
  let probing = false;
  let leaving = false;

  function tell(next) {
    state = next;
    const node = videogen.byId("connection");
    if (!node) return;
    videogen.text("connection", videogen.say(WORDS[next]));
    videogen.attribute(node, "data-state", next);
  }

  function silent() {
    return performance.now() - heard > SILENCE;
  }

  async function probe() {
    const limit = AbortSignal.timeout(PROBE_LIMIT);
    const response = await fetch(`${videogen.root()}/healthz`, { cache: "no-store", signal: limit });
    if (!response.ok) throw new Error(`healthz answered ${response.status}`);
  }

  /** Several at once: the browser may hold kept-alive connections that are as dead as the stream. */
  async function answers() {
    try {
      await Promise.any([probe(), probe(), probe()]);
      return true;
    } catch {
      return false;
    }
  }

  async function check() {
    if (leaving) return;
    if (!navigator.onLine) return tell("offline");
    if (!silent()) return tell(link);
    if (state === "live") tell("reconnecting");
    if (probing) return;
    probing = true;
    const alive = await answers();
    probing = false;
    if (!silent()) return tell(link);
    tell(alive ? "reconnecting" : "offline");
    if (!alive) answered = null;
    else answered ??= performance.now();
    // A half-open stream never reports an error, so nobody but us can end it. The draft is kept.
    if (answered !== null && performance.now() - answered > STUCK && !document.hidden) {
      leaving = true;
      window.location.reload();
    }
  }

  /** Back from sleep or from the page cache: the clock says little, so ask at once, and trust no longer than a beat. */
  function wake() {
    if (performance.now() - heard > SILENCE / 2) tell("reconnecting");
    heard = Math.min(heard, performance.now() - SILENCE + BEAT);
    check();
  }

  /** The page comes back as it was left, but what it was connected to is gone: nothing counts until it is heard again. */
  function restored() {
    leaving = false;
    heard = Math.min(heard, performance.now() - SILENCE - 1);
    check();
  }

  window.addEventListener("offline", check);
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", (event) => event.persisted && restored());
  document.addEventListener("visibilitychange", () => document.hidden || wake());
  window.addEventListener("pagehide", () => (leaving = true));
  window.setInterval(check, 1000);

  videogen.connection = {
    heard(room) {
      heard = performance.now();
      answered = null;
      link = room.link === "live" ? "live" : "reconnecting";
      tell(navigator.onLine ? link : "offline");
    },
  };
})();

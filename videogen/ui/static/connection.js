// The connection: frames that arrive are the truth, and `navigator.onLine` is none.
const [SILENCE, BEAT, START] = [9000, 5000, 8000]; // milliseconds; a frame comes every four seconds
let [state, heard, attempts, probing] = ["reconnecting", performance.now(), 0, false];
let due = heard + START;

function show(next) {
  document.documentElement.dataset.connection = state = next;
  for (const node of all(`#connection:not([data-state=${next}])`)) {
    node.textContent = node.dataset[(node.dataset.state = next)];
  }
}

// All six connections may be as dead as the stream.
function answers() {
  const options = { cache: "no-store", signal: AbortSignal.timeout(2000) };
  const one = () => fetch(`${root()}/healthz`, options).then((answer) => answer.ok || Promise.reject());
  return Promise.any(Array.from({ length: 6 }, one)).catch(() => false);
}

function connect() {
  show("reconnecting");
  due = performance.now() + START;
  send("connect", {});
}

// In silence begin again: first with another watcher, then with another document.
async function check() {
  if (state === "paused" || probing || performance.now() < due) return;
  if (state === "live") show("reconnecting");
  network.hangUp();
  probing = true;
  const alive = (await answers()) || (await answers());
  probing = false;
  if (!alive) return show("offline");
  if (trigger ? attempts++ && !document.hidden && !network.refused : state === "offline") location.reload();
  else if (trigger) connect();
}

const doubt = (since = 0) => ((due = Math.min(due, since)), check());
network.ended = doubt;
on("frame", () => {
  [heard, attempts] = [performance.now(), 0];
  due = heard + SILENCE;
  show(signals.link);
  if (state !== "paused") outbox.flush();
});
on("build", (build, own = window.gradio_config?.build) => own && own !== build && location.reload());
listen("offline", () => doubt());
listen("visibilitychange", () => document.hidden || (state === "paused" ? connect() : doubt(heard + BEAT)));
listen("focus|pointerdown|keydown", ({ type }) => {
  if (state === "paused") connect();
  else if (type === "focus" && state === "live") act("");
});
setInterval(check, 1000);

// Title and icon show what is going on. What has ended is announced by a notification and a sound, where wanted.
let sound;
let mark = null; // what has ended and was not looked at
const titled = () => (document.title = mark ?? videogen.signals.title);
on("title", titled);
on("icon", (address) => ($("link[rel=icon]").href = address ?? `${root()}/favicon.ico`));
const chime = () => {
  sound ??= new AudioContext();
  const [tone, loud] = [new OscillatorNode(sound, { frequency: 660 }), new GainNode(sound, { gain: 0.15 })];
  tone.connect(loud).connect(sound.destination);
  loud.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.9);
  tone.start();
  tone.stop(sound.currentTime + 0.9);
};
on("ended", (items, before) => {
  for (const { id, done, title, body } of items.filter((one) => before && !before.some((old) => old.id === one.id))) {
    if (document.hidden) mark = done;
    titled();
    const known = stored("alerted") ?? []; // by any tab of this browser
    if (known.includes(id)) continue;
    store("alerted", [...known.slice(-20), id]);
    const { sound: sounds, notify } = videogen.signals.choices;
    if (sounds) chime();
    if (!document.hidden || !notify || window.Notification?.permission !== "granted") continue;
    new Notification(title, { body, tag: id }).onclick = () => (focus(), act("select", { generationId: id }));
  }
});
listen("change", async ({ target }) => {
  if (target.id === "alert-sound" && target.checked) chime();
  if (target.id !== "alert-notify") return;
  let why = top !== window ? "framed" : window.Notification ? "" : "missing";
  if (target.checked && !why && (await Notification.requestPermission()) !== "granted") why = "refused";
  if (why) target.checked = false;
  act("choose", { name: "notify", value: target.checked, why });
});
on("now", (now) => document.hidden || store("here", now)); // by the server's clock
listen("visibilitychange", () => document.hidden || (titled((mark = null)), act("back", { since: stored("here") })));

// Title and icon show what goes on; a notification and a sound announce its end.
let sound;
let mark = null; // what has ended and was not looked at
const titled = () => (document.title = mark ?? signals.title);
on("title", titled);
on("icon", (address) => ($("link[rel=icon]").href = address ?? `${root()}/favicon.ico`));
const chime = () => {
  sound ??= new AudioContext();
  const tone = new OscillatorNode(sound, { frequency: 660 });
  tone.connect(new GainNode(sound, { gain: 0.15 })).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.3);
};
on("ended", (items, before) => {
  for (const { id, done, title, body } of items.filter((one) => before && !before.some((old) => old.id === one.id))) {
    if (document.hidden) mark = done;
    titled();
    const { choices } = signals;
    if (choices.sound) chime();
    if (!document.hidden || !choices.notify || window.Notification?.permission !== "granted") continue;
    new Notification(title, { body, tag: id }).onclick = () => (focus(), act("select", { generationId: id }));
  }
});
onClick("#alert-sound:checked", chime);
onClick("#alert-notify:checked", async (box) => {
  if ((await window.Notification?.requestPermission()) === "granted") return;
  box.checked = false;
  act("choose", { name: "notify", value: false, why: "refused" });
});
on("now", (now) => document.hidden || store("here", now));
listen("visibilitychange", () => document.hidden || (titled((mark = null)), act("back", { since: stored("here") })));

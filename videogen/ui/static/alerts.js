// Title and icon show what is going on; when something has ended, a notification and a sound, where they are wanted.
{
  let plain, sound;
  let mark = null; // what has ended and was not looked at
  const titled = () => (document.title = mark ?? videogen.signals.title);
  videogen.on("title", titled);
  videogen.on("icon", (address) => {
    const own = Object.assign(document.createElement("link"), { rel: "icon" });
    const icon = document.querySelector("link[rel~=icon]") ?? document.head.appendChild(own);
    plain ??= icon.href || `${videogen.root()}/favicon.ico`;
    icon.href = address ?? plain;
  });
  const chime = () => {
    sound ??= new AudioContext();
    const [tone, loud] = [new OscillatorNode(sound, { frequency: 660 }), new GainNode(sound, { gain: 0.15 })];
    tone.connect(loud).connect(sound.destination);
    loud.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.9);
    tone.start();
    tone.stop(sound.currentTime + 0.9);
  };
  videogen.on("ended", (items, before) => {
    for (const { id, done, title, body } of items.filter((one) => before && !before.some((old) => old.id === one.id))) {
      if (document.hidden) mark = done;
      titled();
      const told = videogen.stored("alerted") ?? []; // by any tab of this browser
      if (told.includes(id)) continue;
      videogen.store("alerted", [...told.slice(-20), id]);
      const { sound: sounds, notify } = videogen.signals.choices;
      if (sounds) chime();
      if (!document.hidden || !notify || window.Notification?.permission !== "granted") continue;
      new Notification(title, { body, tag: id }).onclick = () => (window.focus(), videogen.send("act", { do: "select", generationId: id }));
    }
  });
  document.addEventListener("change", async ({ target }) => {
    if (target.id === "alert-sound" && target.checked) chime();
    if (target.id !== "alert-notify") return;
    let why = window.top !== window ? "framed" : window.Notification ? "" : "missing";
    if (target.checked && !why && (await Notification.requestPermission()) !== "granted") why = "refused";
    if (why) target.checked = false;
    videogen.send("act", { do: "choose", name: "notify", value: target.checked && !why, why });
  });
  videogen.on("now", (now) => document.hidden || videogen.store("here", now)); // by the server's clock
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) titled((mark = null), videogen.send("act", { do: "back", since: videogen.stored("here") }));
  });
}

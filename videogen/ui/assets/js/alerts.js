// A notification and a sound when something is done: off until somebody switches them on, and once in all open tabs.
(() => {
  const REMEMBERED = 50;
  const PATIENCE = 400; // a tab that is seen comes before those that are hidden
  const { byId, text, say } = videogen;
  let context = null;

  const wishes = () => videogen.store.read("alerts", { notify: false, sound: false });

  function wish(changes) {
    videogen.store.write("alerts", { ...wishes(), ...changes });
    show();
  }

  function framed() {
    try {
      return window.top.location.origin !== window.location.origin;
    } catch {
      return true;
    }
  }

  /** The key of the reason why there can be no notification here, or null. */
  function hindrance() {
    if (framed()) return "alert.framed";
    if (window.Notification === undefined) return "alert.missing";
    return Notification.permission === "denied" ? "alert.refused" : null;
  }

  function show() {
    const box = byId("alert-notify");
    if (!box) return;
    const hinders = hindrance();
    const allowed = hinders === null && Notification.permission === "granted";
    box.checked = wishes().notify && allowed;
    // What was refused may be tried again once it is allowed in the browser's settings; the others never can.
    box.disabled = hinders !== null && hinders !== "alert.refused";
    text("alert-notify-said", hinders === null ? "" : say(hinders));
    byId("alert-sound").checked = wishes().sound;
    byId("alert-sound").disabled = !("AudioContext" in window);
    if (!("AudioContext" in window)) text("alert-sound-said", say("alert.silent"));
    videogen.attribute(byId("alerts-open"), "data-on", box.checked || wishes().sound);
  }

  async function switchNotify(on) {
    if (!on) return wish({ notify: false });
    const answer = hindrance() === null ? await Notification.requestPermission() : "denied";
    const works = answer === "granted" && notify({ tag: "sample", title: say("alert.sample"), body: say("alert.sample_text") });
    wish({ notify: works });
    if (!works) text("alert-notify-said", say(hindrance() ?? (answer === "granted" ? "alert.missing" : "alert.refused")));
    return undefined;
  }

  function switchSound(on) {
    wish({ sound: on });
    text("alert-sound-said", on ? say("alert.wake") : "");
    if (on) chime();
  }

  function notify({ tag, title, body, open }) {
    try {
      const told = new Notification(title, { body, tag, lang: videogen.language });
      told.onclick = () => {
        window.focus();
        if (open) videogen.act("choose", { id: open });
        told.close();
      };
      return true;
    } catch {
      return false; // some phones have notifications for installed pages alone
    }
  }

  /** Two soft tones, made here: no file has to be loaded. */
  async function chime() {
    try {
      context ??= new AudioContext();
      if (context.state === "suspended") await context.resume();
    } catch {
      return; // until somebody has touched the page it must be silent
    }
    const start = context.currentTime + 0.02;
    for (const [index, pitch] of [659.25, 987.77].entries()) {
      const at = start + index * 0.16;
      const tone = new OscillatorNode(context, { type: "sine", frequency: pitch });
      const loud = new GainNode(context, { gain: 0 });
      loud.gain.setValueAtTime(0, at);
      loud.gain.linearRampToValueAtTime(0.16, at + 0.015);
      loud.gain.exponentialRampToValueAtTime(0.0005, at + 0.9);
      tone.connect(loud).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.95);
    }
    videogen.alerts.chimes += 1;
  }

  function takeNow(id) {
    const told = videogen.store.read("alerted", []);
    if (told.includes(id)) return false;
    videogen.store.write("alerted", [...told.slice(1 - REMEMBERED), id]);
    return true;
  }

  /**
   * True in one of all the open tabs of this browser. What one tab has stored, another may not see at once; so the lock
   * decides, which the first one keeps for as long as it is open, and the note is for those that come after it.
   */
  function take(id) {
    if (!navigator.locks) return Promise.resolve(takeNow(id)); // without https two tabs may both be quick enough
    return new Promise((resolve) => {
      navigator.locks.request(`videogen.alert.${id}`, { ifAvailable: true }, (lock) => {
        const mine = lock !== null && takeNow(id);
        resolve(mine);
        return mine ? new Promise(() => {}) : null;
      });
    });
  }

  async function tell(item) {
    if (document.hidden) await new Promise((resolve) => window.setTimeout(resolve, PATIENCE));
    const mine = await take(item.id);
    videogen.alerts.told.set(item.id, mine);
    if (!mine) return;
    if (wishes().sound) chime();
    const looks = !document.hidden && document.hasFocus();
    if (looks || !wishes().notify || hindrance() !== null || Notification.permission !== "granted") return;
    const ready = item.type === "image" ? "alert.still_ready" : "alert.video_ready";
    const title = say(item.status === "completed" ? ready : "alert.failed");
    notify({ tag: item.id, title, body: videogen.attention.short(item.prompt, 120), open: item.id });
  }

  /** Sounds need a gesture after each load; whoever has switched them on will make one sooner or later. */
  function unlock() {
    if (!wishes().sound || context?.state === "running") return;
    context ??= new AudioContext();
    context.resume().catch(() => {});
  }

  document.addEventListener("pointerdown", unlock);
  document.addEventListener("keydown", unlock);
  document.addEventListener("change", (event) => {
    if (event.target.id === "alert-notify") switchNotify(event.target.checked);
    if (event.target.id === "alert-sound") switchSound(event.target.checked);
  });
  document.addEventListener("toggle", (event) => event.target.id === "alerts" && show(), true);

  videogen.alerts = {
    chimes: 0,
    /** What has ended, by id: whether it was this tab's to tell. */
    told: new Map(),

    ended(item) {
      const { notify: wanted, sound } = wishes();
      if (wanted || sound) tell(item);
    },

    show,
  };
})();

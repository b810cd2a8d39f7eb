// How long somebody has waited or a render has gone on, and how long it should take: counted on between what is told.
(() => {
  const { say } = videogen;
  const told = new Map();

  function span(seconds) {
    const whole = Math.max(1, Math.round(seconds));
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
    if (hours > 0) return say("time.hours", { hours, minutes: String(minutes).padStart(2, "0") });
    if (minutes > 0) return say("time.minutes", { minutes, seconds: String(rest).padStart(2, "0") });
    return say("time.seconds", { seconds: rest });
  }

  const time = (key, seconds) => say(key, { time: span(seconds) });

  /** Only what is known is said: an unknown time is null, and has no words. */
  function words(times, passed) {
    if (!times) return "";
    const said = [];
    if (times.waited !== null) said.push(time("time.waited", times.waited + passed));
    if (times.begins !== null) {
      const left = times.begins - passed;
      said.push(left < 1 ? say("time.soon") : time("time.begins", left));
    }
    if (times.render !== null) said.push(time("time.render", times.render));
    if (times.rendering !== null) said.push(time("time.rendering", times.rendering + passed));
    if (times.left !== null) {
      const left = times.left - passed;
      said.push(left < 0.5 ? say("time.almost") : time(times.about ? "stage.about_left" : "stage.left", left));
    }
    const whole = said.join(" · ");
    return whole.charAt(0).toUpperCase() + whole.slice(1);
  }

  function write(node, { times, at }) {
    const said = words(times, (performance.now() - at) / 1000);
    if (node.textContent !== said) node.textContent = said;
  }

  function tick() {
    if (document.hidden) return;
    for (const [node, one] of told) {
      if (node.isConnected) write(node, one);
      else told.delete(node);
    }
  }

  window.setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);

  videogen.times = {
    /** Have a node say these times from now on; null: nothing. */
    tell(node, times) {
      const one = { times, at: performance.now() };
      if (times) told.set(node, one);
      else told.delete(node);
      write(node, one);
    },

    words,
  };
})();

// Keys for those who like them: never while something is typed, never with a key that means something else, and to be
// switched off, since single keys may be pressed by accident or by voice (WCAG 2.1.4).
(() => {
  const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable='false'])";
  const OWN_KEYS = "[role='textbox'], [role='combobox'], [role='listbox'], [role='slider'], [role='menu'], [role='grid']";
  const { byId } = videogen;

  const on = () => videogen.store.read("keys", true);

  function typing(target) {
    if (!(target instanceof Element)) return false;
    const field = target.closest(FIELDS);
    const ticks = field?.matches("input:is([type='checkbox'], [type='radio'], [type='button'], [type='submit'])");
    return (field !== null && !ticks) || target.closest(OWN_KEYS) !== null;
  }

  function announce(key) {
    byId("keys-said").textContent = "";
    window.requestAnimationFrame(() => videogen.text("keys-said", videogen.say(key)));
  }

  const seen = (node) => node !== null && node.checkVisibility();

  function press(node, otherwise) {
    if (!seen(node) || node.disabled || node.ariaDisabled === "true") {
      if (otherwise) announce(otherwise);
      return;
    }
    node.click();
  }

  function search() {
    const field = byId("history-search");
    if (!seen(field)) return announce("keys.no_search");
    field.focus();
    field.select();
    return undefined;
  }

  function playPause() {
    const video = document.querySelector("#result-video video");
    if (!seen(video)) return announce("keys.no_video");
    if (video.paused) video.play().catch(() => {});
    else video.pause();
    return undefined;
  }

  /** What the history lists, newest first. */
  function listed() {
    const known = videogen.history?.items?.map((one) => one.id);
    return known ?? [...document.querySelectorAll("#history > [data-generation-id]")].map((node) => node.dataset.generationId);
  }

  /** One further in the history, from what is on the stage; from nothing of it, the first or the last. */
  function step(by) {
    const ids = listed();
    const at = ids.indexOf(videogen.stage.job?.id);
    const next = at < 0 ? ids.at(by > 0 ? 0 : -1) : ids[at + by];
    if (next !== undefined) videogen.act("choose", { id: next });
    else if (by > 0 && ids.length) press(byId("history-more"), "keys.no_more");
    else announce("keys.no_more");
  }

  async function ask(method, id, body) {
    const token = videogen.store.read("token");
    const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const url = `${videogen.root()}/api/v1/generations/${encodeURIComponent(id)}`;
    const answer = await fetch(url, { method, headers, cache: "no-store", body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async function favourite() {
    const id = videogen.stage.job?.id;
    if (!id) return announce("keys.no_favourite");
    try {
      const favorite = !(await ask("GET", id)).favorite;
      // The list has a star of its own, which is to follow.
      if (videogen.history?.change && listed().includes(id)) await videogen.history.change(id, { favorite });
      else await ask("PATCH", id, { favorite });
      return announce(favorite ? "keys.marked" : "keys.unmarked");
    } catch {
      return videogen.notice.warn(videogen.say("notice.no_server"));
    }
  }

  const KEYS = {
    "/": search,
    p: playPause,
    f: favourite,
    j: () => step(1),
    k: () => step(-1),
    g: () => videogen.form.focus(),
    X: () => press(byId("cancel")),
    "?": () => help(),
  };

  function help() {
    byId("keys-on").checked = on();
    if (!byId("help").open) byId("help").showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    // Control, Alt and Meta belong to the browser, the system and screen readers; AltGr comes as Control and Alt.
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const run = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
    if (run === null || !on() || typing(event.target) || document.querySelector("dialog[open], :popover-open")) return;
    event.preventDefault();
    run();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#help-open")) help();
    if (event.target.closest?.("#help-close")) byId("help").close();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "keys-on") videogen.store.write("keys", event.target.checked);
  });
})();

// What renders and what waits, in the order of service. The own places in the line change by buttons and by hand.
(() => {
  const { byId, attribute, show } = videogen;
  let entries = [];
  let asked = null;
  let drag = null;
  let held = null;

  const short = (prompt) => videogen.attention.short(prompt, 60);

  function announce(words) {
    // A status that is said twice in the same words is heard once.
    byId("queue-said").textContent = "";
    window.requestAnimationFrame(() => videogen.text("queue-said", words));
  }

  const waiting = () => entries.filter((item) => item.status === "queued");

  function tools(node, item) {
    const line = node.querySelector(".vg-line");
    const among = waiting();
    line.hidden = item.status !== "queued" || item.leaving;
    if (line.hidden) return;
    const place = among.findIndex((one) => one.id === item.id);
    attribute(line, "data-alone", among.length < 2);
    if (line.dataset.named !== item.prompt) {
      line.dataset.named = item.prompt;
      attribute(line, "aria-label", videogen.say("line.tools", { prompt: short(item.prompt) }));
      for (const button of line.querySelectorAll("[data-line]")) {
        attribute(button, "aria-label", videogen.say(`line.${button.dataset.line}_of`, { prompt: short(item.prompt) }));
      }
    }
    const first = place === 0;
    const last = place === among.length - 1;
    for (const button of line.querySelectorAll("[data-line]")) {
      const end = button.dataset.line === "later" ? last : button.dataset.line !== "drop" && first;
      // Not `disabled`: that would take the focus from somebody who has just reached the end.
      attribute(button, "aria-disabled", end ? "true" : null);
    }
  }

  function fillEntry(node, item) {
    const { part } = videogen.lists;
    part(node, "prompt", item.prompt);
    part(node, "variation", item.variation);
    part(node, "status", item.statusText);
    part(node, "detail", item.detail);
    part(node, "percent", item.status === "processing" ? videogen.say("size.percent", { percent: Math.floor(item.progress) }) : "");
    videogen.times.tell(node.querySelector('[data-part="times"]'), item.times);
    node.querySelector(".vg-bar > span").style.transform = `scaleX(${item.progress / 100})`;
    tools(node, item);
  }

  /** Whoever has the focus keeps it, wherever its entry goes; where that goes away, the one in its place has it. */
  function keepingFocus(change) {
    const list = byId("active");
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const place = focused && [...list.children].indexOf(focused.closest("li"));
    change();
    if (!focused) return;
    // What has been hidden keeps the focus until the next picture, and loses it only then.
    const gone = !focused.isConnected || focused.closest("[hidden]");
    if (!gone && document.activeElement === focused) return;
    const next = list.children[Math.min(place, list.children.length - 1)]?.firstElementChild ?? byId("generate");
    (gone ? next : focused)?.focus({ preventScroll: true });
  }

  function answer() {
    if (asked === null) return;
    const found = entries.find((item) => item.id === asked.id);
    if (found && found.status === "queued" && found.place === asked.before) return;
    if (found?.status === "queued") announce(videogen.say("line.moved", { prompt: short(found.prompt), place: found.detail }));
    asked = null;
  }

  function move(id, before) {
    asked = { id, before: entries.find((item) => item.id === id)?.place };
    videogen.act("move", { id, before });
  }

  function press(button) {
    const id = button.closest("[data-generation-id]").dataset.generationId;
    const item = entries.find((one) => one.id === id);
    const among = waiting().map((one) => one.id);
    const place = among.indexOf(id);
    if (!item || button.getAttribute("aria-disabled") === "true") return;
    if (button.dataset.line === "drop") {
      announce(videogen.say("line.dropped", { prompt: short(item.prompt) }));
      videogen.act("cancel", { id });
    } else if (button.dataset.line === "front") move(id, among[0]);
    else if (button.dataset.line === "earlier") move(id, among[place - 1]);
    else move(id, among[place + 2] ?? null);
  }

  // By hand: the entry follows the pointer, and a line shows where it would come to stand.

  function others() {
    return [...byId("active").querySelectorAll('li[data-status="queued"]')].filter((node) => node !== drag.node);
  }

  function aim(y) {
    const nodes = others();
    const middle = (node) => node.getBoundingClientRect().top + node.getBoundingClientRect().height / 2;
    const at = nodes.findIndex((node) => y < middle(node));
    drag.before = at < 0 ? null : nodes[at].dataset.generationId;
    for (const node of nodes) attribute(node, "data-aim", null);
    if (at >= 0) attribute(nodes[at], "data-aim", "before");
    else if (nodes.length) attribute(nodes.at(-1), "data-aim", "after");
  }

  function grab(event) {
    const grip = event.target.closest?.("#active [data-grip]");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    const node = grip.closest("li");
    drag = { node, grip, from: event.clientY, before: undefined };
    grip.setPointerCapture(event.pointerId);
    node.classList.add("vg-dragged");
  }

  function pull(event) {
    if (drag === null) return;
    drag.node.style.transform = `translateY(${event.clientY - drag.from}px)`;
    aim(event.clientY);
  }

  function release(keep) {
    if (drag === null) return;
    const { node, before } = drag;
    for (const other of others()) attribute(other, "data-aim", null);
    node.classList.remove("vg-dragged");
    node.style.transform = "";
    drag = null;
    const id = node.dataset.generationId;
    const among = waiting().map((one) => one.id);
    const now = among[among.indexOf(id) + 1] ?? null;
    if (keep && before !== undefined && before !== now) {
      byId("active").insertBefore(node, before === null ? null : byId("active").querySelector(`[data-generation-id="${before}"]`));
      move(id, before);
    }
    if (held) videogen.queue.apply(held);
    held = null;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#active [data-line]");
    if (button) press(button);
  });
  document.addEventListener("pointerdown", grab);
  document.addEventListener("pointermove", pull);
  document.addEventListener("pointerup", () => release(true));
  document.addEventListener("pointercancel", () => release(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drag !== null) release(false);
  });

  videogen.queue = {
    apply(room) {
      if (!byId("active")) return;
      if (drag !== null) {
        held = room; // nothing moves under somebody's hand
        return;
      }
      entries = room.active;
      keepingFocus(() => {
        videogen.lists.sync(byId("active"), entries, "active-entry", fillEntry);
        show("active-section", entries.length > 0);
      });
      videogen.lists.remark();
      answer();
    },
  };
})();

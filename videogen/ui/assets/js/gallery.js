// Draws the history: of however many entries, only those around what can be seen are in the document.
(() => {
  const { byId, attribute, show, text, say } = videogen;
  const NEAR = 0.3; // views around what can be seen that are always drawn
  const FAR = 1; // and that are drawn when any are
  const AGES = [
    [60, "second", 60],
    [3600, "minute", 60],
    [86_400, "hour", 3600],
  ];
  const ago = new Intl.RelativeTimeFormat(videogen.language, { numeric: "auto", style: "narrow" });
  const day = new Intl.DateTimeFormat(videogen.language, { day: "numeric", month: "short" });
  const distant = new Intl.DateTimeFormat(videogen.language, { day: "numeric", month: "short", year: "numeric" });
  let told = { items: [], loaded: false, filtered: false, words: "", more: false };
  let places = new Map(); // which one of its project an entry is
  let rows = { columns: 1, height: 0 };
  let version = 0;
  let drawn = { key: "", first: 0, last: 0 };
  let watching = null;

  /** Which one of its project each is, where several of it are here. */
  function variations(items) {
    const projects = Map.groupBy ? Map.groupBy(items, (one) => one.project) : grouped(items);
    const found = new Map();
    for (const [, group] of projects) {
      if (group.length < 2) continue;
      const ordered = [...group].sort((one, other) => one.seed - other.seed || (one.id < other.id ? -1 : 1));
      ordered.forEach((one, index) => found.set(one.id, say("history.variation", { number: index + 1, count: group.length })));
    }
    return found;
  }

  function grouped(items) {
    const found = new Map();
    for (const one of items) found.set(one.project, [...(found.get(one.project) ?? []), one]);
    return found;
  }

  function put(node, name, value) {
    const target = node.querySelector(`[data-part="${name}"]`);
    if (target.textContent !== value) target.textContent = value;
  }

  function badge(item) {
    if (item.missing) return say("status.missing");
    return item.status === "completed" ? "" : say(item.status === "failed" ? "status.failed" : "status.cancelled");
  }

  function length(item) {
    if (item.status !== "completed") return "";
    return item.type === "image" ? say("history.still") : say("time.seconds", { seconds: item.seconds });
  }

  /** How old it is, in little room. */
  function age(date, now = new Date()) {
    const seconds = (now - date) / 1000;
    const [, unit, size] = AGES.find(([most]) => seconds < most) ?? [];
    if (unit === "second") return ago.format(0, unit);
    if (unit) return ago.format(-Math.round(seconds / size), unit);
    return (date.getFullYear() === now.getFullYear() ? day : distant).format(date);
  }

  function poster(node, item) {
    const image = node.querySelector("img");
    image.onerror ??= () => (image.hidden = true);
    const source = videogen.absolute(item.poster);
    if (image.dataset.source === String(source)) return;
    image.dataset.source = source;
    image.hidden = source === null;
    attribute(image, "src", source);
  }

  function fill(node, item, index) {
    put(node, "prompt", item.name);
    put(node, "badge", badge(item));
    put(node, "length", length(item));
    put(node, "variation", places.get(item.id) ?? "");
    poster(node, item);
    const time = node.querySelector("time");
    const date = new Date(item.at);
    attribute(time, "datetime", item.at);
    attribute(time, "title", videogen.lists.date(date));
    time.textContent = age(date);
    attribute(node, "data-status", item.status);
    attribute(node, "aria-posinset", index + 1);
    attribute(node, "aria-setsize", told.more ? -1 : told.items.length);
    const star = node.querySelector(".vg-star");
    attribute(star, "aria-pressed", String(item.favorite));
    attribute(star, "aria-label", say("history.favourite", { name: item.name }));
    attribute(node.querySelector(".vg-dots"), "aria-label", say("history.more_for", { name: item.name }));
    pick(node);
  }

  /** While some are being selected, a card is a switch. */
  function pick(node) {
    const id = node.dataset.generationId;
    const on = videogen.selection.has(id);
    attribute(node, "data-selected", on ? "true" : null);
    const pressed = videogen.selection.active ? String(on) : null;
    attribute(node.querySelector(".vg-card"), "aria-pressed", pressed);
    const current = videogen.stage.job?.id === id && !videogen.selection.active;
    attribute(node.querySelector(".vg-card"), "aria-current", current ? "true" : null);
  }

  function measure() {
    const style = window.getComputedStyle(byId("history"));
    const first = byId("history").firstElementChild;
    const gap = parseFloat(style.rowGap) || 0;
    rows = {
      columns: style.gridTemplateColumns.split(" ").length,
      height: first ? first.getBoundingClientRect().height + gap : 0,
    };
  }

  /** The rows in view, and those of so many more views above and below. */
  function range(views) {
    const all = Math.ceil(told.items.length / rows.columns);
    if (rows.height === 0) return [0, Math.min(all, 4), all];
    const view = window.innerHeight;
    const above = -byId("history").getBoundingClientRect().top;
    const first = Math.min(Math.max(0, Math.floor((above - views * view) / rows.height)), Math.max(0, all - 1));
    const last = Math.min(all, Math.max(first + 2, Math.ceil((above + (1 + views) * view) / rows.height)));
    return [first, last, all];
  }

  function draw() {
    const list = byId("history");
    const key = `${rows.columns} ${rows.height}`;
    const anew = drawn.version !== version;
    // Many rows seldom cost the browser less than few rows often.
    const [least, most] = range(NEAR);
    if (!anew && key === drawn.key && drawn.first <= least && drawn.last >= most) return;
    const [first, last, all] = range(FAR);
    drawn = { version, key, first, last };
    list.style.paddingTop = `${first * rows.height}px`;
    list.style.paddingBottom = `${(all - last) * rows.height}px`;
    place(list, first * rows.columns, Math.min(told.items.length, last * rows.columns), anew);
    if (rows.height === 0 && told.items.length) {
      measure();
      if (rows.height > 0) draw();
    }
  }

  function place(list, from, to, anew) {
    const known = new Map([...list.children].map((node) => [node.dataset.generationId, node]));
    let before = list.firstElementChild;
    for (let index = from; index < to; index += 1) {
      const item = told.items[index];
      let node = known.get(item.id);
      const fresh = node === undefined;
      if (fresh) {
        node = byId("history-entry").content.firstElementChild.cloneNode(true);
        node.dataset.generationId = item.id;
      }
      known.delete(item.id);
      if (fresh || anew) fill(node, item, index);
      if (node === before) before = before.nextElementSibling;
      else list.insertBefore(node, before);
    }
    for (const node of known.values()) node.remove();
  }

  function found() {
    const number = told.items.length;
    return told.more ? say("history.found_more", { number }) : say("history.found", { count: number });
  }

  function watch() {
    let due = 0;
    const soon = () => {
      due ||= window.requestAnimationFrame(() => {
        due = 0;
        draw();
      });
    };
    window.addEventListener("scroll", soon, { passive: true, capture: true });
    new ResizeObserver(() => {
      measure();
      soon();
    }).observe(byId("history"));
    watching = new IntersectionObserver(
      (seen) => seen.some((one) => one.isIntersecting) && told.more && !told.busy && videogen.history.more(),
      { rootMargin: "0px 0px 1200px 0px" },
    );
  }

  function end() {
    show("history-more", told.more);
    attribute(byId("history-section"), "data-more", told.more ? "true" : null);
    byId("history-more").disabled = Boolean(told.busy);
    text("history-more", say(told.busy ? "history.loading" : "history.more"));
    if (told.busy) return;
    // Looked at anew: with a short page its end may still be in view.
    watching.unobserve(byId("history-end"));
    watching.observe(byId("history-end"));
  }

  videogen.gallery = {
    show(state) {
      if (!byId("history")) return;
      if (watching === null) watch();
      if (state.items !== told.items) {
        version += 1;
        places = variations(state.items);
      }
      told = state;
      const none = told.loaded && told.items.length === 0;
      show("history-filters", told.loaded && (told.filtered || !none));
      show("history-empty", none && !told.filtered);
      show("history-none", none && told.filtered);
      text("history-none-words", told.words ? say("history.none_of", { words: told.words }) : say("history.none"));
      text("history-said", told.filtered && !none && !told.busy ? found() : "");
      attribute(byId("history"), "aria-busy", told.busy ? "true" : null);
      videogen.filters.engines(told.items);
      draw();
      end();
      videogen.selection.bar();
    },

    /** Another one is on the stage. */
    mark() {
      for (const node of byId("history")?.children ?? []) pick(node);
    },

    /** What is selected has changed. */
    repick() {
      videogen.gallery.mark();
    },

    /** Have an entry in view, with the keyboard's focus on its card. */
    focus(index) {
      const item = told.items[Math.min(Math.max(0, index), told.items.length - 1)];
      if (!item) return byId("history-title").focus();
      const find = () => byId("history").querySelector(`[data-generation-id="${item.id}"] .vg-card`);
      if (!find()) {
        const row = Math.floor(told.items.indexOf(item) / rows.columns);
        window.scrollBy({ top: byId("history").getBoundingClientRect().top + (row - 1) * rows.height, behavior: "instant" });
        draw();
      }
      return find()?.focus();
    },

    index: (id) => told.items.findIndex((one) => one.id === id),

    get columns() {
      return rows.columns;
    },
  };
})();

// The history as the API tells it: what is looked for, what has come of it so far, and what has changed since.
(() => {
  const PAGE = 48;
  const MOST = 100; // the API gives no more at once
  const STALE = 15_000; // another tab may have deleted something; looked for on coming back
  const ENDED = ["completed", "failed", "cancelled"];
  const NOTHING = { q: "", favorite: false, type: "", engine: "", status: [] };
  const { ask } = videogen.api;
  let wanted = { ...NOTHING };
  let items = [];
  let cursor = null; // where the next page begins; null: all that matches is here
  let loaded = false;
  let epoch = 0; // counts the filters: an answer to an earlier one is nobody's any more
  let asking = false;
  let news = false; // something has changed that was not asked for yet
  let heard = 0;

  function entry(one) {
    const missing = one.status === "completed" && one.error !== null;
    return {
      id: one.id,
      project: one.projectId,
      seed: one.seed,
      status: one.status,
      type: one.type,
      engine: one.engine,
      prompt: one.prompt,
      title: one.title,
      name: one.title || one.prompt,
      favorite: one.favorite,
      poster: one.posterUrl ?? one.previewUrl,
      file: missing ? null : (one.videoUrl ?? one.imageUrl),
      missing,
      seconds: one.durationSeconds,
      at: one.createdAt,
    };
  }

  function query(more = {}) {
    const status = (wanted.status.length ? wanted.status : ENDED).join(",");
    const q = wanted.q.trim();
    const all = { status, q, type: wanted.type, engine: wanted.engine, favorite: wanted.favorite || "", ...more };
    return new URLSearchParams(Object.entries(all).filter(([, value]) => value !== "" && value !== null));
  }

  function filtered() {
    return Object.keys(NOTHING).some((name) => String(wanted[name]).trim() !== String(NOTHING[name]));
  }

  function show(more = {}) {
    videogen.gallery.show({ items, loaded, filtered: filtered(), words: wanted.q.trim(), more: cursor !== null, ...more });
  }

  /** What is new on top, and what of the rest still follows it. */
  function merge(page) {
    const fresh = page.items.map(entry);
    if (page.nextCursor === null) return [fresh, null];
    const place = items.findIndex((one) => one.id === fresh.at(-1).id);
    return place < 0 ? [fresh, page.nextCursor] : [[...fresh, ...items.slice(place + 1)], tail(place, page)];
  }

  function tail(place, page) {
    return place === items.length - 1 ? page.nextCursor : cursor;
  }

  function append(page) {
    const known = new Set(items.map((one) => one.id));
    return [[...items, ...page.items.map(entry).filter((one) => !known.has(one.id))], page.nextCursor];
  }

  /** One question at a time: `how` puts a page's answer to what is here. */
  async function get(params, how) {
    if (asking) return false;
    asking = true;
    const mine = epoch;
    show({ busy: true });
    try {
      const page = await ask("GET", `/generations?${query(params)}`);
      if (mine === epoch) {
        [items, cursor] = how(page);
        loaded = true;
        heard = performance.now();
        videogen.text("history-problem", "");
      }
    } catch (problem) {
      if (mine === epoch) videogen.text("history-problem", problem.message);
      news = news && problem.status !== 0;
    } finally {
      asking = false;
    }
    if (mine !== epoch) return anew();
    show();
    if (news) refresh();
    return true;
  }

  function anew() {
    news = false;
    return get({ limit: PAGE }, (page) => [page.items.map(entry), page.nextCursor]);
  }

  function refresh() {
    news = asking;
    const limit = Math.min(MOST, Math.max(PAGE, items.length));
    return asking ? false : get({ limit }, merge);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && loaded && performance.now() - heard > STALE) refresh();
  });
  window.addEventListener("online", () => loaded && refresh());

  videogen.history = {
    /** The first page, which came along with the room. */
    apply(page) {
      if (!page || loaded) return;
      [items, cursor, loaded] = [page.items.map(entry), page.nextCursor, true];
      show();
      videogen.toast.recall();
    },

    /** Something has ended, or has gone: what matches now is asked for. */
    changed: () => refresh(),

    /** Look for something else; the list stays until the answer is there. */
    look(changes) {
      wanted = { ...wanted, ...changes };
      epoch += 1;
      videogen.filters.mark(wanted);
      return asking ? false : anew();
    },

    clear: () => videogen.history.look({ ...NOTHING }),

    more: () => (cursor === null ? false : get({ limit: PAGE, cursor }, append)),

    /** The ids of all that match, newest first. */
    async ids() {
      if (cursor === null) return items.map((one) => one.id);
      const found = [];
      let place = "";
      do {
        const page = await ask("GET", `/generations/ids?${query({ cursor: place })}`);
        found.push(...page.ids);
        place = page.nextCursor;
      } while (place !== null);
      return found;
    },

    /** Change title or favourite mark. Throws what `api.ask` throws. */
    async change(id, values) {
      const told = entry(await ask("PATCH", `/generations/${encodeURIComponent(id)}`, values));
      items = items.map((one) => (one.id === id ? told : one));
      show();
      if (filtered()) refresh(); // it may match no longer
      if (videogen.stage.job?.id === id && "title" in values) videogen.act("choose", { id, quiet: true });
    },

    /** Take these out of sight at once; what comes after them is on its way. */
    drop(ids) {
      const gone = new Set(ids);
      items = items.filter((one) => !gone.has(one.id));
      show();
      refresh();
    },

    get items() {
      return items;
    },

    get filtered() {
      return filtered();
    },

    /** The ids of the selected ones, in the order of the list. */
    selected: () => videogen.selection.ids(),
  };
})();

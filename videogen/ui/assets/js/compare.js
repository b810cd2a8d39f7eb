// Two to four results side by side: their pictures in step, and a table of their settings, in which what differs is
// marked. A dialog of the browser's own: Escape closes it, and the focus goes back to where it came from.
(() => {
  const ROWS = {
    prompt: "compare.prompt",
    negativePrompt: "compare.negative",
    type: "compare.type",
    engine: "compare.engine",
    engineVersion: "compare.version",
    seed: "compare.seed",
    size: "compare.size",
    durationSeconds: "compare.length",
    fps: "compare.fps",
    inputFileId: "compare.image",
  };
  const TOLD = new Set(["width", "height", "seed", "durationSeconds", "fps"]);
  const LETTERS = "ABCD";
  const { byId, attribute, text, show, say } = videogen;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const seconds = new Intl.NumberFormat(videogen.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  let clock = null;
  let opened = 0;
  let seeking = false;

  const fits = (ids) => ids.length >= 2 && ids.length <= LETTERS.length;

  async function fetchOne(id) {
    const token = videogen.store.read("token");
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const url = `${videogen.root()}/api/v1/generations/${encodeURIComponent(id)}`;
    const answer = await fetch(url, { headers, cache: "no-store" });
    if (!answer.ok) throw new Error(say(answer.status === 404 ? "compare.gone" : "compare.unreachable"));
    // A seed may be larger than the numbers of this language are exact.
    return JSON.parse((await answer.text()).replace(/"seed":\s*(\d+)/g, '"seed":"$1"'));
  }

  function facts(one) {
    const own = Object.entries(one.settings ?? {}).filter(([name, value]) => !TOLD.has(name) && value !== null);
    return new Map([
      ["prompt", one.prompt],
      ["negativePrompt", one.negativePrompt],
      ["type", one.type],
      ["engine", one.engine],
      ["engineVersion", one.engineVersion],
      ["seed", String(one.seed)],
      ["size", `${one.width} × ${one.height}`],
      ["durationSeconds", one.durationSeconds ? say("time.seconds", { seconds: one.durationSeconds }) : ""],
      ["fps", one.fps ? String(one.fps) : ""],
      ["inputFileId", one.inputFileId ?? ""],
      ...own.map(([name, value]) => [name, plain(value)]),
    ]);
  }

  function plain(value) {
    if (typeof value === "boolean") return value ? say("compare.yes") : say("compare.no");
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  }

  function label(name) {
    if (ROWS[name]) return say(ROWS[name]);
    const words = name.replace(/[_-]+/g, " ").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
    return words.charAt(0).toUpperCase() + words.slice(1);
  }

  function cell(name, words) {
    const node = document.createElement(name);
    node.textContent = words;
    return node;
  }

  function row(name, values) {
    const differs = new Set(values).size > 1;
    const line = document.createElement("tr");
    const head = cell("th", label(name));
    head.scope = "row";
    if (differs) {
      line.dataset.differs = "true";
      const mark = cell("span", "≠");
      mark.className = "vg-differs";
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", say("compare.differs"));
      head.prepend(mark, " ");
    }
    const cells = values.map((value) => {
      const node = cell("td", value || say("compare.none"));
      node.dir = "auto";
      return node;
    });
    line.append(head, ...cells);
    return line;
  }

  function table(all) {
    const told = all.map(facts);
    const names = [...new Set(told.flatMap((one) => [...one.keys()]))];
    const values = (name) => told.map((one) => one.get(name) ?? "");
    const rows = names.filter((name) => values(name).some(Boolean)).map((name) => row(name, values(name)));
    const heads = [say("compare.setting"), ...LETTERS.slice(0, all.length)].map((words) => {
      const node = cell("th", words);
      node.scope = "col";
      return node;
    });
    byId("compare-letters").replaceChildren(...heads);
    byId("compare-rows").replaceChildren(...rows);
    if (!rows.some((line) => line.dataset.differs)) text("compare-said", say("compare.same"));
  }

  function media(one, letter) {
    const url = videogen.absolute(one.videoUrl ?? one.imageUrl);
    if (one.status !== "completed" || url === null) {
      const node = cell("p", one.error?.message ?? say("compare.unfinished"));
      node.className = "vg-compare-nothing";
      return node;
    }
    const node = document.createElement(one.videoUrl ? "video" : "img");
    if (one.videoUrl) {
      Object.assign(node, { muted: true, playsInline: true, preload: "auto", disablePictureInPicture: true });
      if (one.posterUrl) node.poster = videogen.absolute(one.posterUrl);
    }
    node.src = url;
    const words = say("compare.picture", { letter, prompt: videogen.attention.short(one.prompt, 120) });
    attribute(node, one.videoUrl ? "aria-label" : "alt", words);
    node.style.aspectRatio = `${one.width} / ${one.height}`;
    return node;
  }

  function pane(one, index) {
    const letter = LETTERS[index];
    const node = byId("compare-pane").content.firstElementChild.cloneNode(true);
    const part = (name) => node.querySelector(`[data-part="${name}"]`);
    node.querySelector(".vg-compare-media").append(media(one, letter));
    part("letter").textContent = letter;
    part("prompt").textContent = one.title || one.prompt;
    part("open").setAttribute("aria-label", say("compare.open_one", { letter }));
    part("open").dataset.open = one.id;
    return node;
  }

  /** Resolves when the length of every video is known; one that cannot be read is left out. */
  function measured(videos) {
    const one = (video) =>
      new Promise((resolve) => {
        if (video.readyState >= 1) return resolve(video);
        video.addEventListener("loadedmetadata", () => resolve(video), { once: true });
        video.addEventListener("error", () => resolve(null), { once: true });
        return undefined;
      });
    return Promise.all(videos.map(one)).then((found) => found.filter(Boolean));
  }

  function changed() {
    if (clock === null) return;
    const [at, length] = [clock.position(), clock.length];
    text("compare-play", say(clock.playing ? "compare.pause" : "compare.play"));
    text("compare-time", say("compare.time", { at: seconds.format(at), length: seconds.format(length) }));
    const seek = byId("compare-seek");
    if (!seeking) seek.value = String(at);
    attribute(seek, "max", length.toFixed(3));
    attribute(seek, "aria-valuetext", byId("compare-time").textContent);
  }

  function stop() {
    clock?.close();
    clock = null;
    seeking = false;
  }

  async function fillDialog(ids, mine) {
    const all = await Promise.all(ids.map(fetchOne));
    if (mine !== opened || !byId("compare").open) return;
    text("compare-said", "");
    attribute(byId("compare-panes"), "data-count", all.length);
    byId("compare-panes").replaceChildren(...all.map(pane));
    table(all);
    const videos = await measured([...byId("compare-panes").querySelectorAll("video")]);
    if (mine !== opened || !byId("compare").open || videos.length === 0) return;
    clock = new videogen.CompareClock(videos, changed);
    clock.loop = byId("compare-loop").checked;
    show("compare-bar", true);
    changed();
    if (!calm.matches) clock.play();
  }

  const toggle = () => (clock?.playing ? clock.pause() : clock?.play());

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#compare button");
    if (!button) return;
    if (button.id === "compare-close") byId("compare").close();
    if (button.id === "compare-play") toggle();
    if (button.dataset.open) {
      byId("compare").close();
      videogen.act("choose", { id: button.dataset.open });
    }
  });
  /** The way here from a selection in the history: a button in its bar, which comes with the first selection. */
  function entry() {
    const made = byId("history-compare");
    if (made) return made;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", id: "history-compare", className: "vg-button" });
    button.textContent = say("compare.compare");
    byId("history-zip").before(button);
    return button;
  }

  document.addEventListener("videogen:selected", () => {
    entry().disabled = !fits(videogen.history.selected());
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#history-compare")) videogen.compare.open(videogen.history.selected());
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "compare-seek") {
      seeking = true;
      clock?.seek(Number(event.target.value));
    }
    if (event.target.id === "compare-loop" && clock) clock.loop = event.target.checked;
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "compare-seek") seeking = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !byId("compare")?.open || event.target.closest("button, input")) return;
    event.preventDefault();
    toggle();
  });
  document.addEventListener("close", (event) => event.target.id === "compare" && stop(), true);

  videogen.compare = {
    /** Show two to four of this session's generations, by id, in this order. */
    open(ids) {
      if (!fits(ids)) return videogen.notice.warn(say("compare.choose"));
      opened += 1;
      stop();
      show("compare-bar", false);
      byId("compare-panes").replaceChildren();
      byId("compare-rows").replaceChildren();
      byId("compare-letters").replaceChildren();
      text("compare-said", say("compare.loading"));
      if (!byId("compare").open) byId("compare").showModal();
      fillDialog(ids, opened).catch((problem) => text("compare-said", problem instanceof TypeError ? say("compare.unreachable") : problem.message));
      return undefined;
    },

    get clock() {
      return clock;
    },
  };
})();

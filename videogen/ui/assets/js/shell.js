// The page's own parts stand in the document before Gradio has started, and show what the API says at once. When
// Gradio has built its places for them, all parts move in together, so that nothing is seen to jump.
(() => {
  const places = new Map();
  let parts = null;

  function all() {
    parts ??= new Map([...document.querySelectorAll("[data-shell]")].map((node) => [node.dataset.shell, node]));
    return parts;
  }

  /** Moving a part takes the focus away from what is in it. */
  function keepingFocus(move) {
    const focused = document.activeElement;
    move();
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
  }

  function moveIn() {
    keepingFocus(() => {
      for (const [name, place] of places) place.replaceChildren(all().get(name));
      videogen.early.moveIn();
      videogen.byId("shell")?.remove();
      // Gradio's own styles came later, and would win where both say something.
      document.head.append(videogen.byId("styles"));
      document.documentElement.removeAttribute("data-early");
    });
    // Whatever becomes of the draft, there is a form.
    window.setTimeout(videogen.draft.settled, 3000);
  }

  // Whoever brings no session of their own has nothing yet.
  const NOTHING = {
    room: { selected: null, active: [], loaded: true, notice: "" },
    history: { items: [], nextCursor: null },
  };

  async function restore() {
    const url = new URL(`${videogen.root()}/page/room`);
    url.searchParams.set("language", videogen.language);
    const selected = videogen.tab.read();
    if (selected) url.searchParams.set("selected", selected);
    const token = videogen.store.read("token");
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch(url, { headers, cache: "no-store" });
    if (answer.status === 200) return answer.json();
    return answer.status === 204 && !token ? NOTHING : null;
  }

  // Asked for while the rest of the document is still on its way.
  document.documentElement.setAttribute("data-early", "");
  document.documentElement.setAttribute("data-unsettled", "");
  // Of the whole document: Gradio may be there before the answer is.
  document.documentElement.setAttribute("data-asking", "");
  const restored = restore().catch(() => null); // Gradio's way may still work, and says so where it does not

  videogen.shell = {
    /** Light or dark, by the rule that Gradio will follow. */
    dress() {
      const asked = new URLSearchParams(window.location.search).get("__theme");
      const dark = asked ? asked === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
      document.body.classList.toggle("dark", dark);
    },

    async open() {
      videogen.listen();
      videogen.engines.introduce();
      videogen.early.open();
      videogen.presets.open();
      const early = await Promise.race([restored, new Promise((resolve) => window.setTimeout(resolve, 3000, null))]);
      // The watcher's frames are newer.
      if (early !== null && !videogen.watched) videogen.showRoom(early.room, early.history);
      document.documentElement.removeAttribute("data-asking");
      videogen.claim.landed();
    },

    /** Gradio has a place for the part of this name. */
    place(name, element) {
      places.set(name, element);
      if (places.size === all().size) moveIn();
    },
  };
})();

// "Remix" on a shared page leads here with the link in the address: its prompt and settings go into the form, and
// nothing starts by itself.
(() => {
  const MARK = /^#remix=([\w-]{8,64})$/;

  /** Anybody may have written what comes; only what the form could hold itself is taken. */
  function checked(told) {
    const words = (value) => (typeof value === "string" ? value : "");
    const number = (value, fallback) => (Number.isFinite(value) && value > 0 ? value : fallback);
    return {
      prompt: words(told.prompt),
      negative: words(told.negative),
      width: number(told.width, 512),
      height: number(told.height, 288),
      seconds: number(told.seconds, undefined),
      fps: number(told.fps, 24),
      seed: /^\d{1,18}$/.test(told.seed) ? told.seed : "",
      engine: words(told.engine),
      type: told.type === "image" ? "image" : "video",
      settings: typeof told.settings === "object" && told.settings !== null ? told.settings : {},
      // The image that somebody started from is theirs.
      inputFileId: null,
      variations: 1,
    };
  }

  async function take(slug) {
    // A reload must not undo what is typed from here on.
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
    const answer = await fetch(`${videogen.root()}/s/${slug}/recipe.json`, { cache: "no-store" });
    if (!answer.ok) {
      videogen.remix.said = videogen.say("remix.gone");
      return;
    }
    videogen.draft.note(videogen.engines.formOf(checked(await answer.json())));
    videogen.remix.said = videogen.say("remix.taken");
  }

  videogen.remix = {
    /** What became of it, for the page's first notice. */
    said: "",
    /** Done once the form's draft is what was asked for; null where nothing was. */
    taken: null,
  };
  const slug = MARK.exec(window.location.hash)?.[1];
  if (slug) {
    videogen.remix.taken = take(slug).catch(() => {
      videogen.remix.said = videogen.say("remix.unreachable");
    });
  }

  // The page may be open already in this very tab.
  window.addEventListener("hashchange", () => {
    if (MARK.test(window.location.hash)) window.location.reload();
  });
})();

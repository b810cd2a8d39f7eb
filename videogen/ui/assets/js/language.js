// The language is chosen by a link, and kept in a cookie, by which the server knows it before the page is there.
// Where a frame may keep no cookie, this browser's storage remembers, and the address says so once.
(() => {
  const { language } = videogen;
  const year = 365 * 86_400;

  function address(tag) {
    const url = new URL(window.location.href);
    if (tag) url.searchParams.set("language", tag);
    else url.searchParams.delete("language");
    return url;
  }

  const isKept = (tag) => document.cookie.split("; ").includes(`videogen_language=${tag}`);

  function keep(tag) {
    videogen.store.write("language", tag);
    const framed = window.location.protocol === "https:" && window.top !== window;
    const rules = framed ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
    document.cookie = `videogen_language=${tag}; Path=${new URL(".", document.baseURI).pathname}; Max-Age=${year}; ${rules}`;
    return isKept(tag);
  }

  /** The document is in another language than the one that was chosen here. */
  function correct(kept) {
    // The server knew of the choice, and does not speak it any more.
    if (isKept(kept)) return videogen.store.write("language", null);
    if (keep(kept)) return window.location.reload();
    return window.location.replace(address(kept));
  }

  const kept = videogen.store.read("language");
  if (new URLSearchParams(window.location.search).has("language")) {
    // It was asked for by name: that is a choice.
    keep(language);
    window.history.replaceState(window.history.state, "", address());
  } else if (kept && kept !== language) correct(kept);

  // Gradio speaks the browser's language, which need not be the page's.
  for (const [name, value] of Object.entries({ language, languages: [language] })) {
    Object.defineProperty(window.navigator, name, { configurable: true, get: () => value });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-language]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { language: wanted } = link.dataset;
    if (wanted === language) return;
    if (keep(wanted)) window.location.reload();
    else window.location.assign(address(wanted));
  });
})();

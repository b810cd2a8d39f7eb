// What was chosen for the page: kept in this browser. The server knows the language from a cookie, before the page.
{
  const paint = (theme) => (theme ? (document.documentElement.dataset.theme = theme) : delete document.documentElement.dataset.theme);
  paint(videogen.stored("choices")?.theme);
  videogen.on("choices", (choices) => {
    videogen.store("choices", choices);
    paint(choices.theme);
  });
  const keep = (tag) => {
    videogen.store("language", tag);
    const rules = location.protocol === "https:" && window.top !== window ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
    document.cookie = `videogen_language=${tag}; Path=${new URL(".", document.baseURI).pathname}; Max-Age=31536000; ${rules}`;
    return document.cookie.includes(`videogen_language=${tag}`);
  };
  const go = (tag) => {
    const url = new URL(location.href);
    // In a frame without cookies the address says it.
    if (keep(tag)) url.searchParams.delete("language");
    else url.searchParams.set("language", tag);
    if (url.href === location.href) location.reload();
    else location.replace(url);
  };
  const shown = document.documentElement.lang;
  // Gradio would speak the browser's language, and say so in the document.
  for (const [name, value] of [["language", shown], ["languages", [shown]]]) Object.defineProperty(navigator, name, { value });
  const kept = videogen.stored("language");
  if (new URLSearchParams(location.search).has("language")) keep(shown);
  else if (kept && kept !== shown && !document.cookie.includes(`videogen_language=${kept}`)) go(kept);
  document.addEventListener("click", (event) => {
    const tag = event.target.closest?.("[data-language]")?.dataset.language;
    if (!tag || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (tag !== shown) go(tag);
  });
}

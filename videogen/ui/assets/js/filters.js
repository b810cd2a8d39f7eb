// The bar above the history: what is looked for.
(() => {
  const { byId, attribute } = videogen;
  const PAUSE = 200; // milliseconds after the last key
  let typing = 0;

  function search() {
    window.clearTimeout(typing);
    videogen.history.look({ q: byId("history-search").value });
  }

  function press(chip) {
    const { filter, value } = chip.dataset;
    const on = chip.getAttribute("aria-pressed") !== "true";
    if (filter === "favorite") return videogen.history.look({ favorite: on });
    if (filter === "type") return videogen.history.look({ type: on ? value : "" });
    const pressed = [...document.querySelectorAll('#history-filters [data-filter="status"][aria-pressed="true"]')];
    const others = pressed.map((one) => one.dataset.value).filter((one) => one !== value);
    return videogen.history.look({ status: on ? [...others, value] : others });
  }

  document.addEventListener("input", (event) => {
    if (event.target.id !== "history-search") return;
    window.clearTimeout(typing);
    typing = window.setTimeout(search, PAUSE);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "history-filters") return;
    event.preventDefault();
    search();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "history-engine") videogen.history.look({ engine: event.target.value });
  });
  document.addEventListener("click", (event) => {
    const chip = event.target.closest?.("#history-filters [data-filter]");
    if (chip) press(chip);
    if (!event.target.closest?.("#history-clear")) return;
    window.clearTimeout(typing);
    videogen.history.clear();
    byId("history-search").focus();
  });

  /** What each engine is called; one that is not offered any more has its id. */
  function title(id) {
    const offered = JSON.parse(byId("engine-forms")?.textContent || "[]");
    return offered.find((engine) => engine.id === id)?.title ?? id;
  }

  videogen.filters = {
    /** Have the bar show what is looked for. */
    mark(wanted) {
      if (byId("history-search").value.trim() !== wanted.q.trim()) byId("history-search").value = wanted.q;
      if (byId("history-engine").value !== wanted.engine) byId("history-engine").value = wanted.engine;
      attribute(byId("history-engine"), "data-on", wanted.engine ? "true" : null);
      for (const chip of document.querySelectorAll("#history-filters [data-filter]")) {
        const { filter, value } = chip.dataset;
        const on = filter === "status" ? wanted.status.includes(value) : String(wanted[filter]) === value;
        attribute(chip, "aria-pressed", String(on));
      }
    },

    /** Engines that were met, if there are several. */
    engines(items) {
      const select = byId("history-engine");
      const known = new Set([...select.options].map((option) => option.value));
      for (const id of new Set(items.map((one) => one.engine))) {
        if (!known.has(id)) select.add(new Option(title(id), id));
      }
      select.hidden = select.options.length < 3;
    },
  };
})();

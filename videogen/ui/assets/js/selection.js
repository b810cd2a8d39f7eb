// Selecting several: which, and what is done with all of them.
(() => {
  const { byId, attribute, show, text, say } = videogen;
  const MOST = 1000; // generations in one zip
  let active = false;
  let chosen = new Set();
  let last = null; // for a range with Shift

  function ids() {
    const here = videogen.history.items.map((one) => one.id).filter((id) => chosen.has(id));
    const seen = new Set(here);
    // What was selected as matching, but is not loaded, is older than all that is.
    return [...here, ...[...chosen].filter((id) => !seen.has(id))];
  }

  function everything() {
    const items = videogen.history.items;
    return items.length > 0 && items.every((one) => chosen.has(one.id)) && byId("history-more").hidden;
  }

  function bar() {
    show("history-bulk", active);
    for (const node of [byId("history-section"), document.documentElement]) {
      attribute(node, "data-selecting", active ? "true" : null);
    }
    attribute(byId("history-select"), "aria-pressed", String(active));
    if (!active) return;
    text("history-chosen", chosen.size ? say("history.selected", { count: chosen.size }) : say("history.none_selected"));
    const matching = videogen.history.filtered ? say("history.select_matching") : say("history.select_all");
    text("history-all", everything() ? say("history.select_none") : matching);
    for (const id of ["history-zip", "history-trash"]) byId(id).disabled = chosen.size === 0;
    byId("history-bulk").dispatchEvent(new CustomEvent("videogen:selected", { bubbles: true }));
  }

  function update() {
    bar();
    videogen.gallery.repick();
  }

  function begin(id = null) {
    active = true;
    if (id !== null) chosen.add(id);
    last = id;
    update();
  }

  function end() {
    const inside = byId("history-bulk").contains(document.activeElement);
    active = false;
    chosen = new Set();
    last = null;
    update();
    if (inside) byId("history-select").focus({ preventScroll: true });
  }

  function toggle(id, ranged) {
    const on = !chosen.has(id);
    const items = videogen.history.items;
    const [from, to] = [items.findIndex((one) => one.id === last), items.findIndex((one) => one.id === id)];
    const several = ranged && from >= 0 ? items.slice(Math.min(from, to), Math.max(from, to) + 1) : [{ id }];
    for (const one of several) {
      if (on) chosen.add(one.id);
      else chosen.delete(one.id);
    }
    last = id;
    update();
  }

  async function all(button) {
    if (everything()) chosen = new Set();
    else {
      button.disabled = true;
      try {
        chosen = new Set(await videogen.history.ids());
      } catch (problem) {
        videogen.toast.say(problem.message);
      } finally {
        button.disabled = false;
      }
    }
    update();
  }

  async function zip(button) {
    if (chosen.size > MOST) return videogen.toast.say(say("history.zip_limit", { most: MOST }));
    button.disabled = true;
    try {
      const bundle = await videogen.api.ask("POST", "/generations/zip", { ids: ids() });
      const link = document.createElement("a");
      link.href = videogen.absolute(bundle.url);
      link.download = "";
      link.click();
      videogen.toast.say(say("history.zip_comes", { count: bundle.count }));
    } catch (problem) {
      videogen.toast.say(problem.message);
    } finally {
      button.disabled = chosen.size === 0;
    }
    return undefined;
  }

  async function trash(event) {
    const [one] = chosen.size === 1 ? videogen.history.items.filter((item) => chosen.has(item.id)) : [];
    const which = ids();
    byId("history-trash").disabled = true;
    end();
    await videogen.toast.trash(which, one?.name, event.detail === 0);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#history-select, #history-bulk button");
    if (!button) return undefined;
    if (button.id === "history-select") return active ? end() : begin();
    if (button.id === "history-done") return end();
    if (button.id === "history-all") return all(button);
    if (button.id === "history-zip") return zip(button);
    return button.id === "history-trash" ? trash(event) : undefined;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && active && event.target.closest?.("#history-section")) end();
  });

  videogen.selection = {
    get active() {
      return active;
    },
    has: (id) => chosen.has(id),
    ids,
    bar,
    begin,
    toggle,
  };
})();

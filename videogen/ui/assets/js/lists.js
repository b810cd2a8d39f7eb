// What is being rendered: a list that keeps its elements from one update to the next. What has ended is in `gallery`.
(() => {
  const { byId, attribute, show, say } = videogen;
  const dates = new Intl.DateTimeFormat(videogen.language, { dateStyle: "medium", timeStyle: "short" });

  function part(node, name, value) {
    const target = node.querySelector(`[data-part="${name}"]`);
    if (target.textContent !== value) target.textContent = value;
  }

  /** Bring a list to `items`: elements are moved and filled, made only for what is new. */
  function sync(list, items, template, fill) {
    const known = new Map([...list.children].map((node) => [node.dataset.generationId, node]));
    let before = list.firstElementChild;
    for (const item of items) {
      let node = known.get(item.id);
      if (node === undefined) {
        node = byId(template).content.firstElementChild.cloneNode(true);
        node.dataset.generationId = item.id;
      }
      known.delete(item.id);
      attribute(node, "data-status", item.status);
      fill(node, item);
      if (node === before) before = before.nextElementSibling;
      else list.insertBefore(node, before);
    }
    for (const node of known.values()) node.remove();
  }

  function mark(list, selected) {
    for (const node of list.children) {
      attribute(node.firstElementChild, "aria-current", node.dataset.generationId === selected ? "true" : null);
    }
  }

  function remark() {
    const selected = videogen.stage.job?.id;
    if (byId("active")) mark(byId("active"), selected);
    videogen.gallery.mark(selected);
  }

  videogen.lists = {
    part,
    sync,
    remark,

    date(date) {
      return dates.format(date);
    },

    when(date, now = new Date()) {
      const seconds = (date - now) / 1000;
      const relative = new Intl.RelativeTimeFormat(videogen.language, { numeric: "auto" });
      if (seconds > -60) return relative.format(0, "second");
      if (seconds > -3600) return relative.format(Math.round(seconds / 60), "minute");
      if (seconds > -86400) return relative.format(Math.round(seconds / 3600), "hour");
      return dates.format(date);
    },
  };
})();

// The public links of this session, as the server told them last, and how one gets into somebody's hands.
(() => {
  const known = new Map();

  async function copy(text, field) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Without https, and in a frame that may not, there is still the old way.
      if (!field) return false;
      field.focus({ preventScroll: true });
      field.select();
      return document.execCommand("copy");
    }
  }

  videogen.links = {
    /** Where a link leads; the server says so only where it knows more than this browser. */
    address(link) {
      return link.url ?? `${videogen.root()}/s/${link.slug}`;
    },

    of(id) {
      return known.get(id) ?? null;
    },

    apply(items) {
      known.clear();
      for (const item of items) known.set(item.id, item);
    },

    all() {
      return [...known.values()];
    },

    copy,

    about(link) {
      if (!link.expires) return videogen.say("share.views", { count: link.views });
      return videogen.say("share.views_until", { count: link.views, date: videogen.lists.date(new Date(link.expires)) });
    },
  };
})();

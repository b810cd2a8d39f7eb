// The browser's session: kept by Gradio in this browser's storage, and in the cookie where cookies are allowed.
(() => {
  const PATIENCE = 10_000; // ms
  let kept = null;
  let know = null;
  const known = new Promise((resolve) => (know = resolve));

  async function adopt(token) {
    try {
      const headers = { Authorization: `Bearer ${token}` };
      await fetch(`${videogen.root()}/api/v1/sessions/cookie`, { method: "POST", headers });
    } catch {
      // In a cross-site frame the cookie may be refused; the page's own storage is enough.
    }
  }

  videogen.session = {
    /** What this page said at its arrival. */
    brought: null,

    /** The room names the token only where this browser does not know it yet. */
    apply(room) {
      const token = room.token ?? (room.brought ? videogen.session.brought : null);
      if (!token || token === kept) return;
      videogen.store.write("claimed", null);
      kept = token;
      know();
      // For the next visit, which asks before Gradio can tell what it keeps.
      videogen.store.write("token", kept);
      videogen.act("keep");
      if (room.adopt) adopt(token);
    },

    /** The session's token, once the page knows it. */
    async token() {
      await known;
      return kept;
    },

    /** What goes along with a wish: whoever has just come has a session in a moment. Where none comes, the API says so. */
    async along(session) {
      const patience = new Promise((resolve) => window.setTimeout(resolve, PATIENCE));
      await Promise.race([known, patience]);
      return kept ? { ...(session ?? {}), token: kept } : (session ?? {});
    },

    /** The same for a click: before Gradio has read its own storage, there is nothing in it. */
    async ofClick(session) {
      return [await videogen.session.along(session)];
    },

    /** The same at once: before the page knows it, what this browser has kept. */
    early() {
      return kept ?? videogen.store.read("token");
    },

    /** Another session is this browser's from now on: for the cookie the server has seen to it. */
    replace(token) {
      videogen.store.write("token", token);
      videogen.store.write("claimed", token);
      videogen.tab.write(null);
    },

    value() {
      return { token: kept };
    },
  };
})();

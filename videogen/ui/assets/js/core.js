// The page's own scripts share this one name. Each file adds one thought to it.
window.videogen = {
  root() {
    const root = new URL(window.gradio_config?.root || ".", document.baseURI);
    // Behind a proxy Gradio may name another scheme or port than the one that this browser uses.
    const path = root.pathname.replace(/\/+$/, "");
    return window.location.origin + path;
  },

  byId(id) {
    return document.getElementById(id);
  },

  /** Have the server, or another part of the page, do something; what comes before Gradio is there waits for it. */
  act(name, data) {
    if (videogen.handlers === null) videogen.waiting.push([name, data]);
    else videogen.handlers[name](data);
  },

  handlers: null,
  waiting: [],

  mounted(handlers) {
    videogen.handlers = handlers;
    for (const [name, data] of videogen.waiting.splice(0)) videogen.act(name, data);
  },

  /** Text is always text: nothing that a person wrote is ever read as markup. */
  text(id, value) {
    const node = videogen.byId(id);
    if (node && node.textContent !== value) node.textContent = value;
  },

  attribute(node, name, value) {
    if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
  },

  /** An address of the API as this browser reaches it. */
  absolute(url) {
    return url ? new URL(url, window.location.origin).href : null;
  },

  show(id, visible) {
    const node = videogen.byId(id);
    if (node && node.hidden === Boolean(visible)) node.hidden = !visible;
  },

  store: {
    read(key, fallback = null) {
      try {
        return JSON.parse(window.localStorage.getItem(`videogen.${key}`)) ?? fallback;
      } catch {
        return fallback;
      }
    },
    write(key, value) {
      try {
        window.localStorage.setItem(`videogen.${key}`, JSON.stringify(value));
        return true;
      } catch {
        return false; // Storage may be full or forbidden; the page works on without it.
      }
    },
  },

  /** What the page brings along when it loads: its session, and what it had open. */
  arrive(session) {
    const token = videogen.store.read("claimed") ?? session?.token ?? videogen.store.read("token");
    videogen.session.brought = token ?? null;
    return [{ ...(session ?? {}), token, selected: videogen.tab.read(), language: videogen.language }];
  },

  /** The open generation is remembered per tab, and for a new tab that of the last one. */
  tab: {
    read() {
      try {
        const own = window.sessionStorage.getItem("videogen.selected");
        return own || videogen.store.read("selected");
      } catch {
        return null;
      }
    },
    write(id) {
      videogen.store.write("selected", id);
      try {
        window.sessionStorage.setItem("videogen.selected", id ?? "");
      } catch {
        // As above: without storage the newest generation is shown.
      }
    },
  },
};

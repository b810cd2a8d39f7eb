// Sharing: the panel under the stage for the generation that is on it, and the list of all that is shared.
(() => {
  const { byId, text, attribute, show, say } = videogen;
  let open = null; // the generation whose panel is open
  let fresh = false; // a link was asked for and is to be copied when it comes

  function tell(words) {
    text("share-said", words);
  }

  async function copy(link) {
    const address = videogen.links.address(link);
    const done = await videogen.links.copy(address, byId("share-link"));
    tell(say(done ? "share.copied" : "share.press_to_copy"));
  }

  function panel() {
    const link = open === null ? null : videogen.links.of(open);
    const visible = link !== null && videogen.stage.job?.id === open;
    show("share-panel", visible);
    attribute(byId("share"), "aria-expanded", visible ? "true" : "false");
    if (!visible) return;
    const address = videogen.links.address(link);
    if (byId("share-link").value !== address) {
      byId("share-link").value = address;
      byId("share-qr").src = `${videogen.root()}/s/${link.slug}/qr.svg`;
      byId("share-open").href = address;
    }
    text("share-views", videogen.links.about(link));
    byId("share-expires").value = link.expires ? "keep" : "never";
    byId("share-expires").firstElementChild.textContent = link.expires
      ? say("share.on", { date: videogen.lists.date(new Date(link.expires)) })
      : "";
  }

  function fill(node, link) {
    node.dataset.sharedId = link.id;
    const title = node.querySelector('[data-part="title"]');
    title.textContent = link.title;
    title.href = videogen.links.address(link);
    node.querySelector('[data-part="about"]').textContent = videogen.links.about(link);
    for (const button of node.querySelectorAll("button")) {
      const what = button.dataset.share === "copy" ? "shared.copy_of" : "shared.revoke_of";
      button.setAttribute("aria-label", say(what, { title: link.title }));
      videogen.busy(button, false);
    }
  }

  function list() {
    const items = videogen.links.all();
    const before = new Map([...byId("shared").children].map((node) => [node.dataset.sharedId, node]));
    const nodes = items.map((link) => {
      const node = before.get(link.id) ?? byId("shared-entry").content.firstElementChild.cloneNode(true);
      fill(node, link);
      return node;
    });
    byId("shared").replaceChildren(...nodes);
    show("shared-section", items.length > 0);
  }

  function ask(id, more = {}) {
    open = id;
    videogen.act("publish", { id, ...more });
  }

  function start(id) {
    tell("");
    fresh = true;
    ask(id);
  }

  function revoke(id) {
    if (open === id) open = null;
    panel();
    videogen.act("unpublish", { id });
  }

  async function inList(button) {
    const id = button.closest("[data-shared-id]").dataset.sharedId;
    if (button.dataset.share === "revoke") {
      videogen.busy(button, true);
      return revoke(id);
    }
    const link = videogen.links.of(id);
    if (link && (await videogen.links.copy(videogen.links.address(link), null))) {
      button.textContent = say("shared.copied");
      window.setTimeout(() => (button.textContent = say("shared.copy")), 1500);
    }
    return undefined;
  }

  function clicked(event) {
    const button = event.target.closest?.("#share, #share-copy, #share-revoke, #share-close, #shared button");
    if (!button) return undefined;
    if (button.dataset.share) return inList(button);
    if (button.id === "share") return start(videogen.stage.job?.id);
    const link = videogen.links.of(open);
    if (button.id === "share-copy") return link && copy(link);
    if (button.id === "share-revoke") return revoke(open);
    open = null;
    panel();
    return byId("share").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || open === null || !byId("share-panel").contains(event.target)) return;
    byId("share-close").click();
  });
  document.addEventListener("click", clicked);
  document.addEventListener("change", (event) => {
    if (event.target.id !== "share-expires" || open === null) return;
    const wanted = event.target.value;
    ask(open, { expires: wanted === "never" ? null : Number(wanted) });
  });

  videogen.share = {
    /** What the server told of this session's links. */
    apply(items) {
      if (!byId("shared")) return;
      videogen.links.apply(items);
      list();
      panel();
      const link = open === null ? null : videogen.links.of(open);
      if (!fresh || !link) return;
      fresh = false;
      copy(link);
    },

    /** The stage shows another generation, or another state of it. */
    stage(job) {
      show("share", job !== null && job.status !== "failed" && job.status !== "cancelled");
      panel();
    },
  };
})();

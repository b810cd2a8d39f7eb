// Updates the page of a link while its generation renders: one EventSource, texts in the language of the page.
(() => {
  const byId = (id) => document.getElementById(id);
  const viewer = byId("stage");
  const base = viewer.dataset.base;
  const MAX_SILENCE = 25_000; // milliseconds; while a renderer works, the server sends something more often
  let source = null, lastEventAt = 0, retries = 0;

  const absolute = (link) => base + link;
  function setText(id, text) {
    const node = byId(id);
    if (node && node.textContent !== text) node.textContent = text;
  }

  function setMessage(text) {
    const node = byId("say");
    if (!node) return;
    node.hidden = !text;
    node.textContent = text;
  }

  function setConnected(connected) {
    const node = byId("link");
    if (!node) return;
    node.hidden = connected;
    node.textContent = connected ? "" : gettext("visitor.reconnecting");
  }

  function sentence(part) {
    const text = part.key ? gettext(part.key, part.values) : part.code === undefined ? part.text : problem(part);
    return text.slice(0, 1).toUpperCase() + text.slice(1);
  }

  const noteOf = (data) => data.said.note.map(sentence).join(" · ");

  function receive(event) {
    lastEventAt = performance.now();
    retries = 0;
    setConnected(true);
    const data = JSON.parse(event.data);
    viewer.dataset.status = data.status;
    setText("label", gettext(data.said.label));
    setText("note", noteOf(data));
    return data;
  }

  function onProgress(event) {
    const data = receive(event);
    byId("progress").value = data.progress;
    const picture = byId("picture");
    if (data.previewUrl) {
      const preview = absolute(data.previewUrl);
      if (picture.getAttribute("src") !== preview) picture.src = preview;
      picture.hidden = false;
    }
    setMessage(data.previewUrl ? "" : noteOf(data));
  }

  function finish() {
    source.close();
    source = null;
    byId("progress")?.remove();
  }

  function player(data) {
    const video = document.createElement("video");
    Object.assign(video, { id: "video", controls: true, loop: true, muted: !data.hasAudio, playsInline: true });
    video.width = data.width;
    video.height = data.height;
    if (data.posterUrl) video.poster = absolute(data.posterUrl);
    video.setAttribute("aria-label", viewer.dataset.alt);
    video.autoplay = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    video.src = absolute(data.url);
    return video;
  }

  function onResult(event) {
    const data = receive(event);
    finish();
    if (data.type === "image") {
      byId("picture").src = absolute(data.url);
      byId("picture").alt = viewer.dataset.alt;
      byId("picture").hidden = false;
    } else {
      byId("picture").replaceWith(player(data));
    }
    setMessage("");
    const download = byId("download");
    if (!download) return;
    download.href = absolute(`${data.url}?download`);
    download.hidden = false;
  }

  /** `error` is the name of a terminal event, and also EventSource's name for a lost connection. */
  function onError(event) {
    if (event.data !== undefined) {
      const data = receive(event);
      finish();
      setMessage(noteOf(data) || gettext(data.said.label));
      return;
    }
    setConnected(false);
    if (source?.readyState === EventSource.CLOSED) reconnect();
  }

  /** A response that is not a stream ends an EventSource: the link was revoked, or a proxy cannot reach the server. */
  async function reconnect() {
    source = null;
    const response = await fetch(window.location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (response?.status === 404 || response?.status === 410) {
      window.location.reload();
      return;
    }
    retries = Math.min(retries + 1, 8);
    window.setTimeout(connect, 1000 * retries);
  }

  function connect() {
    source?.close();
    lastEventAt = performance.now();
    source = new EventSource(absolute("events"));
    source.addEventListener("render_progress", onProgress);
    source.addEventListener("render_result", onResult);
    source.addEventListener("error", onError);
  }

  /** After a sleep of the device the connection may be dead, and EventSource does not notice it. */
  function reconnectIfSilent() {
    if (source && !document.hidden && performance.now() - lastEventAt > MAX_SILENCE) connect();
  }

  window.addEventListener("online", reconnectIfSilent);
  window.addEventListener("pageshow", (event) => event.persisted && source && connect());
  document.addEventListener("visibilitychange", reconnectIfSilent);
  connect();
})();

// Keeps the page of a link true while its generation renders: one EventSource, said in the page's language.
(() => {
  const byId = (id) => document.getElementById(id);
  const stage = byId("stage");
  const base = stage.dataset.base;
  const STILL = 25_000; // longer than the server is ever silent while a renderer works
  let source = null;
  let heard = 0;
  let retry = 0;

  const at = (link) => base + link;

  function text(id, words) {
    const node = byId(id);
    if (node && node.textContent !== words) node.textContent = words;
  }

  function say(words) {
    const node = byId("say");
    if (!node) return;
    node.hidden = !words;
    node.textContent = words;
  }

  /** The page says so while it does not hear from the server. */
  function connected(is) {
    const node = byId("link");
    if (!node) return;
    node.hidden = is;
    node.textContent = is ? "" : videogen.say("visitor.reconnecting");
  }

  function part(told) {
    const words = told.key ? videogen.say(told.key, told.values) : told.code === undefined ? told.text : videogen.problem(told);
    return words.slice(0, 1).toUpperCase() + words.slice(1);
  }

  /** What happens, as one line; a program that reads the stream finds it there in English. */
  const note = (told) => told.said.note.map(part).join(" · ");

  function state(told) {
    stage.dataset.status = told.status;
    text("label", videogen.say(told.said.label));
    text("note", note(told));
  }

  function hear(event) {
    heard = performance.now();
    retry = 0;
    connected(true);
    const told = JSON.parse(event.data);
    state(told);
    return told;
  }

  function progress(event) {
    const told = hear(event);
    byId("progress").value = told.progress;
    const picture = byId("picture");
    if (told.previewUrl) {
      const next = at(told.previewUrl);
      if (picture.getAttribute("src") !== next) picture.src = next;
      picture.hidden = false;
    }
    say(told.previewUrl ? "" : note(told));
  }

  function finished() {
    source.close();
    source = null;
    byId("progress")?.remove();
  }

  function player(told) {
    const video = document.createElement("video");
    Object.assign(video, { id: "video", controls: true, loop: true, muted: true, playsInline: true });
    video.width = told.width;
    video.height = told.height;
    if (told.posterUrl) video.poster = at(told.posterUrl);
    video.setAttribute("aria-label", stage.dataset.alt);
    video.autoplay = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    video.src = at(told.url);
    return video;
  }

  function result(event) {
    const told = hear(event);
    finished();
    if (told.type === "image") {
      byId("picture").src = at(told.url);
      byId("picture").alt = stage.dataset.alt;
      byId("picture").hidden = false;
    } else {
      byId("picture").replaceWith(player(told));
    }
    say("");
    const download = byId("download");
    if (!download) return;
    download.href = at(`${told.url}?download`);
    download.hidden = false;
  }

  /** `error` is both the name of an event of ours and EventSource's word for a lost connection. */
  function error(event) {
    if (event.data !== undefined) {
      const told = hear(event);
      finished();
      return say(note(told) || videogen.say(told.said.label));
    }
    connected(false);
    if (source?.readyState === EventSource.CLOSED) again();
    return undefined;
  }

  /** An answer that is no stream ends an EventSource: the link may be gone, or a proxy may have nobody behind it. */
  async function again() {
    source = null;
    const answer = await fetch(window.location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (answer?.status === 404 || answer?.status === 410) return window.location.reload();
    retry = Math.min(retry + 1, 8);
    window.setTimeout(listen, 1000 * retry);
    return undefined;
  }

  function listen() {
    source?.close();
    heard = performance.now();
    source = new EventSource(at("events"));
    source.addEventListener("render_progress", progress);
    source.addEventListener("render_result", result);
    source.addEventListener("error", error);
  }

  /** Back from sleep: the stream may be dead without having said so. */
  function wake() {
    if (source && !document.hidden && performance.now() - heard > STILL) listen();
  }

  window.addEventListener("online", wake);
  window.addEventListener("pageshow", (event) => event.persisted && source && listen());
  document.addEventListener("visibilitychange", wake);
  listen();
})();

// What the form asks besides Gradio's fields: video or still, how many variations, and the image to start from.
// These are plain HTML: they cost the page no time, and the image goes to the API by itself.
(() => {
  const { byId, text, attribute, say } = videogen;
  const NOTHING = { type: "video", variations: 1, inputFileId: null };
  const TYPES = ["image/png", "image/jpeg", "image/webp"];
  let wish = { ...NOTHING };
  let offer = { image: true, types: ["video", "image"] };
  let shown = null; // the chosen image, as the API tells of it
  let sending = null;

  const api = (path) => `${videogen.root()}/api/v1/files${path}`;
  const authorization = async () => ({ Authorization: `Bearer ${await videogen.session.token()}` });

  function complain(words) {
    text("input-error", words ?? "");
  }

  function about(file) {
    return `${file.width} × ${file.height}`;
  }

  /** Bring the page's parts to what is wished for. */
  function show() {
    if (!byId("intake")) return;
    const still = offer.types.includes("image") && wish.type === "image";
    byId(still ? "make-image" : "make-video").checked = true;
    byId("make").hidden = offer.types.length < 2;
    byId("variations").value = String(wish.variations);
    byId("input-field").hidden = !offer.image;
    attribute(byId("intake"), "data-make", still ? "image" : "video");
    const state = sending ? "sending" : wish.inputFileId ? "chosen" : "empty";
    attribute(byId("input-field"), "data-state", state);
    attribute(byId("input-field"), "aria-busy", sending ? "true" : null);
    byId("input-drop").hidden = state !== "empty";
    byId("input-chosen").hidden = state === "empty";
    const preview = byId("input-preview");
    const source = sending?.preview ?? videogen.absolute(shown?.url) ?? null;
    attribute(preview, "src", source);
    attribute(preview, "alt", state === "chosen" ? say("image.chosen") : "");
    preview.hidden = source === null;
    text("input-about", sending ? say("image.sending", { name: sending.name }) : shown ? about(shown) : "");
    attribute(byId("input-remove"), "aria-label", say(sending ? "image.stop" : "image.remove_it"));
  }

  function change(values) {
    wish = { ...wish, ...values };
    show();
    videogen.act("draft");
  }

  function stop() {
    sending?.abort.abort();
    if (sending) URL.revokeObjectURL(sending.preview);
    sending = null;
  }

  async function refusal(answer) {
    const problem = await answer.json().catch(() => null);
    const [error] = problem?.errors ?? [];
    if (error) return say("form.expected", { field: say("form.image"), expected: error.expected, got: error.got });
    const why = problem ? videogen.problem(problem) : say("notice.server_answered", { status: answer.status });
    return say("image.refused", { why: why.replace(/^file: /, "") });
  }

  async function send(file) {
    stop();
    const most = Number(byId("input-field").dataset.most);
    // A browser knows a file by its name alone; the server looks at its bytes.
    if (file.type && !TYPES.includes(file.type)) return complain(say("image.wrong_type", { type: file.type }));
    if (file.size > most * 1e6) return complain(say("image.too_large", { most, size: file.size / 1e6 }));
    const mine = { name: file.name, preview: URL.createObjectURL(file), abort: new AbortController() };
    sending = mine;
    complain("");
    show();
    try {
      const body = new FormData();
      body.append("file", file);
      const headers = await authorization();
      const answer = await fetch(api(""), { method: "POST", headers, body, signal: mine.abort.signal });
      if (sending !== mine) return undefined;
      if (!answer.ok) throw new Error(await refusal(answer));
      shown = await answer.json();
      stop();
      change({ inputFileId: shown.id });
      byId("input-remove").focus({ preventScroll: true });
    } catch (problem) {
      if (sending !== mine) return undefined;
      stop();
      complain(problem instanceof TypeError ? say("image.unreachable") : problem.message);
      show();
    }
    return undefined;
  }

  /** The image of a draft that comes back: its link may have run out, and itself may be gone. */
  async function fetchShown(id) {
    try {
      const answer = await fetch(api(`/${encodeURIComponent(id)}`), { headers: await authorization(), cache: "no-store" });
      if (wish.inputFileId !== id) return;
      if (answer.ok) shown = await answer.json();
      else if (answer.status === 404) {
        complain(say("image.gone"));
        return change({ inputFileId: null });
      }
    } catch {
      // The id is kept: the server knows the image, even if it cannot be shown now.
    }
    show();
  }

  function first(files) {
    const all = [...(files ?? [])];
    return all.find((one) => one.type.startsWith("image/")) ?? all[0];
  }

  const ready = () => offer.image && byId("intake") !== null;
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const mark = (over) => byId("input-field") && attribute(byId("input-field"), "data-over", over ? "true" : null);

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.id === "input-file") {
      const file = first(field.files);
      if (file) send(file);
      field.value = ""; // or the same file could not be chosen again
    } else if (field.name === "vg-make") change({ type: field.value });
    else if (field.id === "variations") change({ variations: Number(field.value) });
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#input-remove")) return;
    stop();
    shown = null;
    complain("");
    change({ inputFileId: null });
    byId("input-file").focus({ preventScroll: true });
  });
  document.addEventListener("paste", (event) => {
    const file = first(event.clipboardData?.files);
    if (!file || !/^(image|video)\//.test(file.type)) return;
    event.preventDefault();
    videogen.reuse.open(file, send);
  });
  // Anywhere on the page: a browser would leave it for a picture that misses its place by an inch.
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    if (ready()) mark(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
  document.addEventListener("drop", (event) => {
    mark(false);
    if (!carries(event)) return;
    event.preventDefault();
    const file = first(event.dataTransfer.files);
    if (!file) return;
    // Whoever aims at the image's own place means the picture, even if it carries a recipe.
    const aimed = ready() && event.target.closest?.("#input-field") && file.type.startsWith("image/");
    if (aimed) send(file);
    else videogen.reuse.open(file, send);
  });

  videogen.intake = {
    /** What is wished for, as part of the draft and of the request. */
    values() {
      return { ...wish };
    },

    /** What can be wished for at all. */
    offers(engine) {
      offer = { image: engine.image, types: engine.types };
    },

    /** What a draft or a recipe wishes for, as far as the engine offers it. */
    fill(form, engine) {
      videogen.intake.offers(engine);
      const variations = Number(form.variations);
      const before = wish.inputFileId;
      wish = {
        type: engine.types.includes(form.type) ? form.type : engine.types[0],
        variations: variations >= 1 && variations <= 8 ? Math.floor(variations) : 1,
        inputFileId: (engine.image && form.inputFileId) || null,
      };
      if (wish.inputFileId !== before) {
        shown = null;
        complain("");
        if (wish.inputFileId) fetchShown(wish.inputFileId);
      }
      show();
    },

    /** Whether there is a place for an image to start from. */
    takes: ready,

    mounted: show,
  };
})();

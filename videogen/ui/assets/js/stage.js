// The generation on the stage: picture, status, progress, and what can be done with it.
(() => {
  const { byId, text, attribute, show, say } = videogen;
  let shown = null;
  let wanted = null;

  /** A preview that is gone before it came must not leave a broken picture: the last good one comes back. */
  function mend(event) {
    const image = event.target;
    const good = image.dataset.good;
    delete image.dataset.good;
    if (good && good !== image.src) image.src = good;
    else image.hidden = true;
  }

  function picture(job) {
    const image = byId("job-preview");
    image.onerror ??= mend;
    image.onload ??= () => (image.dataset.good = image.src);
    if (shown?.id !== job?.id) delete image.dataset.good;
    const source = videogen.absolute(job?.picture);
    if (source === null) {
      image.hidden = true;
      image.removeAttribute("src");
    } else {
      // The same element for every frame: the old picture stays until the new one is decoded.
      if (wanted !== source) image.src = source;
      const what = job.still ? "job.still" : job.status === "completed" ? "job.poster" : "job.preview";
      attribute(image, "alt", say(what, { prompt: job.prompt }));
      if (wanted !== source) image.hidden = false;
    }
    wanted = source;
    const waiting = job !== null && source === null && (job.status === "queued" || job.status === "processing");
    const ended = job !== null && (job.missing || job.status === "failed" || job.status === "cancelled");
    show("stage-wait", waiting);
    show("stage-failed", ended);
    if (waiting) byId("stage-wait").lastElementChild.textContent = job.stage;
    if (ended) byId("stage-failed").lastElementChild.textContent = job.stage;
  }

  function frame(job) {
    const stage = byId("stage");
    attribute(stage, "data-mode", job === null ? "empty" : job.video ? "video" : job.still ? "still" : job.status);
    attribute(stage, "aria-busy", job !== null && (job.status === "queued" || job.status === "processing"));
    if (job === null || shown?.id === job.id) return;
    const [width, height] = job.size;
    stage.style.setProperty("--aspect", String(Math.min(16 / 9, Math.max(width / height, 0.8))));
  }

  function progress(job) {
    const bar = byId("job-progress");
    const done = job === null ? 0 : job.progress;
    // Only wide steps are animated: many small ones are motion enough, and animating each would keep the browser
    // busier than the rest of the page. A new generation starts at its own place.
    const wide = job !== null && shown?.id === job.id && Math.abs(done - shown.progress) >= 3;
    bar.classList.toggle("vg-jump", !wide);
    attribute(bar, "aria-valuenow", done);
    attribute(bar, "aria-valuetext", job === null ? null : say("job.progress_text", { percent: Math.floor(done), stage: job.stage }));
    attribute(bar, "data-estimated", job?.estimated ? "true" : null);
    bar.firstElementChild.style.transform = `scaleX(${done / 100})`;
    const counts = job !== null && job.status === "processing";
    text("job-percent", counts ? say("size.percent", { percent: Math.floor(done) }) : "");
  }

  function facts(job) {
    show("job-about", job !== null);
    text("job-prompt", job?.prompt ?? "");
    reading(job?.reading);
    videogen.reuse.tell(job?.recipe);
    const list = byId("job-facts");
    const key = JSON.stringify(job?.facts ?? []);
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    list.replaceChildren(...(job?.facts ?? []).map(fact));
  }

  function fact([kind, name, value]) {
    const box = document.createElement("div");
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    if (kind === "seed") detail.append(copyButton(value));
    box.append(term, detail);
    return box;
  }

  /** A person's own words, whose direction must not turn what stands around them. */
  function own(words, name = "bdi") {
    const element = document.createElement(name);
    element.textContent = words;
    return element;
  }

  function reading(told) {
    show("job-reading", told);
    const box = byId("job-reading");
    const key = JSON.stringify(told ?? null);
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    text("job-reading-note", told?.note ?? "");
    const phrases = (told?.understood ?? []).map(([phrase, became]) => {
      const entry = document.createElement("li");
      const plain = phrase.toLowerCase() === became;
      entry.append(...(plain ? [] : [own(phrase), own("→", "span")]), own(became));
      entry.lastElementChild.lang = "en"; // whatever language the prompt is in
      return entry;
    });
    byId("job-understood").replaceChildren(...phrases);
    const ignored = told?.ignored ?? [];
    const words = ignored.flatMap((word, index) => (index ? [", ", own(word)] : [own(word)]));
    byId("job-ignored").replaceChildren(`${told?.ignoredLabel ?? ""}: `, ...words);
    show("job-ignored", ignored.length > 0);
  }

  function copyButton(value) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "vg-copy";
    button.textContent = say("job.copy");
    button.setAttribute("aria-label", say("job.copy_seed"));
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(value);
        button.textContent = say("job.copied");
      } catch {
        button.textContent = say("job.copy_refused");
      }
      window.setTimeout(() => (button.textContent = say("job.copy")), 1500);
    });
    return button;
  }

  function actions(job) {
    show("cancel", job?.canCancel);
    show("retry", job?.canRetry);
    for (const id of ["use-settings", "new-seed", "vary"]) show(id, job?.canRetry);
    show("animate", job?.canAnimate);
    const link = byId("download");
    show("download", job?.download);
    attribute(link, "href", videogen.absolute(job?.download?.href));
    attribute(link, "download", job?.download?.name ?? "");
    // A button that was pressed is ready again once the answer has come.
    for (const id of ["cancel", "retry", "new-seed", "vary"]) videogen.busy(id, false);
  }

  let expecting = 0; // until when (ms) what was sent is awaited, on a stage that had nothing

  videogen.stage = {
    /** Something was sent: its place is there at once, and nothing moves when it comes. */
    expect(prompt) {
      if (shown !== null) return;
      expecting = performance.now() + 15_000;
      attribute(byId("job"), "data-empty", false);
      text("job-status", say("status.sending"));
      text("job-prompt", prompt);
      show("job-about", true);
    },

    /** It was refused. */
    unexpect() {
      if (expecting === 0) return;
      expecting = 0;
      if (shown === null) attribute(byId("job"), "data-empty", "true");
    },

    get job() {
      return shown;
    },

    /** Bring the stage into view, for somebody who just asked to see something on it. */
    look() {
      const box = byId("stage").getBoundingClientRect();
      if (box.top < 0 || box.bottom > window.innerHeight) {
        byId("stage").scrollIntoView({ block: "center", behavior: videogen.glide() });
      }
    },

    apply(room) {
      if (!byId("job")) return;
      const job = room.selected;
      if (job === null && performance.now() < expecting) return;
      expecting = 0;
      const status = byId("job-status");
      attribute(byId("job"), "data-empty", job === null);
      attribute(status, "data-generation-id", job?.id ?? "");
      attribute(status, "data-status", job?.status ?? "");
      text("job-status", job?.statusText ?? say("status.none"));
      text("job-stage", job?.stage ?? "");
      text("job-step", job?.step ?? "");
      videogen.times.tell(byId("job-eta"), job?.times ?? null);
      text("job-attempt", job?.attempt ?? "");
      show("stage-empty", job === null && room.loaded);
      frame(job);
      picture(job);
      progress(job);
      videogen.announce(job);
      facts(job);
      actions(job);
      videogen.player.play(videogen.absolute(job?.video));
      if (job !== null && job.id !== shown?.id) {
        videogen.tab.write(job.id);
      }
      shown = job;
      videogen.share.stage(job);
    },
  };
})();

// Take it with you: a code for another device, a copy of everything, and a copy brought in.
(() => {
  const { byId, text, show, say } = videogen;
  let until = 0;
  let ticking = 0;

  /** Whoever comes for the first time has a session in a moment. */
  async function headers() {
    return { Authorization: `Bearer ${await videogen.session.token()}` };
  }

  function tick() {
    const seconds = Math.round((until - Date.now()) / 1000);
    if (seconds <= 0) return hide(say("take.expired"));
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    text("transfer-left", say("take.holds", { time }));
    return undefined;
  }

  function hide(words) {
    window.clearInterval(ticking);
    show("transfer-card", false);
    byId("transfer-qr").removeAttribute("src");
    text("transfer-code", "");
    text("transfer-told", words);
  }

  function reveal(made) {
    until = Date.parse(made.expiresAt);
    byId("transfer-qr").src = made.qr;
    text("transfer-code", made.code);
    text("transfer-hint", made.hint);
    text("transfer-told", "");
    show("transfer-card", true);
    window.clearInterval(ticking);
    ticking = window.setInterval(tick, 1000);
    tick();
  }

  async function detail(answer) {
    try {
      return videogen.problem(await answer.json());
    } catch {
      return say("notice.server_answered", { status: answer.status });
    }
  }

  async function bringIn(file) {
    videogen.busy("import", true);
    text("import-told", say("take.importing", { name: file.name }));
    try {
      const url = `${videogen.root()}/api/v1/import`;
      const type = { "Content-Type": "application/zip" };
      const answer = await fetch(url, { method: "POST", headers: { ...(await headers()), ...type }, body: file });
      if (!answer.ok) return text("import-told", await detail(answer));
      const came = await answer.json();
      const { imported, known } = came;
      const told = known ? say("take.imported_known", { imported, count: known }) : say("take.imported", { count: imported });
      return text("import-told", told);
    } catch {
      return text("import-told", say("take.not_imported"));
    } finally {
      videogen.busy("import", false);
    }
  }

  /** Inside another site's frame the link has no cookie: there the zip is fetched with the page's own session. */
  async function fetchExport() {
    const answer = await fetch(`${videogen.root()}/api/v1/export`, { headers: await headers(), cache: "no-store" });
    if (!answer.ok) return text("import-told", await detail(answer));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = `videogen-export-${new Date().toISOString().slice(0, 10)}.zip`;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return undefined;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#transfer, #transfer-revoke, #import, #export, #claim-export");
    if (!button) return;
    if (button.id === "transfer") {
      hide(""); // the code that stands there is about to be replaced: it is neither shown nor revoked any more
      videogen.busy(button, true);
      videogen.act("transfer", { base: videogen.root() });
    } else if (button.id === "transfer-revoke") {
      videogen.act("revoke");
    } else if (button.id === "import") {
      byId("import-file").click();
    } else if (window.top !== window) {
      event.preventDefault();
      fetchExport().catch(() => text("import-told", say("notice.no_server")));
    } else {
      button.href = `${videogen.root()}/api/v1/export`;
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.id !== "import-file" || !event.target.files.length) return;
    const [file] = event.target.files;
    event.target.value = "";
    bringIn(file);
  });

  videogen.take = {
    apply(outcome) {
      if (!outcome || !byId("transfer")) return;
      if (outcome.transfer || outcome.transferTold) videogen.busy("transfer", false);
      if (outcome.transfer) reveal(outcome.transfer);
      if (outcome.transferTold) hide(outcome.transferTold);
    },
  };
})();

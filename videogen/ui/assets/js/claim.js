// A code from another device, typed or in the address. Nothing is replaced before somebody has said so.
(() => {
  const { byId, text, show, say } = videogen;
  let code = null;

  function own() {
    return document.querySelectorAll("#active [data-generation-id], #history [data-generation-id]").length;
  }

  function ask(given) {
    code = given;
    const count = own();
    text("claim-own", say("claim.own", { count }));
    show("claim-own", count > 0);
    show("claim-export", count > 0);
    text("claim-error", "");
    videogen.busy("claim-yes", false);
    if (!byId("claim-dialog").open) byId("claim-dialog").showModal();
  }

  async function open() {
    videogen.busy("claim-yes", true);
    text("claim-error", "");
    try {
      const answer = await fetch(`${videogen.root()}/api/v1/sessions/claim`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ code }),
      });
      const told = await answer.json();
      if (!answer.ok) return text("claim-error", videogen.problem(told));
      videogen.session.replace(told.token);
      return window.location.reload();
    } catch {
      videogen.busy("claim-yes", false);
      return text("claim-error", say("claim.unreachable"));
    }
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "claim-form") return;
    event.preventDefault();
    const typed = byId("claim-code").value.trim();
    if (typed) ask(typed);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#claim-yes")) open();
    else if (event.target.closest?.("#claim-no")) byId("claim-dialog").close();
  });

  videogen.claim = {
    /** A link with a secret was opened: out of the address with it, and ask. */
    landed() {
      const found = /^#claim=([\w-]{20,100})$/.exec(window.location.hash);
      if (!found) return;
      window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
      ask(found[1]);
    },
  };
  window.addEventListener("hashchange", () => videogen.claim.landed());
})();

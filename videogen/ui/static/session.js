// The session's token is kept in this browser's storage, by Gradio, and in the cookie where cookies are allowed.
videogen.on("session", async (session) => {
  if (!session) return;
  videogen.send("keep", { token: session.token });
  if (!session.adopt) return;
  const headers = { Authorization: `Bearer ${session.token}` };
  // In a cross-site frame the cookie may be refused; the storage is enough.
  await fetch(`${videogen.root()}/api/v1/sessions/cookie`, { method: "POST", headers }).catch(() => null);
});
// A one-time code in the address: Python asks; it leaves the address when it was used, refused or declined.
videogen.on("claim", (waits) => {
  const url = new URL(location.href);
  if (waits || !`${url.search}${url.hash}`.includes("claim=")) return;
  url.searchParams.delete("claim");
  if (url.hash.startsWith("#claim=")) url.hash = "";
  history.replaceState(history.state, "", url);
});
addEventListener("hashchange", () => {
  const [, code] = /^#claim=(.+)/.exec(location.hash) ?? [];
  if (code) videogen.send("act", { do: "claim-open", code: decodeURIComponent(code) });
});

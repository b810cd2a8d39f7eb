// The session's token is kept in the storage, and in the cookie where cookies are allowed.
on("session", (session) => {
  if (!session) return;
  send("keep");
  const headers = { Authorization: `Bearer ${session.token}` };
  if (session.adopt) fetch(`${root()}/api/v1/sessions/cookie`, { method: "POST", headers }).catch(() => null);
});
listen("hashchange", () => act("claim-open", { hash: location.hash }));

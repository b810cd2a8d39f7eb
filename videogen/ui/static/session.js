// The session's token is kept in this browser's storage, by Gradio, and in the cookie where cookies are allowed.
videogen.on("session", async (session) => {
  if (!session) return;
  videogen.send("keep", { token: session.token });
  if (!session.adopt) return;
  const headers = { Authorization: `Bearer ${session.token}` };
  // In a cross-site frame the cookie may be refused; the storage is enough.
  await fetch(`${videogen.root()}/api/v1/sessions/cookie`, { method: "POST", headers }).catch(() => null);
});

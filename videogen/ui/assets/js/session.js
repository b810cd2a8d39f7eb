// The browser's cookie follows the session that the page found in its own storage, where cookies are allowed.
videogen.adopt = async (token) => {
  try {
    const headers = { Authorization: `Bearer ${token}` };
    await fetch(`${videogen.root()}/api/v1/sessions/cookie`, { method: "POST", headers });
  } catch {
    // In a cross-site frame the cookie may be refused; the page's own storage is enough.
  }
};

// Python renders the one open <dialog>; the browser shows it above everything, keeps the focus in it, and closes it.
new MutationObserver(() => {
  const dialog = document.querySelector("#dialog-panel dialog");
  if (!dialog || dialog.open) return;
  dialog.addEventListener("close", () => dialog.isConnected && videogen.send("act", { do: "close-dialog" }));
  dialog.showModal();
}).observe(document.documentElement, { childList: true, subtree: true });

// Python renders the one open <dialog>; the browser shows it above everything, keeps the focus in it, and closes it.
new MutationObserver(() => {
  const dialog = document.querySelector("#dialog-panel dialog");
  if (!dialog || dialog.open) return;
  const focused = document.activeElement;
  dialog.onclose = () => dialog.isConnected && videogen.send("act", { do: "close-dialog" });
  dialog.showModal();
  if (dialog.contains(focused)) focused.focus(); // its HTML has changed, and with that it was closed
}).observe(document.documentElement, { childList: true, subtree: true });

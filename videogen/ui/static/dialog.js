// Python renders the one open <dialog>; the browser shows it above everything, keeps the focus in it, and closes it.
let dialogOpener = null; // what had the focus before, and gets it back
function leaveDialog() {
  (dialogOpener?.isConnected ? dialogOpener : document.getElementById(dialogOpener?.id))?.focus();
  dialogOpener = null;
}
new MutationObserver(() => {
  const dialog = document.querySelector("#dialog-panel dialog");
  if (!dialog) return dialogOpener && leaveDialog();
  if (dialog.open) return;
  const focused = document.activeElement;
  if (!dialog.contains(focused) && focused !== document.body) dialogOpener = focused;
  dialog.onclose = () => (leaveDialog(), dialog.isConnected && videogen.send("act", { do: "close-dialog" }));
  dialog.showModal();
  if (dialog.contains(focused)) focused.focus(); // its HTML has changed, and with that it was closed
}).observe(document.documentElement, { childList: true, subtree: true });

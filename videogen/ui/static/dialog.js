// Python renders the one dialog as open; the browser makes it modal.
onChange(() => {
  const dialog = $("#dialog-panel dialog[open]:not(:modal)");
  if (!dialog) return;
  dialog.onclose = () => dialog.isConnected && act("close-dialog");
  dialog.open = false;
  dialog.showModal();
}, ["open"]);

// Gives a file to the page as a person's hand would: dropped somewhere, or pasted.
([how, bytes, name, type]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const target = document.querySelector("#history-title");
  const options = { bubbles: true, cancelable: true };
  if (how === "drop") {
    for (const kind of ["dragover", "drop"]) {
      target.dispatchEvent(new DragEvent(kind, { ...options, dataTransfer: carried }));
    }
  } else {
    target.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: carried }));
  }
};

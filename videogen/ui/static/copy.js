// Copies the text of `data-copy`; the next element says whether that worked.
onClick("[data-copy]", async (button) => {
  const value = button.dataset.copy;
  let copied = await navigator.clipboard?.writeText(value).then(() => true, () => false);
  if (!copied) { // without https, or in a frame
    const field = Object.assign(document.createElement("textarea"), { value });
    button.after(field);
    field.select();
    copied = document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const status = button.nextElementSibling;
  status.textContent = status.dataset[copied ? "done" : "refused"];
  setTimeout(() => (status.textContent = ""), 3000);
});

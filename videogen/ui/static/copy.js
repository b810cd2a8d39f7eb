// Copies the text of `data-copy`; the element after the button says whether that worked.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const write = navigator.clipboard?.writeText(button.dataset.copy);
  let copied = await write?.then(() => true, () => false);
  if (!copied) {
    // Without https, and in a frame that may not, there is still the old way.
    const field = Object.assign(document.createElement("textarea"), { value: button.dataset.copy });
    button.after(field);
    field.select();
    copied = document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const status = button.nextElementSibling;
  status.textContent = copied ? status.dataset.done : status.dataset.refused;
  setTimeout(() => (status.textContent = ""), 3000);
});

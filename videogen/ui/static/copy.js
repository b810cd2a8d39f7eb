// Copies the text of `data-copy`; the element after the button says whether that worked.
onClick("[data-copy]", async (button) => {
  const value = button.dataset.copy;
  let copied = await navigator.clipboard?.writeText(value).then(() => true, () => false);
  if (!copied) {
    // Without https, or in a frame.
    addEventListener("copy", (event) => {
      event.clipboardData.setData("text/plain", value);
      event.preventDefault();
    }, { once: true });
    copied = document.execCommand("copy");
  }
  const status = button.nextElementSibling;
  status.textContent = status.dataset[copied ? "done" : "refused"];
  setTimeout(() => (status.textContent = ""), 3000);
});

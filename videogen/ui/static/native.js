// What the fields of Gradio lack: radio groups are one tab stop with arrow keys, names are the label alone, text has its own direction.
new MutationObserver(() => {
  for (const input of document.querySelectorAll("fieldset [type=radio][name^=radio-]")) input.name = input.closest("fieldset").id;
  for (const input of document.querySelectorAll("gradio-app .block :is([dir=ltr]:is(textarea, input), .head [type=number]:not([dir]), [type=range]:not([dir]))")) {
    const label = input.closest(".block").querySelector("[data-testid=block-info]");
    if (label && input.type !== "textarea") input.setAttribute("aria-label", label.textContent.trim());
    input.dir = "auto";
  }
}).observe(document, { childList: true, subtree: true });

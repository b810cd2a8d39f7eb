// What Gradio's fields lack: the language, one tab stop for each radio group, a name, a text's direction.
const language = document.documentElement.lang;
Object.defineProperties(navigator, { language: { value: language }, languages: { value: [language] } });
const FIELDS = ":is(:is(textarea, input)[dir=ltr], .head [type=number]:not([dir]), [type=range]:not([dir]))";
onChange(() => {
  for (const input of all("fieldset [type=radio][name^=radio-]")) input.name = input.closest("fieldset").id;
  for (const input of all(`gradio-app .block ${FIELDS}`)) {
    const label = input.closest(".block").querySelector("[data-testid=block-info]");
    if (label && input.type !== "textarea") input.setAttribute("aria-label", label.textContent.trim());
    input.dir = "auto";
  }
});

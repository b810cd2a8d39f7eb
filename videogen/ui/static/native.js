// What Gradio's fields lack: the language, one tab stop per radio group, a name, a text's direction.
const language = document.documentElement.lang;
Object.defineProperties(navigator, { language: { value: language }, languages: { value: [language] } });
// A browser whose own language has no decimal comma makes 25 of 2,5.
const lacks = ({ key, target }) => key === "," && target.type === "number" && !/,/.test((0.5).toLocaleString());
listen("keydown", (event) => lacks(event) && (event.preventDefault(), document.execCommand("insertText", false, ".")));
onChange(() => {
  for (const input of all("fieldset [type=radio][name^=radio-]")) input.name = input.closest("fieldset").id;
  for (const input of all("gradio-app .block :is(textarea, input):not([dir=auto])")) {
    const label = input.closest(".block").querySelector("[data-testid=block-info]");
    if (label && input.matches("[type=number], [type=range]")) input.ariaLabel = label.textContent.trim();
    input.dir = "auto";
  }
});

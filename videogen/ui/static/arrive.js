(session) => [
  {
    ...session,
    browser: stored("browser"),
    search: location.search,
    offset: -new Date().getTimezoneOffset(),
    hash: location.hash,
    language: document.documentElement.lang,
    selected: $("gradio-app #job-status")?.dataset.generationId,
    presets: localStorage.getItem("videogen.presets"),
    choices: stored("choices"),
    here: stored("here"),
    again: "frame" in signals,
  },
]

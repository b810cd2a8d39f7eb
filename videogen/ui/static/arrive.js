(session) => [
  // What the browser brings along: its session, the page's address and language, and what it shows already.
  {
    ...session,
    browser: stored("browser"),
    search: location.search,
    offset: -new Date().getTimezoneOffset(), // minutes before UTC
    hash: location.hash,
    language: document.documentElement.lang,
    selected: $("gradio-app #job-status")?.dataset.generationId,
    presets: videogen.presets(),
    choices: stored("choices"),
    here: stored("here"),
    again: "frame" in videogen.signals,
  },
]

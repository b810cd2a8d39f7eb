(session) => [
  // What the browser brings along: its session, the page's address and language, and what it shows already.
  {
    ...session,
    browser: videogen.browser,
    search: location.search,
    offset: -new Date().getTimezoneOffset(), // minutes before UTC
    hash: location.hash,
    language: document.documentElement.lang,
    selected: document.querySelector("gradio-app #job-status")?.dataset.generationId,
    presets: videogen.presets(),
    choices: videogen.stored("choices"),
    here: videogen.stored("here"),
    again: "frame" in videogen.signals,
  },
]

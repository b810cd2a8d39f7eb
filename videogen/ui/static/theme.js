// The chosen theme, before the first paint.
try { document.documentElement.dataset.theme = JSON.parse(localStorage["videogen.choices"]).theme; } catch {}

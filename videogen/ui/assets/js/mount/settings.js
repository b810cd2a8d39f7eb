// Runs when the place of the engine's own settings, or of a size that is typed, is mounted.
videogen.settings.mounted();

// Runs when the plain part of the form is mounted.
videogen.intake.mounted();

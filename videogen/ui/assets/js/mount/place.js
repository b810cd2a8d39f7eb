// Runs when a place for one of the page's own parts is mounted.
videogen.shell.place("@@name@@", element);

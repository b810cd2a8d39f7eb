// One line under the masthead: a welcome, or what went wrong outside the form.
(() => {
  let lasting = false;

  function tell(words, lasts) {
    lasting = lasts && Boolean(words);
    videogen.text("notice", words ?? "");
  }

  videogen.notice = {
    /** Said for the moment: gone with the next click, or when it is no longer true. */
    tell(words) {
      tell(words, false);
    },

    /** Said until somebody acts. */
    warn(words) {
      tell(words, true);
    },

    acted() {
      tell("", false);
    },

    settle() {
      if (!lasting) tell("", false);
    },
  };
})();

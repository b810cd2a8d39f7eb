#!/bin/sh
# Print the path of a Firefox that starts, for the one test with it; install one where none is found.
#
#   VIDEOGEN_TEST_FIREFOX   use this executable and look no further
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

found() {
    for name in "$@"; do
        if path=$(command -v "$name") && "$path" --version >/dev/null 2>&1 </dev/null; then
            printf '%s\n' "$path"
            exit 0
        fi
    done
}

if [ -n "${VIDEOGEN_TEST_FIREFOX:-}" ]; then
    found "$VIDEOGEN_TEST_FIREFOX"
    die "VIDEOGEN_TEST_FIREFOX=$VIDEOGEN_TEST_FIREFOX does not start. Point it at a working Firefox, or unset it."
fi

found firefox-esr firefox
if have apt-cache && can_be_root; then
    apt_install firefox-esr || true
    found firefox-esr firefox
fi

die "The test with Firefox needs one, and none was found or could be installed.
Do one of these, then run the tests again:
  sudo apt-get install firefox-esr
  VIDEOGEN_TEST_FIREFOX=/path/to/firefox make test-long"

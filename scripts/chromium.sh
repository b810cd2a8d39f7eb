#!/bin/sh
# Print the path of a Chromium that starts, for the browser tests; install one where none is found.
#
#   VIDEOGEN_TEST_CHROMIUM   use this executable and look no further
#   VENV                     the environment made by bootstrap.sh dev (default: .venv)
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

venv=${VENV:-.venv}
venv_python=$venv/bin/python
remembered=$venv/.chromium

# On Ubuntu chromium-browser may be a stub that only asks for a snap, and a downloaded Chromium may lack
# system libraries: being there is not enough, it has to run.
starts() {
    if have timeout; then
        timeout 60 "$1" --version >/dev/null 2>&1 </dev/null
    else
        "$1" --version >/dev/null 2>&1 </dev/null
    fi
}

found() {
    [ ! -d "$venv" ] || printf '%s\n' "$1" >"$remembered"
    printf '%s\n' "$1"
    exit 0
}

try_path() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        if path=$(command -v "$name") && starts "$path"; then
            found "$path"
        fi
    done
}

try_playwright() {
    path=$("$venv_python" -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    print(p.chromium.executable_path)' 2>/dev/null) || return 0
    [ -x "$path" ] || return 0
    # As root the missing system libraries can be added too.
    if ! starts "$path" && have apt-get && can_be_root; then
        quiet as_root env DEBIAN_FRONTEND=noninteractive \
            "$venv_python" -m playwright install-deps chromium || return 0
    fi
    if starts "$path"; then
        found "$path"
    fi
}

if [ -n "${VIDEOGEN_TEST_CHROMIUM:-}" ]; then
    path=$(command -v "$VIDEOGEN_TEST_CHROMIUM" || true)
    if [ -z "$path" ] || ! starts "$path"; then
        die "VIDEOGEN_TEST_CHROMIUM=$VIDEOGEN_TEST_CHROMIUM does not start. Point it at a working Chromium or Chrome, or unset it."
    fi
    printf '%s\n' "$path"
    exit 0
fi

if [ -f "$remembered" ]; then
    path=$(cat "$remembered")
    if [ -x "$path" ]; then
        printf '%s\n' "$path"
        exit 0
    fi
    rm -f "$remembered"
fi

try_path
try_playwright

# Without a font the pages would have no text to test.
if have apt-cache && can_be_root && apt_install chromium fonts-liberation; then
    try_path
fi

if [ -x "$venv_python" ]; then
    say "Installing Chromium with playwright (once) ..."
    "$venv_python" -m playwright install chromium >/dev/null 2>&1 </dev/null || true
    try_playwright
fi

die "The browser tests need Chromium, and none was found or could be installed.
Do one of these, then run the tests again:
  sudo apt-get install chromium fonts-liberation
  $venv/bin/python -m playwright install --with-deps chromium
  VIDEOGEN_TEST_CHROMIUM=/path/to/chrome make test
Or leave them out:  make test BROWSER=no"

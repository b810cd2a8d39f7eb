#!/bin/sh
# Print the path of an nginx that runs, for the tests behind a proxy; install one where none is found.
#
#   VIDEOGEN_TEST_NGINX   use this executable and look no further
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

# Debian keeps it where only root looks.
PATH=$PATH:/usr/sbin:/usr/local/sbin

runs() { "$1" -v >/dev/null 2>&1 </dev/null; }

found() {
    if path=$(command -v "$1") && runs "$path"; then
        printf '%s\n' "$path"
        exit 0
    fi
}

if [ -n "${VIDEOGEN_TEST_NGINX:-}" ]; then
    found "$VIDEOGEN_TEST_NGINX"
    die "VIDEOGEN_TEST_NGINX=$VIDEOGEN_TEST_NGINX does not run. Point it at a working nginx, or unset it."
fi

found nginx

if have apt-cache && can_be_root; then
    # A package that is installed starts its service; only the program is wanted here.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod +x "$policy"
        trap 'as_root rm -f "$policy"' EXIT
    fi
    apt_install nginx-light || apt_install nginx || true
    found nginx
fi

die "The tests behind a proxy need nginx, and none was found or could be installed.
Do one of these, then run the tests again:
  sudo apt-get install nginx-light
  VIDEOGEN_TEST_NGINX=/path/to/nginx make test
Or leave the browser tests out, these among them:  make test BROWSER=no"

#!/bin/sh
# Print the folder of the programs of a PostgreSQL server, for the tests of the distributed profile; install one where
# none is found.
#
#   VIDEOGEN_TEST_POSTGRESQL   use the programs in this folder and look no further
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

OLDEST=15

is_new_enough() {
    version=$("$1/postgres" --version 2>/dev/null </dev/null | sed 's/.* \([0-9]*\).*/\1/') || return 1
    [ "${version:-0}" -ge "$OLDEST" ] && [ -x "$1/initdb" ]
}

found() {
    if is_new_enough "$1"; then
        printf '%s\n' "$1"
        exit 0
    fi
}

look() {
    # Debian keeps each version in a folder of its own.
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -rn); do
        found "$folder"
    done
    if path=$(command -v postgres); then
        found "$(dirname -- "$path")"
    fi
}

if [ -n "${VIDEOGEN_TEST_POSTGRESQL:-}" ]; then
    found "$VIDEOGEN_TEST_POSTGRESQL"
    die "VIDEOGEN_TEST_POSTGRESQL=$VIDEOGEN_TEST_POSTGRESQL has no PostgreSQL of version $OLDEST or newer. Correct or unset it."
fi

look

if have apt-cache && can_be_root; then
    # A package that is installed starts its service; only the programs are wanted here.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod +x "$policy"
        trap 'as_root rm -f "$policy"' EXIT
    fi
    apt_install postgresql || true
    look
fi

die "The tests of the distributed profile need PostgreSQL $OLDEST or newer, and none was found or could be installed.
Do one of these, then run the tests again:
  sudo apt-get install postgresql
  VIDEOGEN_TEST_POSTGRESQL=/path/to/its/bin make test
Or leave these tests out:  make test DISTRIBUTED=no"

#!/bin/sh
# Remake the lock files from pyproject.toml (make lock). Only this needs uv.
#
# The locks hold for every platform and for Python 3.11 and newer. Arguments go to uv:
#   scripts/lock.sh --upgrade            take the newest release of everything
#   scripts/lock.sh --upgrade-package X  take the newest release of X
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

uv=${UV:-uv}
have "$uv" || die "make lock needs uv (python3 -m pip install uv, or set UV=/path/to/uv)."

# Only published files belong in a lock: no local wheels, no second index.
unset UV_FIND_LINKS UV_INDEX UV_EXTRA_INDEX_URL UV_CONSTRAINT UV_OVERRIDE UV_PRERELEASE || true

# compile OUTPUT ARGUMENT...
compile() {
    output=$1
    shift
    say "Locking $output ..."
    "$uv" pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 \
        --fork-strategy fewest --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --no-emit-find-links --output-file "$output" "$@" >/dev/null
    {
        echo "# Made by \`make lock\` from pyproject.toml; do not edit."
        cat "$output"
    } >"$output.new"
    mv "$output.new" "$output"
}

# The runtime lock follows the dev lock, so that what is tested is what is run.
compile requirements-dev.lock --group build --group dev "$@"
compile requirements.lock --extra s3 --group build --constraint requirements-dev.lock
# What the image is built from, with LOCK=requirements-distributed.lock, to run on several machines.
compile requirements-distributed.lock --extra distributed --group build --constraint requirements-dev.lock

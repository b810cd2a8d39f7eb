#!/bin/sh
# Make .venv ready: bootstrap.sh runtime|dev
#
# Needs nothing but Python >= 3.11. Dependencies come from the lock files, each download checked against
# its hash. Nothing is done when .venv already matches the lock and pyproject.toml, so this is cheap to
# call before every command.
#
#   PYTHON   the interpreter to build .venv with (default: the newest one known to work)
#   VENV     where the environment lives (default: .venv)
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

profile=${1:-runtime}
case $profile in
    runtime) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) die "usage: scripts/bootstrap.sh runtime|dev" ;;
esac

venv=${VENV:-.venv}
venv_python=$venv/bin/python

# Settings of the caller that would send an install somewhere other than .venv.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT || true
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

is_supported() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_supported "$PYTHON" || die "PYTHON=$PYTHON is not a working Python 3.11 or newer."
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3.14 python3 python; do
        if have "$candidate" && is_supported "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    die "videogen needs Python 3.11 or newer, and none was found on PATH.
Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: make run PYTHON=/path/to/python3"
}

has_pip() { "$venv_python" -m pip --version >/dev/null 2>&1; }

# Only ever remove an environment.
fresh() {
    if [ -e "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ] && ! rmdir "$venv" 2>/dev/null; then
        die "$venv is in the way: it is not a virtual environment, so it is left alone. Move it, then try again."
    fi
    rm -rf "$venv"
}

# create_venv PYTHON: the plain way first, then whatever else this machine offers.
create_venv() {
    if "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        fresh && quiet "$1" -m venv --prompt videogen "$venv" && has_pip && return 0
    fi
    # Debian and Ubuntu ship Python without ensurepip.
    if "$1" -m virtualenv --version >/dev/null 2>&1; then
        fresh && quiet "$1" -m virtualenv -q "$venv" && has_pip && return 0
    fi
    if have virtualenv; then
        fresh && quiet virtualenv -q -p "$1" "$venv" && has_pip && return 0
    fi
    if "$1" -m pip --version >/dev/null 2>&1; then
        fresh && quiet "$1" -m venv --without-pip --prompt videogen "$venv" &&
            quiet "$1" -m pip --python "$venv_python" install --quiet pip && has_pip && return 0
    fi
    if apt_install "python$(version_of "$1")-venv" || apt_install python3-venv; then
        fresh && quiet "$1" -m venv --prompt videogen "$venv" && has_pip && return 0
    fi
    fresh
    die "Could not create a virtual environment with $1. On Debian and Ubuntu this takes one more package:
  sudo apt-get install python$(version_of "$1")-venv
Then run the command again."
}

checksum() { cksum <"$1" | tr ' ' '-'; }

# version: of the interpreter in .venv, empty where there is none or where it does not start.
venv_version() { [ ! -x "$venv_python" ] || version_of "$venv_python" || true; }

# What an environment must have been built from to be used as it is. A moved or copied checkout and an
# upgraded interpreter both show here.
lock_stamp() { checksum "$1"; }
package_stamp() { checksum pyproject.toml; }
root_stamp() { printf '%s %s\n' "$version" "$root"; }

stamped() { [ -f "$venv/.stamp-$1" ] && [ "$(cat "$venv/.stamp-$1")" = "$2" ]; }

# Two of these at once (two terminals, `make -j`) take turns.
if have flock; then
    exec 9<"$root/scripts/bootstrap.sh"
    flock 9
fi

version=$(venv_version)
if [ -n "${PYTHON:-}" ] && [ -n "$version" ]; then
    find_python >/dev/null
    [ "$(version_of "$PYTHON")" = "$version" ] || version=''
fi

if [ -n "$version" ] && [ ! -f "$venv/.stamp-root" ] && has_pip; then
    root_stamp >"$venv/.stamp-root" # made by hand, and good enough
fi

if [ -z "$version" ] || ! stamped root "$(root_stamp)"; then
    python=$(find_python)
    say "Creating $venv with Python $(version_of "$python") ..."
    create_venv "$python"
    version=$(venv_version)
    root_stamp >"$venv/.stamp-root"
fi

# The dev lock contains the runtime lock, version by version, so either will do for running.
if ! stamped dev "$(lock_stamp requirements-dev.lock)" &&
    { [ "$profile" = dev ] || ! stamped runtime "$(lock_stamp "$lock")"; }; then
    say "Installing dependencies from $lock (once, this takes a minute) ..."
    rm -f "$venv/.stamp-dev" "$venv/.stamp-runtime" "$venv/.stamp-package"
    quiet "$venv_python" -m pip install --quiet --require-hashes -r "$lock" ||
        die "Installing the dependencies failed; pip's message is above. Once that is solved, run the command again."
    lock_stamp "$lock" >"$venv/.stamp-$profile"
fi

if ! stamped package "$(package_stamp)"; then
    say "Installing videogen into $venv ..."
    quiet "$venv_python" -m pip install --quiet --no-deps --no-build-isolation --editable . ||
        die "Installing videogen itself failed; pip's message is above. Once that is solved, run the command again."
    package_stamp >"$venv/.stamp-package"
fi

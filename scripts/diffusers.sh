#!/bin/sh
# Make .venv-diffusers ready: torch and diffusers, beside all that .venv has. For `make test-diffusers`.
#
# Outside of the hash-checked lock: these packages differ between machines. pip takes the newest CPU build of torch that
# it finds; where there is none, the newest torch.
#
#   VENV                     the environment made by bootstrap.sh dev (default: .venv)
#   VIDEOGEN_TEST_TORCH      the version of torch to install instead
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

venv=${VENV:-.venv}
target=.venv-diffusers
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT || true
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

pip() { "$venv/bin/python" -m pip --python "$target/bin/python" "$@"; }

version=$("$venv/bin/python" -c 'import platform; print(platform.python_version())')
stamp="$version $root $(cksum <pyproject.toml) ${VIDEOGEN_TEST_TORCH:-}"
if [ -f "$target/.stamp" ] && [ "$(cat "$target/.stamp")" = "$stamp" ]; then
    exit 0
fi

if [ -e "$target" ] && [ ! -f "$target/pyvenv.cfg" ]; then
    die "$target is in the way: it is not a virtual environment, so it is left alone. Move it, then try again."
fi
rm -rf "$target"
quiet "$venv/bin/python" -m venv --without-pip --prompt videogen-diffusers "$target" ||
    die "Could not create $target; the message is above."
packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
own=$("$target/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# With its .pth files, one of which is videogen itself.
printf 'import site; site.addsitedir("%s")\n' "$packages" >"$own/videogen.pth"

torch=${VIDEOGEN_TEST_TORCH:-}
if [ -z "$torch" ]; then
    # Few and short tries: a machine without an index shall hear it within a minute.
    answer=$(pip index versions torch --retries 1 --timeout 15 2>&1) || true
    versions=$(printf '%s\n' "$answer" | sed -n 's/^Available versions: //p' | tr -d ' ' | tr ',' '\n')
    if [ -z "$versions" ]; then
        case $answer in
        *'Retrying ('* | *'Could not fetch'*) die "pip reaches no package index, so torch cannot be installed: set PIP_INDEX_URL to one, or try again with a network." ;;
        *) die "pip finds no torch for Python $version: use one that torch has builds for (make clean, then PYTHON=python3.12 make test-diffusers), or name an index that has it in PIP_EXTRA_INDEX_URL." ;;
        esac
    fi
    torch=$(printf '%s\n' "$versions" | grep '+cpu$' | head -n 1)
    size='about 300 MB to download, 900 MB on the disk'
    if [ -z "$torch" ]; then
        torch=$(printf '%s\n' "$versions" | head -n 1)
        [ "$(uname -s)" = Darwin ] || size='with CUDA several GB; for a CPU build, name an index that has one in PIP_EXTRA_INDEX_URL'
    fi
fi
requirements=$("$venv/bin/python" -c '
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
print("\n".join(project["optional-dependencies"]["diffusers"]))')
say "Making $target (once): pip downloads torch $torch and what these need (${size:-as pip shows}):"
say "  $(printf '%s' "$requirements" | tr '\n' ' ')"
printf '%s\n' "torch==$torch" "$requirements" >"$target/requirements.txt"
quiet pip install --quiet --retries 2 --timeout 60 -r "$target/requirements.txt" ||
    die "Installing torch and diffusers failed; pip's message is above. Once that is solved, run the command again."
printf '%s\n' "$stamp" >"$target/.stamp"

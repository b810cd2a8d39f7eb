# Shared by the scripts in this folder; sourced, never run.
# shellcheck shell=sh

say() { printf '%s\n' "$*" >&2; }

die() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# quiet COMMAND...: run it with its output kept back, and show the end of it only if it fails.
quiet() {
    quiet_log=$(mktemp "${TMPDIR:-/tmp}/videogen-setup.XXXXXX")
    quiet_rc=0
    "$@" >"$quiet_log" 2>&1 </dev/null || quiet_rc=$?
    [ "$quiet_rc" -eq 0 ] || tail -n 20 "$quiet_log" >&2
    rm -f "$quiet_log"
    return "$quiet_rc"
}

can_be_root() { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

# apt_install PACKAGE...: install Debian packages without asking; fails where that is not possible.
apt_install() {
    have apt-get && can_be_root || return 1
    say "Installing $* with apt-get (once) ..."
    # One unreachable third-party source must not stop the rest.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 </dev/null || true
    quiet as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@"
}

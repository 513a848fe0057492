# Makes the environment that ./run and ./test use. Sourced by both, from the root of the checkout; POSIX sh.
#
# environment EXTRAS   makes .venv and installs the project with EXTRAS ("" or "[dev]"), once per change of pyproject.toml.
# SIPGW_PYTHON names the interpreter; otherwise the first of python3, python3.14 … python3.11 that is new enough.

say() { printf '%s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${SIPGW_PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    say "sipgw needs Python 3.11 or newer. On Debian and Ubuntu: sudo apt-get install -y python3 python3-venv"
    say "An interpreter elsewhere can be named: SIPGW_PYTHON=/path/to/python3 $0"
    return 1
}

make_venv() {
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --python "$1" .venv
        return
    fi
    if ! "$1" -c 'import ensurepip' 2>/dev/null; then
        package="python3-venv"
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            say "Installing $package (Python's venv module is missing) …"
            DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$package" >&2 ||
                { apt-get update -q >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$package" >&2; } || return 1
        else
            say "Python's venv module is missing. This installs it: sudo apt-get install -y $package"
            return 1
        fi
    fi
    "$1" -m venv .venv
}

install() {
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python .venv/bin/python -e ".$1"
    else
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".$1"
    fi
}

environment() {
    python=$(find_python) || return 1
    stamp="$(cksum <pyproject.toml) $("$python" -c 'import sys; print(sys.version)' | tr -d '\n')"
    for done_with in "" "[dev]"; do
        [ -f ".venv/.sipgw$done_with" ] && [ "$(cat ".venv/.sipgw$done_with")" = "$stamp" ] || continue
        [ "$done_with" = "$1" ] || [ "$done_with" = "[dev]" ] || continue
        return 0
    done
    if ! [ -x .venv/bin/python ] || ! new_enough .venv/bin/python; then
        say "Making .venv with $python …"
        rm -rf .venv
        make_venv "$python" || { rm -rf .venv; return 1; }
    fi
    say "Installing sipgw and what it needs (once, about a minute) …"
    install "$1" || { say "The installation failed; what pip or uv said stands above."; return 1; }
    printf '%s' "$stamp" >".venv/.sipgw$1"
}

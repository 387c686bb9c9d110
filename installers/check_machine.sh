#!/bin/sh
# Says what a machine lacks for `make`, with the command that adds it, before anything is installed.
# Usage: check_machine.sh PYTHON [window]; with `window`, what Qt needs on an X display too.
set -u
python=$1
missing=""
packages=""

need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || { missing="$missing $1"; packages="$packages $2"; }
}
need gcc gcc
need g++ g++
need cmake cmake
need make make

if ! "$python" --version >/dev/null 2>&1; then
    echo "$python was not found. Assay needs CPython 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)))'; then
    echo "$python is $("$python" --version 2>&1). Assay needs CPython 3.11, 3.12 or 3.13: make PYTHON=python3.12" >&2
    exit 1
fi
"$python" -c 'import venv, ensurepip' 2>/dev/null || { missing="$missing venv"; packages="$packages python3-venv"; }
"$python" -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' ||
    { missing="$missing Python.h"; packages="$packages python3-dev"; }

# Libraries that Qt's own wheels expect from the system; without them the window (not the command line) fails to start.
if command -v ldconfig >/dev/null 2>&1; then
    libraries=$(ldconfig -p 2>/dev/null)
    lib() { # lib FILE PACKAGE
        case "$libraries" in *"$1"*) ;; *) missing="$missing $1"; packages="$packages $2" ;; esac
    }
    lib libGL.so.1 libgl1
    lib libEGL.so.1 libegl1
    lib libxkbcommon.so.0 libxkbcommon0
    lib libdbus-1.so.3 libdbus-1-3
    lib libfontconfig.so.1 libfontconfig1
    lib libglib-2.0.so.0 libglib2.0-0
    if [ "${2:-}" = window ] && [ -z "${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
        lib libX11-xcb.so.1 libx11-xcb1
        lib libxkbcommon-x11.so.0 libxkbcommon-x11-0
        lib libxcb-cursor.so.0 libxcb-cursor0
        lib libxcb-icccm.so.4 libxcb-icccm4
        lib libxcb-image.so.0 libxcb-image0
        lib libxcb-keysyms.so.1 libxcb-keysyms1
        lib libxcb-render-util.so.0 libxcb-render-util0
        lib libxcb-xkb.so.1 libxcb-xkb1
    fi
fi

if [ -n "$missing" ]; then
    echo "This machine lacks:$missing" >&2
    echo "On Debian or Ubuntu: sudo apt-get install -y$packages" >&2
    exit 1
fi

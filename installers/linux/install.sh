#!/bin/sh
# Installs Assay @VERSION@ from the wheels beside this script, without a network, into an environment of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix="$HOME/.local/share/assay-workbench"
python=${PYTHON:-python3.11}
work=install

usage() {
    cat <<'TEXT'
Usage: sh install.sh [--prefix DIR] [--python PYTHON] [--dry-run | --uninstall]

  --prefix DIR     the environment's folder (default: ~/.local/share/assay-workbench)
  --python PYTHON  CPython 3.11 (default: python3.11)
  --dry-run        check the wheels and say what would be done; change nothing
  --uninstall      remove the environment; vaults and settings stay
TEXT
}

while [ $# -gt 0 ]; do
    case "$1" in
        --prefix) [ $# -ge 2 ] || { usage >&2; exit 2; }; prefix=$2; shift ;;
        --python) [ $# -ge 2 ] || { usage >&2; exit 2; }; python=$2; shift ;;
        --dry-run) work=dry ;;
        --uninstall) work=remove ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

if [ "$work" = remove ]; then
    [ -f "$prefix/.assay-workbench" ] || { echo "Assay isn't installed in $prefix." >&2; exit 1; }
    rm -rf -- "$prefix"
    echo "Assay was removed from $prefix."
    echo "Vaults were left as they are. These were found in your home folder:"
    find "$HOME" -xdev -maxdepth 5 -type d -name '*.assay' 2>/dev/null | sed 's/^/  /'
    echo "Settings: ${XDG_CONFIG_HOME:-$HOME/.config}/assay"
    exit 0
fi

"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || {
    echo "$python isn't CPython 3.11. Install it, or name it with --python." >&2
    exit 1
}
"$python" - "$here" <<'CHECK'
import hashlib, pathlib, sys
here = pathlib.Path(sys.argv[1])
wanted = {line.split("sha256:")[1].strip() for line in (here / "requirements.txt").read_text().splitlines()}
found = {hashlib.sha256(path.read_bytes()).hexdigest(): path.name for path in (here / "wheels").glob("*.whl")}
if missing := wanted - set(found):
    sys.exit(f"{len(missing)} of {len(wanted)} wheels are missing or damaged. Copy the wheelhouse again.")
print(f"All {len(wanted)} wheels are whole.")
CHECK
"$python" - <<'LIBRARIES'
import ctypes, sys
def lacks(names):
    found = []
    for library, package in names.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            found.append(package)
    return found
needed = lacks({"libgomp.so.1": "libgomp1", "libstdc++.so.6": "libstdc++6"})
window = lacks({
    "libGL.so.1": "libgl1", "libEGL.so.1": "libegl1", "libxkbcommon.so.0": "libxkbcommon0", "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1", "libglib-2.0.so.0": "libglib2.0-0", "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0", "libxcb-icccm.so.4": "libxcb-icccm4", "libxcb-keysyms.so.1": "libxcb-keysyms1",
})
if window:
    print("The window (not the command line) needs these of Debian's packages: " + " ".join(window), file=sys.stderr)
if needed:
    sys.exit("Models need these of Debian's packages: " + " ".join(needed) + ". Install them from the system's own medium, then run this again.")
LIBRARIES
if [ "$work" = dry ]; then
    echo "Would make an environment of $("$python" --version) in $prefix, with the command $prefix/bin/assay."
    exit 0
fi
"$python" -m venv "$prefix"
: > "$prefix/.assay-workbench"
"$prefix/bin/python" -m pip --disable-pip-version-check install --quiet --no-index --no-deps --require-hashes \
    --find-links "$here/wheels" --requirement "$here/requirements.txt"
"$prefix/bin/python" -m pip --disable-pip-version-check check >/dev/null || echo "pip finds that packages don't fit together: $prefix/bin/pip check" >&2
echo "Assay @VERSION@ is installed: $prefix/bin/assay"

#!/bin/sh
# Installs Assay @VERSION@ for one person; needs no root and no network. The program follows this script as a compressed tar.
set -eu
prefix="$HOME/.local"
work=install
skip=@SKIP@
size=@SIZE@
sum=@SHA256@

usage() {
    cat <<'TEXT'
Usage: sh assay-workbench-@VERSION@-linux-x86_64.run [--prefix DIR] [--dry-run | --check | --uninstall]

  --prefix DIR  install below DIR (default: ~/.local)
  --dry-run     say what would be done, and do nothing
  --check       check that this file is whole, and do nothing else
  --uninstall   remove the program; vaults and settings stay
TEXT
}

while [ $# -gt 0 ]; do
    case "$1" in
        --prefix) [ $# -ge 2 ] || { usage >&2; exit 2; }; prefix=$2; shift ;;
        --dry-run) work=dry ;;
        --check) work=check ;;
        --uninstall) work=remove ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
case "$prefix" in /*) ;; *) prefix=$(pwd)/$prefix ;; esac
place=$prefix/lib/assay
list=$place.files

payload() { tail -c "+$skip" "$0"; }

whole() {
    [ "$(payload | wc -c)" -eq "$size" ] && [ "$(payload | sha256sum | cut -d' ' -f1)" = "$sum" ]
}

vaults() {
    echo "Vaults were left as they are. These were found in your home folder:"
    find "$HOME" -xdev -maxdepth 5 -type d -name '*.assay' 2>/dev/null | sed 's/^/  /'
    echo "Settings: ${XDG_CONFIG_HOME:-$HOME/.config}/assay"
}

refresh() { # what the desktop remembers of shortcuts and kinds of files
    if command -v update-mime-database >/dev/null 2>&1; then update-mime-database "$prefix/share/mime" >/dev/null 2>&1 || true; fi
    if command -v update-desktop-database >/dev/null 2>&1; then update-desktop-database "$prefix/share/applications" >/dev/null 2>&1 || true; fi
}

if [ "$work" = remove ]; then
    [ -f "$list" ] || { echo "Assay isn't installed below $prefix." >&2; exit 1; }
    while IFS= read -r name; do
        rm -f -- "$prefix/$name"
    done < "$list"
    rm -rf -- "$place"
    rm -f -- "$list" "$prefix/bin/assay"
    refresh
    echo "Assay was removed from $prefix."
    vaults
    exit 0
fi

whole || { echo "This file is damaged: it isn't as it was built. Copy it again, and check its signature." >&2; exit 1; }
if [ "$work" = check ]; then
    echo "The file is whole. Who made it, the signature over SHA256SUMS tells."
    exit 0
fi
if [ "$work" = dry ]; then
    echo "Would install Assay @VERSION@ into $place, with the command $prefix/bin/assay and a shortcut, icons, kinds of files and a manual below"
    echo "$prefix/share. Files: $(payload | tar -tz | grep -vc '/$')."
    [ ! -e "$place" ] || echo "Would replace the program that is there. Vaults and settings stay."
    exit 0
fi

mkdir -p "$prefix/lib" "$prefix/bin" "$prefix/share"
fresh=$(mktemp -d "$prefix/lib/.assay-XXXXXX")
trap 'rm -rf -- "$fresh"' EXIT
trap 'exit 1' HUP INT TERM
payload | tar -xz -C "$fresh" --no-same-owner
(cd "$fresh" && find share -type f) > "$fresh/files"
rm -rf -- "$place"
mv "$fresh/lib/assay" "$place"
while IFS= read -r name; do
    mkdir -p "$prefix/$(dirname "$name")"
    mv "$fresh/$name" "$prefix/$name"
done < "$fresh/files"
sed -i "s|^Exec=assay |Exec=\"$prefix/bin/assay\" |" "$prefix/share/applications/assay.desktop"
mv "$fresh/files" "$list"
ln -sf "$place/assay" "$prefix/bin/assay"
refresh
echo "Assay @VERSION@ is installed. Start it with $prefix/bin/assay app, or from the menu."
case ":$PATH:" in *":$prefix/bin:"*) ;; *) echo "($prefix/bin isn't among the folders of your commands.)" ;; esac
exit 0

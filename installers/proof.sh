#!/bin/sh
# Installs what was built in a clean Debian without Python and without a network, uses it, and removes it. Needs root.
# Usage: proof.sh RELEASE WORK [deb | run | wheelhouse | train | addon | graphics]…; where none is named, all that RELEASE has the file for. The clean system is made once in WORK by debootstrap (this part reaches debootstrap's own mirror, or the one that MIRROR names).
set -eu
release=$(cd "$1" && pwd)
mkdir -p "$2"
work=$(cd "$2" && pwd)
shift 2
wanted=$*
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" -eq 0 ] || { echo "This needs root, for debootstrap, chroot and a network namespace." >&2; exit 1; }

if [ -z "$wanted" ]; then
    has() { [ -z "$(find "$release" -maxdepth 1 -name "$1")" ] || wanted="$wanted $2"; }
    has '*_amd64.deb' deb
    has '*.run' run
    has '*-wheelhouse-*_x86_64.tar' wheelhouse
    has '*-wheelhouse-*-train.tar' train
    has 'assay-training-*.addon' addon
    has 'assay-graphics-*.addon' graphics
fi
deb=$(find "$release" -maxdepth 1 -name '*_amd64.deb' | head -n 1)
base=$work/base
if [ ! -e "$work/base.done" ]; then
    needs=$(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/ //g')
    debootstrap --variant=minbase --include="$needs,xvfb,xdotool,desktop-file-utils,shared-mime-info" bookworm "$base" ${MIRROR:+"$MIRROR"} > "$work/debootstrap.log"
    touch "$work/base.done"
fi
if [ -n "$(find "$release" -maxdepth 1 -name '*-wheelhouse-*.tar')" ] && [ ! -e "$work/python.done" ]; then
    rm -rf "$work/python"
    cp -a "$base" "$work/python"
    cp /etc/resolv.conf "$work/python/etc/resolv.conf"
    chroot "$work/python" sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3 python3-venv libgomp1" > "$work/apt.log" 2>&1
    touch "$work/python.done"
fi

inside() { # inside BASE SCRIPT: a fresh copy of BASE, no interfaces, the release at /release
    root=$work/root
    rm -rf "$root"
    cp -a "$work/$1" "$root"
    mkdir -p "$root/release" "$root/proof"
    cp "$here"/proof/*.sh "$root/proof/"
    status=0
    unshare --net --mount --pid --fork --ipc sh -eu -c '
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
        mount --bind "$3" "$1/release"
        exec env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$1" sh -eu "/proof/$2"' \
        inside "$root" "$2" "$release" || status=$?
    rm -rf "$root"
    return $status
}

for one in $wanted; do
    case $one in
        deb)
            echo "== the Debian package, without Python and without a network"
            inside base deb.sh
            ;;
        run)
            echo "== the self-extracting file, as an ordinary user"
            inside base run.sh
            ;;
        addon)
            echo "== the add-on for training, in the Debian package's program"
            inside base addon.sh
            ;;
        graphics)
            echo "== the add-on for graphics cards, in the Debian package's program, without a card"
            inside base graphics.sh
            ;;
        train)
            echo "== the wheelhouse with what training needs, with Debian's own Python"
            inside python train.sh
            ;;
        wheelhouse)
            echo "== the wheelhouse, with Debian's own Python"
            inside python wheelhouse.sh
            ;;
        *)
            echo "$one: there is no such proof." >&2
            exit 2
            ;;
    esac
done
echo "== passed:$(printf ' %s' $wanted)"

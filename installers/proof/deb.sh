# The Debian package in a clean system: install, window, demo, doctor, pack, uninstall.
set -eu
now() { date +%s%N | cut -c1-13; }
interfaces=$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | tr '\n' ' ')
[ "$interfaces" = "lo " ] || { echo "there are interfaces: $interfaces" >&2; exit 1; }
for name in python3 python python3.11; do
    if command -v $name; then echo "Python is installed here" >&2; exit 1; fi
done
dpkg -i /release/*_amd64.deb > /tmp/dpkg.log
echo "installed: $(du -sm /usr/lib/assay | cut -f1) MB"
for round in first second third; do
    begun=$(now)
    assay --version > /tmp/version
    echo "assay --version, $round: $(($(now) - begun)) ms"
done

mkdir /tmp/frame
Xvfb :9 -screen 0 1280x800x24 -fbdir /tmp/frame > /tmp/xvfb.log 2>&1 &
server=$!
while [ ! -e /tmp/frame/Xvfb_screen0 ] || [ ! -e /tmp/.X11-unix/X9 ]; do sleep 0.1; done
sleep 1
for round in first second third; do
    cp /tmp/frame/Xvfb_screen0 /tmp/blank
    begun=$(now)
    DISPLAY=:9 QT_QPA_PLATFORM=xcb assay app > /tmp/window.log 2>&1 &
    window=$!
    tries=0
    while cmp -s /tmp/frame/Xvfb_screen0 /tmp/blank; do
        kill -0 $window 2>/dev/null || { cat /tmp/window.log >&2; echo "the window didn't start" >&2; exit 1; }
        tries=$((tries + 1))
        [ $tries -lt 3000 ] || { echo "no window after a long time" >&2; exit 1; }
        sleep 0.02
    done
    echo "window, $round start until its first picture: $(($(now) - begun)) ms"
    kill $window
    wait $window 2>/dev/null || true
    sleep 1
done
useradd --create-home tester
home=/home/tester
as() { su tester -c "cd && $1"; }
launch() { su tester -c "cd && DISPLAY=:9 QT_QPA_PLATFORM=xcb exec assay app"; }
. /proof/first_run.sh
kill $server

as "assay demo --out /home/tester/result" > /tmp/demo.log || { tail -5 /tmp/demo.log >&2; exit 1; }
tail -n 5 /tmp/demo.log | head -n 1
as "assay pack verify result/merrowdale.pack --trust result/merrowdale.trust.json" > /tmp/verify.log || { cat /tmp/verify.log >&2; exit 1; }
echo "pack: $(head -n 1 /tmp/verify.log)"
as "cp result/merrowdale.pack changed.pack && printf x | dd of=changed.pack bs=1 seek=70000 conv=notrunc 2>/dev/null"
if as "assay pack verify changed.pack --trust result/merrowdale.trust.json" > /tmp/changed.log 2>&1; then
    echo "a changed pack was found valid" >&2
    exit 1
fi
echo "changed pack: refused"
as "assay doctor" > /tmp/doctor.log 2>&1 || { grep -v '^ok' /tmp/doctor.log; echo "doctor finds faults" >&2; exit 1; }
echo "doctor: $(grep -c '^ok' /tmp/doctor.log) good, $(grep -vc '^ok' /tmp/doctor.log) other lines"
grep -v '^ok' /tmp/doctor.log || true
as "printf 'a long enough passphrase of words' > word && chmod 600 word && ASSAY_PASSPHRASE_FILE=word assay vault create /home/tester/Kept.assay --user Ada" > /dev/null
dpkg -r assay-workbench > /tmp/remove.log
grep Vaults /tmp/remove.log
[ ! -e /usr/lib/assay ] && [ ! -e /usr/bin/assay ]
[ -e /home/tester/Kept.assay/vault.db ]
echo "uninstalled; the vault is still there"

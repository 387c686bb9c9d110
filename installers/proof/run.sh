# The self-extracting file as an ordinary user: check, dry run, install, demo, uninstall.
set -eu
useradd --create-home tester
as() { su tester -c "cd && $1"; }
as "sh /release/*.run --check"
as "sh /release/*.run --dry-run"
[ -z "$(find /home/tester -name 'assay*')" ]
cp /release/*.run /tmp/damaged.run
printf x | dd of=/tmp/damaged.run bs=1 seek=1000000 conv=notrunc 2>/dev/null
if as "sh /tmp/damaged.run" 2> /tmp/damaged.log; then
    echo "a damaged file was installed" >&2
    exit 1
fi
rm /tmp/damaged.run
as "sh /release/*.run"
as ".local/bin/assay --version"
as ".local/bin/assay demo --out result" > /tmp/demo.log || { tail -5 /tmp/demo.log >&2; exit 1; }
as ".local/bin/assay pack verify result/merrowdale.pack --trust result/merrowdale.trust.json" | head -n 1
as "mkdir -p Work/Kept.assay && sh /release/*.run --uninstall"
[ ! -e /home/tester/.local/lib/assay ] && [ ! -e /home/tester/.local/bin/assay ]
[ -z "$(find /home/tester/.local -name '*assay*')" ]
[ -d /home/tester/Work/Kept.assay ]
echo "uninstalled; nothing of the program is left"

# The wheelhouse with a stock Python: dry run, install, demo, doctor, uninstall.
set -eu
useradd --create-home tester
as() { su tester -c "cd && $1"; }
as "tar xf /release/*-wheelhouse-*_x86_64.tar"
as "sh assay-workbench-*-wheelhouse-*/install.sh --dry-run --python python3"
as "sh assay-workbench-*-wheelhouse-*/install.sh --python python3"
bin=.local/share/assay-workbench/bin
as "$bin/assay --version"
as "$bin/assay demo --out result" > /tmp/demo.log || { tail -5 /tmp/demo.log >&2; exit 1; }
as "$bin/assay pack verify result/merrowdale.pack --trust result/merrowdale.trust.json" | head -n 1
as "$bin/assay doctor" > /tmp/doctor.log 2>&1 || { grep -v '^ok' /tmp/doctor.log; exit 1; }
grep 'program files' /tmp/doctor.log
as "mkdir -p Kept.assay && sh assay-workbench-*-wheelhouse-*/install.sh --uninstall"
[ ! -e /home/tester/.local/share/assay-workbench ] && [ -d /home/tester/Kept.assay ]
echo "uninstalled; nothing of the program is left"

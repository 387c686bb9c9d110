# The wheelhouse with what training needs, with a stock Python: install, a plan for training, uninstall.
set -eu
useradd --create-home tester
as() { su tester -c "cd && export ASSAY_PASSPHRASE_FILE=/home/tester/word ASSAY_VAULT=/home/tester/Work.assay ASSAY_USER=ada && $1"; }
printf 'a long enough passphrase of words' > /home/tester/word
chown tester /home/tester/word
chmod 600 /home/tester/word
as "tar xf /release/*-wheelhouse-*-train.tar"
as "sh assay-workbench-*-wheelhouse-*/install.sh --dry-run --python python3"
as "sh assay-workbench-*-wheelhouse-*/install.sh --python python3"
bin=.local/share/assay-workbench/bin
as "$bin/assay vault create Work.assay" > /tmp/create.log
style=$(find /home/tester/.local/share/assay-workbench -path '*resources/example/style.yaml')
as "$bin/assay train run $style --plan" > /tmp/plan.log 2>&1 || { tail -c 3000 /tmp/plan.log >&2; exit 1; }
tail -n 6 /tmp/plan.log
as "sh assay-workbench-*-wheelhouse-*/install.sh --uninstall"
[ ! -e /home/tester/.local/share/assay-workbench ] && [ -d /home/tester/Work.assay ]
echo "uninstalled; the vault is still there"

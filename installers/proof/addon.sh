# The add-on for training in the installed program: refused where it was changed, installed offline, trained with, read by the doctor, removed.
set -eu
dpkg -i /release/*_amd64.deb > /tmp/dpkg.log 2>&1 || { tail -5 /tmp/dpkg.log >&2; exit 1; }
useradd --create-home tester
as() { su tester -c "cd && export ASSAY_PASSPHRASE_FILE=/home/tester/word ASSAY_VAULT=/home/tester/Work.assay ASSAY_USER=ada && $1"; }
printf 'a long enough passphrase of words' > /home/tester/word
chown tester /home/tester/word
chmod 600 /home/tester/word
as "assay vault create Work.assay" > /tmp/create.log
if as "assay train run /usr/lib/assay/_internal/resources/example/style.yaml --plan" > /tmp/without.log 2>&1; then
    echo "training went without its libraries" >&2
    exit 1
fi
grep -q "assay addon install" /tmp/without.log
cp /release/assay-training-*.addon /tmp/changed.addon
printf x | dd of=/tmp/changed.addon bs=1 seek=90000000 conv=notrunc 2> /dev/null
chmod 644 /tmp/changed.addon
if as "assay addon install /tmp/changed.addon" > /tmp/changed.log 2>&1; then
    echo "a changed add-on was installed" >&2
    exit 1
fi
tail -n 1 /tmp/changed.log
rm /tmp/changed.addon
[ -z "$(find /home/tester/.local/share/assay/addons -name '*.py' 2> /dev/null)" ]
as "assay addon install /release/assay-training-*.addon" | tail -n 2
as "assay addon list"
# The example's data and settings, shortened: 24 of its 300 examples, one round, 4 samples of its evaluation.
as "mkdir short && cd short && cp /usr/lib/assay/_internal/resources/example/style*.* . && for f in style:24 style-test:4; do head -n \${f#*:} \${f%:*}.jsonl > part && mv part \${f%:*}.jsonl; done && sed -i 's/epochs: .*/epochs: 1/' style.yaml"
[ "$(wc -l < /home/tester/short/style.jsonl)" -eq 24 ]
as "assay train run short/style.yaml" > /tmp/train.log 2>&1 || { tail -c 3000 /tmp/train.log >&2; exit 1; }
tail -n 12 /tmp/train.log
as "assay train list"
as "assay doctor" > /tmp/doctor.log 2>&1 || { cat /tmp/doctor.log >&2; exit 1; }
grep "add-on" /tmp/doctor.log
as "assay addon remove training"
[ -z "$(find /home/tester/.local/share/assay/addons -type f ! -name '.*.lock')" ]
echo "removed; nothing of the add-on is left"

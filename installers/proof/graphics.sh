# The add-on for graphics cards in the installed program, on a machine without a card: refused where it was changed, installed offline, loaded by
# the worker of a model, which answers on the processor, told by the doctor and the plan, removed.
set -eu
dpkg -i /release/*_amd64.deb > /tmp/dpkg.log 2>&1 || { tail -5 /tmp/dpkg.log >&2; exit 1; }
useradd --create-home tester
as() { su tester -c "cd && export ASSAY_PASSPHRASE_FILE=/home/tester/word ASSAY_VAULT=/home/tester/Work.assay ASSAY_USER=ada && $1"; }
card() { # card WORDS: what the doctor says of the card has these words
    as "assay doctor" > /tmp/doctor.log 2>&1 || { cat /tmp/doctor.log >&2; exit 1; }
    grep -A 2 "graphics card" /tmp/doctor.log > /tmp/card.log
    grep -q "$1" /tmp/card.log || { cat /tmp/card.log >&2; echo "the doctor doesn't say: $1" >&2; exit 1; }
    head -n 2 /tmp/card.log
}
printf 'a long enough passphrase of words' > /home/tester/word
chown tester /home/tester/word
chmod 600 /home/tester/word
as "assay vault create Work.assay" > /tmp/create.log
card "There is none"
cp /release/assay-graphics-*.addon /tmp/changed.addon
printf x | dd of=/tmp/changed.addon bs=1 seek=90000000 conv=notrunc 2> /dev/null
chmod 644 /tmp/changed.addon
if as "assay addon install /tmp/changed.addon" > /tmp/changed.log 2>&1; then
    echo "a changed add-on was installed" >&2
    exit 1
fi
tail -n 1 /tmp/changed.log
rm /tmp/changed.addon
[ -z "$(find /home/tester/.local/share/assay/addons -name '*.so*' 2> /dev/null)" ]
as "assay addon install /release/assay-graphics-*.addon" | tail -n 2
as "assay addon list"
card "is loaded and would use one"
as "assay model plan starter-chat" > /tmp/plan.log
grep "finds no graphics card here" /tmp/plan.log
mknod -m 666 /dev/nvidia0 c 1 3 # what a card's driver would make; this one leads nowhere
card "its driver shows none"
as "printf 'A site reports a serious adverse event within 24 hours.' > rule.txt && assay documents add Rules rule.txt" > /tmp/add.log
as "assay ask --model starter-chat Rules 'How soon must a site report a serious adverse event?'" > /tmp/answer.log 2>&1 || { cat /tmp/answer.log >&2; exit 1; }
echo "answered with the add-on loaded, on the processor: $(head -n 1 /tmp/answer.log)"
as "assay model plan starter-chat" | grep "finds no graphics card here"
rm /dev/nvidia0
as "assay addon remove graphics"
[ -z "$(find /home/tester/.local/share/assay/addons -type f ! -name '.*.lock')" ]
card "There is none"
echo "removed; nothing of the add-on is left"

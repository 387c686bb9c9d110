# The window's first run by keys and clicks: a vault is made, the example opened, a question asked. Sourced by deb.sh and traffic.sh, with Xvfb on :9 at
# 1280x800, `home`, a command `as` that runs words there, and a command `launch` that starts the window. What was done is read from the vault's own log, through the window that has it open.
export DISPLAY=:9
enter() { xdotool type --delay 40 "$1"; }
done_there() { # done_there ACT: whether the log has it
    as "ASSAY_PASSPHRASE_FILE=word assay --vault 'Drug safety.assay' --user ines --json audit log" > "$logs/log.json" 2> "$logs/log.err" || return 1
    grep -q "\"act\": \"$1\"" "$logs/log.json"
}
until_true() { # until_true WHAT COMMAND…: tried again for some minutes
    what=$1
    shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "first run: $what didn't happen" >&2; cat "$logs/window.log" "$logs/log.err" >&2; exit 1; }
        sleep 3
    done
}
visible() { xdotool search --onlyvisible --name '^Assay$' > "$logs/windows" 2> /dev/null; }
example_in() { # the button of the first step; where it was, a mark stays when it is done
    xdotool mousemove 803 171 click 1
    sleep 2
    done_there save-spec
}
asked() {
    done_there ask && return 0
    xdotool mousemove 793 233 click 1 # the button of the second step
    sleep 5
    enter "How soon must a site report a serious adverse event?"
    xdotool key Return
    sleep 10
    done_there ask
}

logs=$(mktemp -d)
printf 'a quiet ladder in october' > "$home/word"
[ "$home" != /home/tester ] || chown tester "$home/word"
chmod 600 "$home/word"
launch > "$logs/window.log" 2>&1 &
until_true "the window" visible
window=$(tail -n 1 "$logs/windows")
xdotool windowmove "$window" 0 0 windowsize "$window" 1280 800 windowfocus "$window"
sleep 5
enter "Drug safety"
xdotool key Tab Tab
enter "ines"
xdotool key Tab
enter "Ines Korhan"
xdotool key Tab
enter "a quiet ladder in october"
xdotool key Tab
enter "a quiet ladder in october"
xdotool key Tab space
until_true "making the vault" done_there create-vault
sleep 5
until_true "opening the example" example_in
until_true "asking" asked
echo "first run in the window: vault made, example opened ($(grep -c '"act": "add-documents"' "$logs/log.json") documents), a question asked and answered"
xdotool windowkill "$window" || true
unset DISPLAY

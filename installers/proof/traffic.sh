# The main job, what surrounds it, the local API and the window under strace: sh traffic.sh ASSAY FOLDER [PYTHON [TEST…]].
# ASSAY is the installed command. The folder gets the traces, to be read by `python -m installers.traffic FOLDER`. With the PYTHON of a checkout's
# environment, tests are traced too that start the kinds of process which need large collections, models or plug-ins; run it in the checkout then.
# ONLY (job, around, serve, window, tests) chooses parts; `first` is the window's first run by keys and clicks, and needs Xvfb and xdotool.
set -eu
proof=$(cd "$(dirname "$0")" && pwd)
assay=$(readlink -f "$1")
folder=$2
python=${3:-}
only=${ONLY:-job around serve window first tests}
shift 2
[ -z "$python" ] || shift
work=$(mktemp -d)
mkdir -p "$folder"
export ASSAY_PASSPHRASE_FILE="$work/word" ASSAY_VAULT="$work/Traced.assay" ASSAY_USER=ada QT_QPA_PLATFORM=offscreen
printf 'a long enough passphrase of words' > "$work/word"
chmod 600 "$work/word"
traced() { # without --seccomp-bpf, which hides what the program's own filter refuses
    strace -ff -qq -s 256 -o "$folder/t" -e trace=%network,execve,fork,vfork,clone,clone3 "$@"
}
step() { # step NAME COMMAND…: traced, with what it says in a file
    name=$1
    shift
    if traced "$@" > "$work/$name.log" 2>&1; then
        echo "traced: $name"
    else
        tail -n 5 "$work/$name.log" >&2
        echo "traced, with an error: $name"
    fi
}
part() { case " $only " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

step create "$assay" vault create "$ASSAY_VAULT"
if part job; then
    step demo "$assay" demo --out "$work/result"
fi
if part around; then
    # Scores of wording (the scoring worker), a smaller copy of a model (the maker of models), a plan for training (the trainer).
    printf '{"input": "How soon?", "target": "within 24 hours"}\n{"input": "Who signs?", "target": "the sponsor"}\n' > "$work/two.jsonl"
    printf 'messages:\n  - role: user\n    content: "{{ question }}"\n' > "$work/plain.yaml"
    printf 'name: wording\ndataset: two\nprompts: [plain@1]\nmodels: [starter-chat]\nmax_tokens: 16\nscorers: [bleu, rougeL, contains]\n' > "$work/wording.yaml"
    step dataset "$assay" dataset add two "$work/two.jsonl"
    step prompt "$assay" prompt save plain --file "$work/plain.yaml"
    step eval "$assay" eval run "$work/wording.yaml"
    step quantize "$assay" model quantize starter-chat Q4_0 --again --out "$work/small.gguf"
    for place in resources "$(dirname "$(readlink -f "$assay")")/_internal/resources"; do
        [ ! -e "$place/example/style.yaml" ] || style=$place/example/style.yaml
    done
    step train "$assay" train run "$style" --plan
fi
if part serve; then
    traced "$assay" serve --port 11711 --token curl > "$work/serve.log" 2>&1 &
    server=$!
    tries=0
    until grep -q "Tokens in force" "$work/serve.log"; do
        kill -0 $server 2> /dev/null || { cat "$work/serve.log" >&2; exit 1; }
        tries=$((tries + 1))
        [ $tries -lt 2400 ] || exit 1
        sleep 0.1
    done
    token=$(sed -n 's/^Token curl.*: //p' "$work/serve.log")
    curl -s -H "Authorization: Bearer $token" http://127.0.0.1:11711/v1/models > "$work/models.json"
    model=$(sed -n 's/.*"id": *"\(starter-chat[^"]*\)".*/\1/p' "$work/models.json" | head -n 1)
    curl -s -H "Authorization: Bearer $token" -H 'Content-Type: application/json' http://127.0.0.1:11711/v1/chat/completions \
        -d "{\"model\": \"${model:-starter-chat}\", \"max_tokens\": 8, \"messages\": [{\"role\": \"user\", \"content\": \"How soon?\"}]}" > "$work/answer.json"
    grep -q '"choices"' "$work/answer.json" || { cat "$work/models.json" "$work/answer.json" "$work/serve.log" >&2; exit 1; }
    kill -TERM $(pgrep -P "$(pgrep -P $server)") # the program under strace; what a shell starts beside itself doesn't hear INT
    wait $server 2> /dev/null || true
    echo "traced: serve"
fi
if part window; then
    # The window as it starts, with a vault to unlock, for half a minute: it loads its pages and compares the program's files.
    traced "$assay" app "$ASSAY_VAULT" > "$work/window.log" 2>&1 &
    window=$!
    sleep 30
    kill -0 $window 2> /dev/null || { cat "$work/window.log" >&2; exit 1; }
    kill -TERM $(pgrep -P "$(pgrep -P $window)") # the program under strace
    wait $window 2> /dev/null || true
    echo "traced: the window"
fi
if part first && command -v Xvfb > /dev/null && command -v xdotool > /dev/null; then
    home=$work/home
    mkdir -p "$home/bin" "$work/frame"
    ln -s "$assay" "$home/bin/assay"
    Xvfb :9 -screen 0 1280x800x24 -fbdir "$work/frame" > "$work/xvfb.log" 2>&1 &
    server=$!
    while [ ! -e "$work/frame/Xvfb_screen0" ] || [ ! -e /tmp/.X11-unix/X9 ]; do
        kill -0 $server 2> /dev/null || { cat "$work/xvfb.log" >&2; exit 1; }
        sleep 0.1
    done
    as() { (cd "$home" && env -u ASSAY_VAULT -u ASSAY_USER HOME="$home" PATH="$home/bin:$PATH" sh -c "$1"); }
    launch() { (cd "$home" && unset ASSAY_VAULT ASSAY_USER ASSAY_PASSPHRASE_FILE && export HOME="$home" DISPLAY=:9 QT_QPA_PLATFORM=xcb && traced "$assay" app); }
    . "$proof/first_run.sh"
    rm -rf "$logs"
    kill $server
    wait $server 2> /dev/null || true
    echo "traced: the window's first run"
fi
if part tests && [ -n "$python" ]; then
    step tests "$python" -m pytest -q -x -p no:cacheprovider "$@"
    tail -n 1 "$work/tests.log"
fi
rm -rf "$work"

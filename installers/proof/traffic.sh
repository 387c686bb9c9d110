# The main job and the local API under strace: sh traffic.sh ASSAY FOLDER. Fails when any process reached for another machine.
# ASSAY is the installed command. The folder gets the traces, to be read by `python -m installers.traffic FOLDER`.
set -eu
assay=$1
folder=$2
work=$(mktemp -d)
mkdir -p "$folder"
export ASSAY_PASSPHRASE_FILE="$work/word" ASSAY_VAULT="$work/Traced.assay" ASSAY_USER=ada QT_QPA_PLATFORM=offscreen
printf 'a long enough passphrase of words' > "$work/word"
chmod 600 "$work/word"
traced() { # without --seccomp-bpf, which hides what the program's own filter refuses
     strace -ff -qq -s 256 -o "$folder/t" -e trace=%network,execve,fork,vfork,clone,clone3 "$@"; }

traced "$assay" demo --out "$work/result" > "$work/demo.log"
traced "$assay" vault create "$work/Traced.assay" > "$work/create.log"
traced "$assay" serve --port 11711 --token curl > "$work/serve.log" 2>&1 &
server=$!
tries=0
until grep -q "Tokens in force" "$work/serve.log"; do
    kill -0 $server 2> /dev/null || { cat "$work/serve.log" >&2; exit 1; }
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || exit 1
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
rm -rf "$work"

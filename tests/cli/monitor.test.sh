#!/bin/sh
# `lathe ps` and `lathe monitor`: a machine that runs is seen, asked and changed by its name.
lathe=$(cd "$(dirname "$0")/../.." && pwd)/${BUILD:-build}/lathe
dir=$(mktemp -d -p "$(dirname "$lathe")") machine=
trap '[ -z "$machine" ] || kill "$machine" 2>/dev/null; rm -rf "$dir" "$short"' EXIT
short=$(mktemp -d)      # the name of a socket may only be so long
cd "$dir" || exit 1
export XDG_RUNTIME_DIR="$short"
fail() { echo "FAILED: $*"; exit 1; }

# A firmware that sleeps: wfi; j .-4
printf '\163\000\120\020\157\360\337\377' > sleep.bin
truncate -s 1M disk.img
cat > m.yaml <<'END'
lathe: machine/v1
name: sleeper
board: riscv-virt@1
memory: 64MiB
boot: { firmware: sleep.bin }
drives:
  disk: { file: disk.img, format: raw, cache: writeback }
  fast: { size: 1MiB, cache: none, aio: native }
END
start() {
    timeout 60 "$lathe" run m.yaml --stats < /dev/null > log 2>&1 &
    machine=$!
    tries=0
    until timeout 10 "$lathe" monitor sleeper status > /dev/null 2>&1; do
        kill -0 $machine 2>/dev/null || fail "it does not run: $(cat log)"
        tries=$((tries + 1)); [ $tries -lt 500 ] || fail "no monitor"
        sleep 0.02
    done
}
ask() { timeout 10 "$lathe" monitor sleeper "$@" > said 2>&1; }
says() { grep -q -- "$1" said || fail "not '$1': $(cat said)"; }

start
timeout 10 "$lathe" ps > said || fail "ps"
says '^sleeper\.[0-9]* *running$'
[ "$(stat -c %a "$short/lathe")" = 700 ] || fail "others may look"
ask pause && ask status && says '^paused$' && ask continue && ask status && says '^running$' || fail "pause"
ask drives && says 'disk .*1048576 bytes  cache writeback' || fail "drives"

# ---- another cache mode ----
ask drive disk cache=directsync && says 'drive disk: cache directsync' || fail "cache: $(cat said)"
ask drive disk && says '^drive disk: cache directsync, aio threads' || fail "stats"
ask drive fast cache=writeback && fail "aio native with a mode that is not direct"
says 'drive `fast` stays at cache none: .*aio native'
ask drives && says 'fast .*cache none' || fail "the mode has gone"
ask drive disk cache=writeback || fail "and back"

# ---- what is wrong ----
ask drive disk cache=maybe && fail "a mode that is not there"
says 'there is no cache mode `maybe`'
ask drive other && fail "a drive that is not there"
says 'there is no drive `other`'
ask dance && fail "a command that is not there"
ask drive && fail "too few words"
says 'usage: drive NAME'
printf 'status\nhelp\nnonsense\n' | timeout 10 "$lathe" monitor sleeper > said 2>&1 && fail "the last line's status"
says running
timeout 10 "$lathe" monitor nobody status > said 2>&1
[ $? = 3 ] && says 'no machine `nobody` runs' || fail "nobody"
head -c 100000 /dev/zero | tr '\0' 'x' | timeout 10 socat -t 1 - "UNIX-CONNECT:$(echo "$short"/lathe/*)" > /dev/null 2>&1
ask status || fail "a client that says too much"

# ---- the end ----
ask stop || fail "stop"
wait $machine || fail "exit status $?: $(cat log)"
machine=
grep -q '^drive fast: cache none, aio native' log || fail "statistics at the end: $(cat log)"
[ -z "$(ls "$short/lathe")" ] || fail "the socket is still there"

timeout 60 "$lathe" run m.yaml --monitor "$short/own" < /dev/null > log 2>&1 &
machine=$!
tries=0
until timeout 10 "$lathe" monitor "$short/own" status > said 2>&1; do
    tries=$((tries + 1)); [ $tries -lt 500 ] || fail "no monitor at a path"
    sleep 0.02
done
[ -z "$(timeout 10 "$lathe" ps)" ] || fail "it is in the folder, too"
timeout 60 "$lathe" run m.yaml --monitor "$short/own" --set drives=null < /dev/null > said 2>&1 && fail "two at one path"
says 'no monitor at'
timeout 10 "$lathe" monitor "$short/own" stop || fail "stop at a path"
wait $machine || fail "exit status $?: $(cat log)"
machine=
exit 0

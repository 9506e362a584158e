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

# one switch, and the others stay
ask drive disk cache.direct=on && says 'drive disk: cache none' || fail "cache.direct: $(cat said)"
ask drive disk cache.writeback=off && says 'cache directsync' || fail "cache.writeback: $(cat said)"
ask drive disk cache.direct=off cache.no-flush=on && says '{writeback: false, direct: false, no-flush: true}' || fail "two: $(cat said)"
ask drives && says 'disk .*cache {writeback: false, direct: false, no-flush: true}' || fail "a mode without a word"
ask drive disk cache.direct=maybe && fail "maybe"
ask drive disk cache=writeback cache.direct=on && says 'cache none' || fail "a word and a switch"
# as a machine file says it: what a map does not name stays
ask drive disk 'cache={writeback: false, no-flush: true}' && says '{writeback: false, direct: true, no-flush: true}' || fail "a map: $(cat said)"
ask drive disk cache={writeback: true, no-flush: false} && says 'cache none' || fail "a map of several words: $(cat said)"
echo 'drive disk cache={direct: false, writeback: false}' | timeout 10 "$lathe" monitor sleeper > said 2>&1 &&
    says 'cache writethrough' || fail "a map by a line: $(cat said)"
ask drive disk 'cache={writeback: true, direct: false, no-flush: true}' && says 'cache unsafe' || fail "a whole map: $(cat said)"
for map in '{}' '{' '{direct}' '{direct: on}' '{direct: true' '{direct: true, fast: true}' '{direct: true,}' '{direct:true}'; do
    ask drive disk "cache=$map" && fail "a map that is none: $map"
    says 'there is no cache mode'
done
ask drives && says 'disk .*cache unsafe' || fail "a map that is none has changed something"
ask drive disk cache=none || fail "and back to none"
ask drive fast cache.direct=off && fail "aio native, by a switch"
says 'drive `fast` stays at cache none'
ask drive disk cache=writeback || fail "and back again"

# ---- for programs ----
facts() { python3 -c "import json, sys; d = json.load(open('said')); assert $1, d" || fail "$1"; }
ask drives json || fail "drives json"
facts 'd["drives"][0]["name"] == "disk" and d["drives"][1]["aio"] == "native" and d["drives"][0]["writeback"] is True'
ask drive disk stats json || fail "stats json"
facts 'd["cache"] == "writeback" and d["flush"]["asked"] == d["flush"]["done"] + d["flush"]["dropped"] and d["flush"]["dropped"] == 3'
ask drive disk stats xml && fail "statistics of another kind"

# ---- others read a drive ----
if command -v nbdcopy >/dev/null; then
    ask drive disk export disk.sock && fail "a path that the machine does not know"
    ask drive disk export "$short/disk.sock" && says "nbd+unix:///?socket=$short/disk.sock" || fail "export: $(cat said)"
    [ "$(stat -c %a "$short/disk.sock")" = 700 ] || fail "others may read the disk"
    ask drives json && facts 'd["drives"][0]["exported-at"].endswith("disk.sock")'
    printf 'some bytes' | dd of=disk.img conv=notrunc 2>/dev/null
    timeout 20 nbdcopy "nbd+unix:///?socket=$short/disk.sock" copy && cmp copy disk.img || fail "what others read"
    timeout 20 nbdinfo "nbd+unix:///?socket=$short/disk.sock" | grep -q 'is_read_only: true' || fail "they may write"
    ask drive disk export "$short/other.sock" && fail "twice"
    ask drive disk unexport || fail "unexport"
    ask drive disk unexport && fail "unexport, of nothing"
    [ ! -e "$short/disk.sock" ] || fail "the socket of the disk is still there"
    ask drive disk export "$short/disk.sock" || fail "export again"    # until the machine ends
fi

# ---- what is wrong ----
ask drive disk cache=maybe && fail "a mode that is not there"
says 'there is no cache mode `cache=maybe`'
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
[ -z "$(ls "$short/lathe")" ] && [ ! -e "$short/disk.sock" ] || fail "a socket is still there"

# ---- a disk that cannot be flushed at the end ----
cp m.yaml plain.yaml
cat > m.yaml <<'END'
lathe: machine/v1
name: sleeper
board: riscv-virt@1
memory: 64MiB
boot: { firmware: sleep.bin }
drives:
  good: { size: 1MiB }
  bad: { block: { driver: blkdebug, child: { driver: memory, size: 1MiB }, rules: [{ op: flush, error: ENOSPC }] } }
END
start
ask stop || fail "stop"
wait $machine
[ $? = 3 ] || fail "exit status of what may be lost"
machine=
grep -q 'has not all that was written to drive `bad`: No space left' log || fail "lost, unsaid: $(cat log)"
mv plain.yaml m.yaml

# ---- blocks that two drives use ----
cp m.yaml plain.yaml
truncate -s 1M own.img
cat > m.yaml <<'END'
lathe: machine/v1
name: sleeper
board: riscv-virt@1
memory: 64MiB
boot: { firmware: sleep.bin }
blocks:
  base: { driver: file, file: disk.img }
  own: { driver: file, file: own.img, cache: none }
drives:
  one: { block: base, cache: writeback }
  two: { block: base, cache: writeback }
  three: { block: own, cache: none }
  four: { block: own, cache: none }
END
start
ask blocks && says 'base .*cache writeback' && says 'own .*cache none' || fail "blocks: $(cat said)"
ask drive one cache=writethrough && says 'cache writethrough' || fail "durable writes through a shared block: $(cat said)"
ask drive one cache=none && fail "a shared block is not made direct by one of its users"
says 'drive `one` stays at cache writethrough: the block `base` is shared and has cache writeback'
ask block base cache=none && says 'block base: cache none' || fail "a shared block: $(cat said)"
ask drive two cache=none && says 'cache none' || fail "when the block is direct: $(cat said)"
ask block own cache.writeback=off && says 'block own: cache directsync' || fail "one switch of a block: $(cat said)"
ask block own 'cache={writeback: true}' && says 'block own: cache none' || fail "a map for a block: $(cat said)"
ask block own cache=unsafe && says 'ignored there' || fail "flushes ignored: $(cat said)"
ask block own cache=none || fail "and not ignored"
ask block other cache=none && fail "a block that is not there"
says 'there is no shared block `other`'
ask stop && wait $machine || fail "the end of shared blocks"
mv plain.yaml m.yaml

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

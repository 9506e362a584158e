#!/bin/sh
# The protocol iscsi: a logical unit of a target on this machine, by tgt.
lathe=$(cd "$(dirname "$0")/../.." && pwd)/${BUILD:-build}/lathe
. "$(dirname "$0")/writes.sh"
for program in tgtd tgtadm; do
    command -v $program >/dev/null || { echo "$program is missing"; exit 77; }
done
grep -q LIBISCSI "$(dirname "$lathe")/gen/core/have.h" || { echo "built without libiscsi"; exit 77; }
dir=$(mktemp -d) server= served=
trap '[ -z "$server" ] || end; rm -rf "$dir"' EXIT
cd "$dir" || exit 1

fail() { echo "FAILED: $*"; exit 1; }
run() { timeout 60 "$lathe" "$@"; }
control=$(($$ % 30000 + 1000))
port=$((12000 + $$ % 20000))     # below those that the kernel gives to who asks for any
admin() { timeout 10 tgtadm -C $control --lld iscsi "$@"; }
serve() {           # a target with two units: one that is written to, one that is not
    timeout -s KILL 100 tgtd -f -C $control --iscsi "portal=127.0.0.1:$port" > log 2>&1 &
    server=$!
    tries=0
    until admin --op show --mode target > /dev/null 2>&1; do
        kill -0 $server 2>/dev/null ||
            { echo "tgtd does not run here: $(cat log)"; [ "$served" ] && exit 1; exit 77; }
        tries=$((tries + 1)); [ $tries -lt 500 ] || fail "no target"
        sleep 0.02
    done
    admin --op new --mode target --tid 1 -T iqn.2026-01.test:disk &&
        admin --op new --mode logicalunit --tid 1 --lun 1 -b "$dir/a.img" &&
        admin --op new --mode logicalunit --tid 1 --lun 2 -b "$dir/b.img" &&
        admin --op update --mode logicalunit --tid 1 --lun 2 --params readonly=1 &&
        admin --op bind --mode target --tid 1 -I ALL || fail "tgtadm: $(cat log)"
    served=1
}
end() {             # its timeout ends with it, and so it is gone when that has been waited for
    kill -9 $(ps -o pid= --ppid $server) 2>/dev/null
    wait $server 2>/dev/null
    server=
}

head -c 3000000 /dev/urandom > a.img
truncate -s 8M a.img
cp a.img before
cp a.img b.img
serve
unit=iscsi://127.0.0.1:$port/iqn.2026-01.test:disk

run img convert -q -f raw -O raw $unit/1 copy || fail "reading"
cmp copy before || fail "other bytes"
for mode in writeback none writethrough directsync unsafe; do
    run io -f raw -t $mode -c 'write 4097 70000 0x5a' -c flush -c 'read 4097 70000 0x5a' -c 'zero 1M 64k' \
        -c 'read 1M 64k 0' -c 'discard 2M 64k' -c 'write 6M 2M 3' -c 'read 6M 2M 3' $unit/1 > said 2>&1 ||
        fail "$mode: $(cat said)"
done
cmp -n 4096 a.img before || fail "bytes before changed"
run io -f raw -c 'write 0 512' $unit/2 > said 2>&1 && fail "written to a unit that is read-only"
grep -q 'is read-only' said || fail "read-only: $(cat said)"
run io -r -f raw -c 'read 0 512' $unit/2 > /dev/null || fail "reading a unit that is read-only"
run img info -f raw $unit/7 > said 2>&1 && fail "a unit that is not there"
run img info -f raw iscsi://127.0.0.1:1/x/1 > said 2>&1 && fail "a target that is not there"
grep -q 'cannot be reached' said || fail "no target: $(cat said)"

# ---- a target that vanishes and comes back, whatever is being sent just then: nothing is lost ----
for round in 1 2 3 4 5; do
    cp before a.img
    begin_writes $unit/1 4000 8
    end
    serve
    end_writes
done
end

# ---- a target whose host loses power: what it had acknowledged and not flushed is gone from the file ----
cp before a.img
serve
{
    echo 'write 0 64KiB 1'; echo flush
    echo 'write 64KiB 64KiB 2'; echo 'write 100KiB 8KiB 3'; echo 'read 0 512'
    until [ -e cut ]; do sleep 0.02; done
    echo flush; echo 'read 64KiB 36KiB 2'; echo 'read 100KiB 8KiB 3'; echo 'read 108KiB 20KiB 2'
} | run io -f raw -t writeback $unit/1 > said 2>&1 &
io=$!
until grep -q 'read at 0: 512 bytes' said; do kill -0 $io 2>/dev/null || fail "io: $(cat said)"; sleep 0.02; done
end
cp before a.img
serve
touch cut
wait $io || fail "what a target has forgotten: $(cat said)"
cmp -n 65536 a.img before || fail "what a flush had covered was written again"
end
[ "${LONG:-}" = 1 ] || exit 0

# ---- and one that does not come back: the guest's error, in time (some 20 s) ----
serve
rm cut
{ echo 'write 0 4KiB 1'; echo 'read 0 512'; until [ -e cut ]; do sleep 0.02; done; echo flush; } |
    run io -f raw -t writeback $unit/1 > said 2>&1 &
io=$!
until grep -q 'read at 0: 512 bytes' said; do kill -0 $io 2>/dev/null || fail "io: $(cat said)"; sleep 0.02; done
end
touch cut
wait $io && fail "a flush that reached nobody succeeded"
grep -q 'Input/output error' said || fail "a target that is gone: $(cat said)"
exit 0

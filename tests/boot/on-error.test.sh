# A drive whose writes fail: the machine stops and says why, at its console's side and at its monitor; the
# write is tried again when it is told to go on, and the guest sees no error at all.
. tests/boot/lib.sh
guest riscv64
truncate -s 16M "$work/disk.img"
machine disk <<MACHINE
blocks:
  failing:
    driver: blkdebug
    child: { driver: raw, file: $work/disk.img }
    rules: [{ op: write, error: ENOSPC, times: 1, after: 2 }]
drives:
  root: { block: failing }
MACHINE
timeout -k 5 120 "$build/lathe" run "$work/m.yaml" --monitor "$work/m" < /dev/null > "$log" 2>&1 &
machine=$!
until timeout 10 "$build/lathe" monitor "$work/m" status 2>/dev/null | grep '^stopped' > "$work/status"; do
    kill -0 $machine 2>/dev/null || fail "the machine did not stop"
    sleep 0.1
done
grep -q 'stopped: drive root: a write of .* failed: No space left on device' "$work/status" ||
    fail "the status: $(cat "$work/status")"
grep -q 'the machine is stopped: drive root: a write' "$log" || fail "nothing was said"
timeout 10 "$build/lathe" monitor "$work/m" continue || fail "continue"
wait $machine || fail "exit status $?"
sum=$(tr -d '\r' < "$log" | sed -n 's/^@same //p')
[ -n "$sum" ] || fail "what was read is not what was written"
grep -qi 'i/o error' "$log" && fail "the guest saw an error"
[ "$(head -c 1M "$work/disk.img" | sha256sum | cut -d' ' -f1)" = "$sum" ] || fail "the file differs"

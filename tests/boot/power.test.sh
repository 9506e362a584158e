# How a run ends: the guest's reset starts over, its panic is reported, the terminal's bytes are clean.
. tests/boot/lib.sh

# A reset boots the same machine again: the second init is there before the limit ends the run.
machine reboot < /dev/null
: > "$log"
timeout -k 5 60 "$build/lathe" run "$work/m.yaml" < /dev/null > "$log" 2>&1 &
pid=$!
tries=0
while [ "$(grep -c '^@init reboot' "$log")" -lt 2 ] && kill -0 $pid 2>/dev/null && [ $tries -lt 600 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill $pid 2>/dev/null
wait $pid 2>/dev/null
[ "$(grep -c '^@init reboot' "$log")" -ge 2 ] || fail "the machine did not start again"

machine panic < /dev/null
run 60 1
grep -q '^lathe: the guest panicked: Kernel panic - not syncing' "$log" || fail "the panic is not reported"

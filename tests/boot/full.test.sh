# The host's file system is full: the machine stops at the write, says how to go on, and goes on when there
# is room. The guest notices nothing, and what it wrote is there; raw and qcow2. A full standard output is only said.
. tests/boot/lib.sh
command -v unshare >/dev/null && unshare -rm true 2>/dev/null || skip "no mounts of one's own here"
if [ "${FULL_INSIDE:-}" != 1 ]; then
    FULL_INSIDE=1 exec unshare -rm sh "$0"
fi
guest arm64
mkdir "$work/small"
trap 'umount "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
mount -t tmpfs -o size=600k none "$work/small" || skip "no tmpfs can be mounted here"
for format in raw qcow2; do
    mount -o remount,size=600k "$work/small"
    "$build/lathe" img create -q -f $format "$work/small/disk" 16M || fail "no image"
    machine disk <<MACHINE
drives:
  root:
    file: $work/small/disk
    format: $format
    on-error: {write: enospc}
MACHINE
    timeout -k 5 300 "$build/lathe" run "$work/m.yaml" < /dev/null > "$log" 2>&1 &
    pid=$!
    until grep -q 'the machine is stopped: drive root: a write' "$log"; do
        kill -0 $pid 2>/dev/null || fail "$format: it did not stop"
        sleep 0.1
    done
    grep -q 'No space left on device' "$log" || fail "$format: why it stopped"
    mount -o remount,size=20M "$work/small"
    kill -USR1 "$(sed -n 's/.*kill -USR1 \([0-9]*\),.*/\1/p' "$log" | head -n 1)"
    wait $pid || fail "$format: exit status"
    sum=$(tr -d '\r' < "$log" | sed -n 's/^@same //p')
    [ -n "$sum" ] || fail "$format: what was read is not what was written"
    "$build/lathe" img convert -q -f $format -O raw "$work/small/disk" "$work/copy"
    [ "$(head -c 1M "$work/copy" | sha256sum | cut -d' ' -f1)" = "$sum" ] || fail "$format: the image differs"
    [ $format = raw ] || "$build/lathe" img check -q "$work/small/disk" || fail "check"
    rm "$work/small/disk"
done

# Where standard output goes is full: the guest goes on, and that its words are lost is said, once.
machine boot < /dev/null
timeout -k 5 300 "$build/lathe" run "$work/m.yaml" < /dev/null 2> "$log" > /dev/full || fail "it ended with $?"
[ "$(grep -c 'what the guest writes is lost: No space left on device' "$log")" = 1 ] || fail "a lost console is not said"

# What a disk is on goes away under a guest: an NBD server that is killed, and comes back without what it had
# not been asked to flush; a file that somebody cuts off. The guest sees what its policies say, no more.
. tests/boot/lib.sh
guest riscv64
grep -q LIBNBD "$build/gen/core/have.h" || skip "built without libnbd"
truncate -s 16M "$work/served.img"
yes cut | head -c 16M > "$work/cut.img"
serve() {
    : > "$work/nbd"
    "$build/lathe" nbd -f raw --socket "$work/s" "$work/served.img" > "$work/nbd" 2>&1 &
    server=$!
    until grep -q ^listening "$work/nbd"; do kill -0 $server 2>/dev/null || fail "$(cat "$work/nbd")"; sleep 0.05; done
}
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
serve
machine shell <<MACHINE
blocks:
  far: { driver: nbd, file: "nbd+unix:///?socket=$work/s", reconnect: 300ms }
drives:
  far: { block: far, serial: far, on-error: { read: stop, write: stop } }
  cut: { file: $work/cut.img, format: raw, serial: cut, on-error: { read: report } }
MACHINE
guest_shell
cat >&3 <<'GUEST'
for disk in /sys/block/vd*; do [ "$(cat $disk/serial)" = far ] && far=/dev/${disk##*/} || cut=/dev/${disk##*/}; done
yes one | head -c 1048576 > /tmp/one; yes two | head -c 1048576 > /tmp/two
dd if=/tmp/one of=$far bs=64k conv=fsync 2>/dev/null && echo "@flushed" one
dd if=/tmp/two of=$far bs=64k seek=16 oflag=direct 2>/dev/null && echo "@written" two
GUEST
await_line '@written two'

# The server's host loses power: what was flushed stays, the rest is forgotten. It is away for longer than requests wait.
kill -9 $server
wait $server 2>/dev/null
rm "$work/s"
dd if=/dev/zero of="$work/served.img" bs=1M seek=1 count=1 conv=notrunc 2>/dev/null
truncate -s 4M "$work/cut.img"
cat >&3 <<'GUEST'
dd if=$cut of=/tmp/x bs=64k skip=16 count=1 iflag=direct 2>/dev/null && echo "@before" the end
dd if=$cut of=/tmp/x bs=64k skip=96 count=1 iflag=direct 2>/dev/null || echo "@behind" the end failed
dd if=/tmp/one of=$far bs=64k seek=32 count=1 conv=fsync 2>/dev/null && echo "@flushed" again
dd if=$far of=/tmp/back bs=64k skip=16 count=16 iflag=direct 2>/dev/null; cmp /tmp/back /tmp/two && echo "@two is" there
echo "@all" done; poweroff -f
GUEST
back=
come_back() {
    [ "$back" ] || serve
    back=yes
}
await_line '@all done' come_back
wait $machine
status=$?
exec 3>&-
# A disk of which a part is gone is not whole at the end, and the exit status is that of a host that failed.
[ $status = 3 ] || fail "exit status $status"
grep -q 'has not all that was written to drive .cut' "$log" || fail "what is gone is not said"
grep -q 'drive far: .*: Input/output error' "$work/stops" || fail "the server's end did not stop the machine"
for line in '@flushed one' '@written two' '@before the end' '@behind the end failed' '@flushed again' '@two is there'; do
    says "$line"
done
kill -TERM $server
wait $server
yes one | head -c 1048576 > "$work/one"
yes two | head -c 1048576 > "$work/two"
cmp -n 1048576 "$work/served.img" "$work/one" || fail "what was flushed is gone"
dd if="$work/served.img" bs=1M skip=1 count=1 2>/dev/null | cmp - "$work/two" || fail "what was acknowledged is gone"
exit 0

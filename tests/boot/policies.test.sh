# What a guest sees of requests that fail, by each policy on errors of its drives: an error, nothing at all, or
# nothing after the machine has stood still and was told to go on.
. tests/boot/lib.sh
guest riscv64

# disk NAME RULES POLICY: a drive whose file says its name, with rules of blkdebug and a policy
blocks= drives=
disk() {
    yes "$1" | head -c 1M > "$work/$1.img"
    cp "$work/$1.img" "$work/$1.before"
    blocks="$blocks
  b-$1: { driver: blkdebug, child: { driver: raw, file: $work/$1.img }, rules: [$2] }"
    drives="$drives
  $1: { block: b-$1, serial: $1, on-error: { $3 } }"
}
write="op: write, at: 64KiB, length: 4KiB" read="op: read, at: 128KiB, length: 4KiB"
disk report "{ $write, error: EIO }, { $read, error: EIO }" "write: report, read: report"
disk ignore "{ $write, error: EIO }, { $read, error: EIO }" "write: ignore, read: ignore"
disk stop "{ $write, error: EIO, times: 1 }, { $read, error: EIO, times: 1 }" "write: stop, read: stop"
disk full "{ $write, error: ENOSPC, times: 1 }" "write: enospc"
disk broken "{ $write, error: EIO }" "write: enospc"
disk f-report "{ op: flush, error: EIO }" "write: report"
disk f-stop "{ op: flush, error: ENOSPC, times: 1 }" "write: stop"
machine shell <<MACHINE
blocks:$blocks
drives:$drives
MACHINE

guest_shell
cat >&3 <<'GUEST'
tr '\0' N < /dev/zero | head -c 4096 > /tmp/new
try() { what=$1; shift; "$@" > /tmp/out 2>&1 && echo "@$name $what fine" || echo "@$name $what failed"; }
for disk in /sys/block/vd*; do name=$(cat $disk/serial) dev=/dev/${disk##*/}; case $name in
f-*) try flush dd if=/tmp/new of=$dev bs=4k seek=16 count=1 conv=fsync ;;
*) try write dd if=/tmp/new of=$dev bs=4k seek=16 count=1 oflag=direct
try read dd if=$dev of=/tmp/got bs=4k skip=32 count=1 iflag=direct; echo "@$name sum $(sha256sum < /tmp/got | cut -c1-16)" ;;
esac; done; echo "@all" done; poweroff -f
GUEST
await_line '@all done'
wait $machine
status=$?
exec 3>&-
# One disk can never be flushed, at the end neither, and the exit status is that of a host that cannot.
[ $status = 3 ] || fail "exit status $status"
grep -q 'has not all that was written to drive .f-report' "$log" || fail "what was not flushed is not said"

for what in 'report write failed' 'report read failed' 'ignore write fine' 'ignore read fine' 'stop write fine' \
        'stop read fine' 'full write fine' 'broken write failed' 'f-report flush failed' 'f-stop flush fine'; do
    says "@$what"
done
for name in stop full f-stop; do
    grep -q "drive $name: " "$work/stops" || fail "$name did not stop the machine"
done
[ "$(grep -c 'drive stop: ' "$work/stops")" -ge 2 ] || fail "a read, or a write, did not stop the machine"
for name in report ignore broken f-report; do
    ! grep -q "drive $name: " "$work/stops" || fail "$name stopped the machine"
done

# What was refused or ignored is not there; what was tried again is. A read that was ignored gives zeroes.
tr '\0' N < /dev/zero | head -c 4096 > "$work/new"
at() { dd if="$1" bs=4k skip="$2" count=1 2>/dev/null; }
for name in report ignore broken; do
    cmp -s "$work/$name.img" "$work/$name.before" || fail "$name: something was written"
done
for name in stop full; do
    at "$work/$name.img" 16 | cmp -s - "$work/new" || fail "$name: what was tried again is not there"
done
says "@ignore sum $(head -c 4096 /dev/zero | sha256sum | cut -c1-16)"
says "@stop sum $(at "$work/stop.before" 32 | sha256sum | cut -c1-16)"
exit 0

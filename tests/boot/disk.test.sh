# A guest's view of its disk in every cache mode and with both engines: whether it has a write cache, and
# that what it wrote is what it reads and what is in the file.
. tests/boot/lib.sh
guest riscv64
for mode in writeback:threads none:native writethrough:threads directsync:native directsync:threads unsafe:threads; do
    cache=${mode%:*} aio=${mode#*:}
    truncate -s 0 "$work/disk.img"
    truncate -s 16M "$work/disk.img"
    machine disk <<MACHINE
drives:
  root:
    file: $work/disk.img
    format: raw
    cache: $cache
    aio: $aio
    serial: a-serial
MACHINE
    run 120 0
    case $cache in
    writethrough | directsync) says "@write_cache write through" ;;
    *) says "@write_cache write back" ;;
    esac
    says "@size 32768"
    says "@serial a-serial"
    sum=$(tr -d '\r' < "$log" | sed -n 's/^@same //p')
    [ -n "$sum" ] || fail "$mode: what was read is not what was written"
    [ "$(head -c 1M "$work/disk.img" | sha256sum | cut -d' ' -f1)" = "$sum" ] || fail "$mode: the file differs"
done

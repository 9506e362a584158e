#!/bin/sh
# A host's file system that is full, and a file that is cut off under us: what was acknowledged stays, the
# rest fails, and the image is whole.
. "$(dirname "$0")/judge.sh"
cd - >/dev/null
command -v unshare >/dev/null && unshare -rm true 2>/dev/null || { echo "no mounts of one's own here"; exit 77; }
[ "${FULL_INSIDE:-}" = 1 ] || { rm -rf "$folder"; FULL_INSIDE=1 exec unshare -rm sh "$0"; }
cd "$folder"
mkdir small
trap 'umount "$folder/small"; rm -rf "$folder"' EXIT
mount -t tmpfs -o size=600k none small || { echo "no tmpfs can be mounted here"; exit 77; }

# Writes of 64 KiB, each with its number, until they fail; then what was done is there.
for image in "raw -" "qcow2 cluster_size=64k" "qcow2 cluster_size=4k" "qcow2 cluster_size=4k,extended_l2=off,lazy_refcounts=on" \
        "vdi -" "vpc -" "vmdk -" "qed -" "parallels -" "vhdx block_size=1M"; do
    format=${image% *} options=${image#* }
    [ "$options" = - ] && options= || options="-o $options"
    case $format in vhdx | parallels) room=3M ;; *) room=600k ;; esac
    mount -o remount,size=$room small
    "$lathe" img create -q -f $format $options small/disk 16M || fail "no image, $image"
    i=0
    while [ $i -lt 64 ]; do
        i=$((i + 1))
        echo "write $((i * 128 * 1024)) 64KiB $i"
        [ $((i % 4)) != 0 ] || echo flush
    done > script
    "$lathe" io -f $format small/disk < script > said 2>&1 && fail "$image: nothing was full"
    grep -q 'No space left on device' said || fail "$image: why it failed"
    done=$(sed -n 's/^write at \([0-9]*\): 65536 bytes$/\1/p' said)
    [ -n "$done" ] || fail "$image: nothing was written"
    for at in $done; do
        echo "read $at 64KiB $((at / 128 / 1024))"
    done > script
    mount -o remount,size=20M small          # a format may have put off its tables until there is room
    gives 0 "$lathe" io -f $format -r small/disk < script
    case $format in qcow2 | qed) "$lathe" img check -q small/disk || [ $? = 3 ] || fail "$image: check" ;; esac
    # There is room again: the same image goes on.
    gives 0 "$lathe" io -f $format -c 'write 0 1MiB 77' -c 'read 0 1MiB 77' small/disk
    rm small/disk
done

# Cut off: what is gone cannot be read, and is not zeroes; what is before it can.
for format in raw qcow2; do
    "$lathe" img create -q -f $format small/disk 4M
    "$lathe" io -f $format -c 'write 0 4MiB 9' small/disk >said || fail "no disk"
    { echo 'read 0 64KiB 9'; until [ -e cut ]; do sleep 0.05; done; echo 'read 3MiB 64KiB'; echo 'read 0 64KiB 9'; } |
        "$lathe" io -f $format small/disk > said 2>&1 &
    until grep -q 'read at 0' said; do sleep 0.01; done
    truncate -s 2M small/disk
    touch cut
    wait $! && fail "$format: a file that was cut off was read"
    [ "$(grep -c 'read at 0: 65536 bytes' said)" = 2 ] || fail "$format: what was there before the end"
    grep -q 'read at 3145728: Input/output error' said || fail "$format: what is gone"
    rm cut small/disk
done
exit 0

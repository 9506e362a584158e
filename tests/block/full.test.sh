#!/bin/sh
# A host's file system that is full, and a file that is cut off or becomes longer under us: what was
# acknowledged stays, the rest fails, and the image is whole.
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

# A command that finds no room leaves an image that is whole, for others too.
head -c 300K /dev/urandom > base.raw
truncate -s 4M base.raw
for extra in 8 60 400; do
    mount -o remount,size=30M small
    "$lathe" img convert -q -f raw -O qcow2 -o cluster_size=512 base.raw small/base
    "$lathe" img create -q -f qcow2 -o cluster_size=512 -b base -F qcow2 small/top
    gives 0 "$lathe" io -f qcow2 -c 'write 1M 100k 7' small/top
    gives 0 "$lathe" img snapshot -c zero small/top
    "$lathe" img bitmap --add -g 512 small/top b
    mount -o remount,size=$(($(du -k -s small | cut -f 1) + extra))k small
    for command in "snapshot -c one" "bitmap --add -g 1k" "resize -q 64G" "commit -q" "rebase -q -b" "amend -o lazy_refcounts=on" \
            "resize --shrink -q 1M" "snapshot -a zero" "snapshot -d zero"; do
        case $command in
        bitmap*) "$lathe" img $command small/top other ;;
        resize*) "$lathe" img ${command% *} small/top "${command##* }" ;;
        rebase*) "$lathe" img $command '' small/top ;;
        *) "$lathe" img $command small/top ;;
        esac > said 2>&1 || [ $? = 3 ] || { cat said; fail "$command with ${extra}k"; }
        for image in small/top small/base; do
            "$lathe" img check -q $image || [ $? = 3 ] || fail "check of $image after $command with ${extra}k"
            qemu-img check -q $image >said 2>&1 || [ $? = 3 ] || { cat said; fail "qemu-img check of $image after $command, ${extra}k"; }
        done
    done
    rm small/top small/base
    mount -o remount,size=40M small
done

# Nor does a size that cannot be, whose bitmaps have been made ready for it.
gives 0 "$lathe" img create -q -f qcow2 -o cluster_size=512 small/top 4M
gives 0 "$lathe" img bitmap --add -g 512 small/top b
gives 3 "$lathe" img resize -q small/top 64G
qemu-img check -q small/top || fail "a bitmap of another length"
rm small/top

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

# Nor is it made longer again, so that what is gone would be zeroes; a flush says that it is gone.
behind() {  # behind COMMAND SCRIPT: while lathe has `small/disk`, the command, and then the script; gives its status
    { echo 'read 0 64KiB 9'; until [ -e go ]; do sleep 0.02; done; printf '%b' "$2"; } |
        timeout 60 "$lathe" io -f $format $more small/disk > said 2>&1 &
    until grep -q 'read at 0' said; do sleep 0.01; done
    eval "$1"
    touch go
    status=0; wait $! || status=$?
    rm go
    return $status
}
more=
for format in raw vdi vmdk vpc qed parallels vhdx qcow2; do
    "$lathe" img create -q -f $format small/disk 8M
    "$lathe" io -f $format -c 'write 0 1MiB 9' small/disk >said || fail "no disk"
    behind 'truncate -s -70000 small/disk' 'write 2MiB 512 5\nwrite 4MiB 512 5\nflush\n' && fail "$format: a flush of what is gone"
    grep -q 'flush.*Input/output error' said || { cat said; fail "$format: a flush does not say that something is gone"; }
    rm small/disk
done
format=raw more='-t writethrough'
"$lathe" img create -q -f raw small/disk 4M
behind 'truncate -s 2M small/disk' 'write 3MiB 512 5\nread 2560KiB 512 0\n' && fail "a write behind what is gone"
grep -q 'write at 3145728: Input/output error' said && grep -q 'read at 2621440: Input/output error' said ||
    { cat said; fail "a write behind what is gone"; }
rm small/disk

# What is ours at the end, a footer, moves with it.
"$lathe" img create -q -f vpc small/disk 64M
size=$(stat -c %s small/disk)
gives 0 "$lathe" io -f vpc -c 'write 0 4k 1' -c 'write 20M 4k 2' -c 'write 40M 4k 3' small/disk
[ $(($(stat -c %s small/disk) - size)) = $((3 * (2 * 1024 * 1024 + 512))) ] || fail "a vhd has become $(stat -c %s small/disk) bytes long"
rm small/disk

# What somebody puts behind the end of an image is not part of the disk.
more=
head -c 3M /dev/urandom > foreign
for format in raw vdi vmdk vpc qed parallels vhdx qcow2; do
    mount -o remount,size=40M small
    "$lathe" img create -q -f $format small/disk 8M
    "$lathe" io -f $format -c 'write 0 64KiB 9' small/disk >said || fail "no disk"
    before=$(stat -c %s small/disk)
    zeroes='read 1049088 60KiB 0\nread 3072512 1KiB 0\nread 4MiB 128KiB 0'
    behind 'cat foreign >>small/disk' "write 1MiB 512 5\nwrite 3000KiB 512 6\nflush\n$zeroes\nread 0 64KiB 9\n" ||
        { cat said; fail "$format: a file that became longer"; }
    printf "read 0 64KiB 9\nread 1MiB 512 5\nread 3000KiB 512 6\n$zeroes\n" >script
    case $format in raw | qcow2) ;; # whose counts say that it is free
    *) tail -c +$((before + 1)) small/disk | cmp -n 100000 - foreign || fail "$format: what somebody put there is gone" ;;
    esac
    gives 0 "$lathe" io -f $format -r small/disk <script
    case $format in raw | vpc) ;; *) "$lathe" img check -q -f $format small/disk || [ $? = 3 ] || fail "$format: check" ;; esac
    rm small/disk
done
exit 0

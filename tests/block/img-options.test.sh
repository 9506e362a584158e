#!/bin/sh
# What users of qemu-img expect of `lathe img`: bitmaps, the options of convert, windows of a map; and
# that a command which is interrupted leaves nothing.
. "$(dirname "$0")/judge.sh"

head -c 3000000 /dev/urandom >disk.raw
truncate -s 20M disk.raw

# ---- bitmaps ----
gives 0 "$lathe" img create -q -f qcow2 disk.qcow2 20M
gives 0 "$lathe" img bitmap --add -g 64k disk.qcow2 one
gives 0 "$lathe" img bitmap --add --disable disk.qcow2 two
qemu-io -c 'write -P 5 1M 3M' disk.qcow2 >/dev/null
gives 0 "$lathe" img bitmap --merge one disk.qcow2 two
gives 0 "$lathe" img info --json disk.qcow2
grep -q '"name": "two", "granularity": 65536, "enabled": false, "broken": false' said || fail "what info says of bitmaps"
qemu-img check -q disk.qcow2 || fail "bitmaps"
gives 0 "$lathe" img convert -q --bitmaps -O qcow2 disk.qcow2 copy.qcow2
qemu-img info copy.qcow2 | grep -q 'name: two' || fail "bitmaps were not copied"
gives 0 "$lathe" img bitmap --remove copy.qcow2 one
gives 0 "$lathe" img bitmap --clear --merge one -b disk.qcow2 -F qcow2 copy.qcow2 two
qemu-img check -q copy.qcow2 || fail "a merge from another image"
gives 3 "$lathe" img bitmap --remove copy.qcow2 one
gives 3 "$lathe" img bitmap --add -f raw disk.raw one
gives 2 "$lathe" img bitmap copy.qcow2 two
gives 2 "$lathe" img bitmap --enable --disable copy.qcow2 two
gives 2 "$lathe" img bitmap --clear -g 64k copy.qcow2 two
gives 3 "$lathe" img convert -q --bitmaps -f raw -O qcow2 disk.raw none.qcow2
[ ! -e none.qcow2 ] || fail "an image of a failed command"

# ---- convert ----
qemu-img create -q -f raw there.raw 20M && qemu-io -f raw -c 'write -P 9 0 20M' there.raw >/dev/null
gives 0 "$lathe" img convert -q -n -f raw -O raw disk.raw there.raw            # what was there is gone
cmp disk.raw there.raw || fail "convert -n"
gives 3 "$lathe" img convert -q -n -f raw -O raw disk.raw missing.raw
truncate -s 1M short.raw
gives 3 "$lathe" img convert -q -n -f raw -O raw disk.raw short.raw
gives 0 "$lathe" img convert -q -S 0 -f raw -O raw disk.raw full.raw
[ "$(du -k full.raw | cut -f 1)" -ge 20000 ] || fail "convert -S 0 left zeroes out"
gives 0 "$lathe" img convert -q -S 4k -m 3 -W -T none -f raw -O qcow2 disk.raw fine.qcow2
gives 0 "$lathe" img compare -f raw disk.raw fine.qcow2
gives 2 "$lathe" img convert -q -S 1000 -f raw -O qcow2 disk.raw wrong.qcow2
qemu-img create -q -f qcow2 -b disk.raw -F raw top.qcow2
qemu-io -c 'write -P 3 1M 64k' -c 'write -z 2M 128k' -c 'write -P 4 19M 64k' top.qcow2 >/dev/null
gives 0 "$lathe" img convert -q -B disk.raw -F raw -O qcow2 top.qcow2 over.qcow2
gives 0 "$lathe" img compare top.qcow2 over.qcow2
qemu-img compare -q top.qcow2 over.qcow2 || fail "convert -B"
[ "$(du -k over.qcow2 | cut -f 1)" -lt 900 ] || fail "convert -B copied what is below"

# Several files are one disk; what is compressed goes by clusters.
head -c 1000448 disk.raw >first.raw; head -c 131072 disk.raw >second.raw
qemu-img convert -f raw -O qcow2 first.raw second.raw theirs.qcow2
gives 0 "$lathe" img convert -q -f raw -O qcow2 first.raw second.raw ours.qcow2
qemu-img compare -q theirs.qcow2 ours.qcow2 || fail "several files"
gives 0 "$lathe" img convert -q -c -f raw -O qcow2 second.raw first.raw packed.qcow2
qemu-img convert -f raw -O qcow2 second.raw first.raw theirs.qcow2
qemu-img compare -q theirs.qcow2 packed.qcow2 || fail "several files, compressed"
gives 3 "$lathe" img convert -q -c -f raw -O qcow2 first.raw second.raw none.qcow2
grep -q 'goes by 65536' said || { cat said; fail "what is compressed and ends in a cluster"; }
gives 2 "$lathe" img convert -q -B disk.raw -F raw -f raw -O qcow2 first.raw second.raw none.qcow2

# Where the file system can, a plain disk shares the blocks of its source: tried where btrfs can be mounted.
truncate -s 200M btrfs.img; mkdir mounted
if mkfs.btrfs -q btrfs.img >/dev/null 2>&1 && mount -o loop btrfs.img mounted 2>/dev/null; then
    cp disk.raw mounted/source.raw
    gives 0 "$lathe" img convert -q -f raw -O raw mounted/source.raw mounted/shared.raw
    cmp disk.raw mounted/shared.raw || { umount mounted; fail "shared blocks"; }
    filefrag -v mounted/shared.raw >said 2>&1 || true
    umount mounted
    grep -q shared said || { cat said; fail "a copy where blocks could be shared"; }
fi
gives 0 "$lathe" img convert -q -f raw -O raw disk.raw plain.raw
cmp disk.raw plain.raw || fail "a plain copy"

# What lies at any place is one write without the zeroes around it; -t is not of what is only read; and
# long before the flush at the end the host begins to write out, unless there is no flush.
if strace -o /dev/null true 2>/dev/null; then
    truncate -s 64M odd.raw
    dd if=/dev/urandom of=odd.raw bs=4k seek=1003 count=200 conv=notrunc status=none
    gives 0 strace -f -qq -s 0 -o trace -e trace=openat,pwritev2 \
        "$lathe" img convert -q -t none -f raw -O raw odd.raw plain.raw
    cmp odd.raw plain.raw || fail "a copy of what lies between holes"
    [ "$(grep -c pwritev2 trace)" = 1 ] && grep -q '1, 4108288, 0) = 819200' trace || fail "more than one write"
    grep 'odd.raw' trace | grep -q O_DIRECT && fail "-t is of the source, too"
    gives 0 strace -f -qq -s 0 -o trace -e trace=openat \
        "$lathe" img convert -q -T none -f raw -O raw odd.raw plain.raw
    grep 'odd.raw' trace | grep -q O_DIRECT || fail "-T is not of the source"
    head -c 40M /dev/urandom >much.raw
    for mode in writeback unsafe; do
        gives 0 strace -f -qq -o $mode -e trace=sync_file_range,fdatasync \
            "$lathe" img convert -q -t $mode -f raw -O qcow2 much.raw much.qcow2
    done
    [ "$(grep -c sync_file_range writeback)" -ge 2 ] && grep -q fdatasync writeback || fail "all is left to the flush"
    ! grep -q sync_file_range unsafe || fail "unsafe writes out"
    gives 0 "$lathe" img compare -f raw -F qcow2 much.raw much.qcow2
fi

# So fast and not faster: 3 MB at 6 MB a second take at least a quarter of a second.
start=$(date +%s%N)
gives 0 "$lathe" img convert -q -r 6M -f raw -O raw disk.raw slow.raw
[ $(($(date +%s%N) - start)) -ge 100000000 ] || fail "convert -r"
cmp disk.raw slow.raw || fail "convert -r"
gives 2 "$lathe" img convert -q -r much -f raw -O raw disk.raw slow.raw

# A disk that cannot be read everywhere: a backing file that was cut off.
cp disk.raw cut.raw
qemu-img create -q -f qcow2 cut.qcow2 4M && qemu-io -c 'write -P 7 0 4M' cut.qcow2 >/dev/null
truncate -s 2M cut.qcow2
gives 3 "$lathe" img convert -q -f qcow2 -O raw cut.qcow2 lost.raw
gives 0 "$lathe" img convert -q --salvage -f qcow2 -O raw cut.qcow2 lost.raw
grep -q 'bytes could not be read' said || fail "what was lost"
[ "$(stat -c %s lost.raw)" = 4194304 ] || fail "the length of a salvaged disk"

# ---- the rest ----
gives 0 "$lathe" img map --json --start-offset 1M --max-length 1M -f raw disk.raw
grep -q '"start": 1048576, "length": 1048576' said || fail "the window of a map"
gives 1 "$lathe" img compare -s -f raw -F raw disk.raw short.raw
gives 0 "$lathe" img check -r all disk.qcow2
gives 2 "$lathe" img check all disk.qcow2
# A leak, and a block of counts that says too little: the third cluster, with 16 bits each.
gives 0 "$lathe" img create -q -f qcow2 hurt.qcow2 1M
printf '\0\1' | dd of=hurt.qcow2 bs=1 seek=$((0x20000 + 2 * 20)) conv=notrunc status=none
printf '\0\0' | dd of=hurt.qcow2 bs=1 seek=$((0x20000 + 2 * 3)) conv=notrunc status=none
gives 2 "$lathe" img check -r leaks hurt.qcow2
grep -q '1 corruptions (0 mended), 1 leaked clusters (1 mended)' said || { cat said; fail "check -r leaks"; }
gives 2 "$lathe" img check hurt.qcow2
grep -q '1 corruptions (0 mended), 0 leaked' said || { cat said; fail "check -r leaks mends leaks"; }
gives 0 "$lathe" img check -r all hurt.qcow2
gives 0 "$lathe" img check hurt.qcow2
cp disk.raw grown.raw
gives 0 "$lathe" img resize -q --preallocation falloc -f raw grown.raw +8M
[ "$(du -k grown.raw | cut -f 1)" -ge 8192 ] || fail "resize --preallocation"
gives 2 "$lathe" img resize -q --preallocation some -f raw grown.raw +8M
gives 0 "$lathe" img bench -w -q -n 100 -s 4k -S 8k -o 1M --pattern 7 --flush-interval 10 -f raw grown.raw
gives 0 "$lathe" io -f raw -c 'read 1M 4k 7' -c 'read 1032k 4k 7' grown.raw
gives 0 "$lathe" img bench -w -q -n 700 -s 4k -t writethrough --pattern 9 -f raw grown.raw   # many side by side
gives 0 "$lathe" io -f raw -c 'read 0 2800k 9' -c 'read 20M 8M 0' grown.raw
gives 0 "$lathe" img bench --json -n 10 -f raw grown.raw
grep -q '"requests": 10, ' said || fail "what bench says"

# An image that somebody writes is read only with -U.
(printf 'flush\n'; until [ -e go ]; do sleep 0.05; done) | "$lathe" io -f raw there.raw >writer 2>&1 &
until grep -q flush writer 2>/dev/null; do sleep 0.01; done
gives 3 "$lathe" img info -f raw there.raw
gives 0 "$lathe" img info -U -f raw there.raw
touch go; wait

# A header that is longer than what is known of it, as a later version may have one, keeps the rest.
"$lathe" img create -q -f qcow2 longer.qcow2 1M
printf '\0\0\0\360' | dd of=longer.qcow2 bs=1 seek=100 conv=notrunc 2>/dev/null
printf 'from a later version' | dd of=longer.qcow2 bs=1 seek=200 conv=notrunc 2>/dev/null
gives 0 "$lathe" img bitmap --add longer.qcow2 b
gives 0 "$lathe" img info longer.qcow2
[ "$(dd if=longer.qcow2 bs=1 skip=200 count=20 2>/dev/null)" = 'from a later version' ] || fail "the rest of a header"
qemu-img check -q longer.qcow2 || fail "a longer header, for qemu-img"

# ---- interrupted: no half image under the name, and by a signal that can be caught no other file ----
truncate -s 400M big.raw
head -c 30000000 /dev/urandom | dd of=big.raw conv=notrunc 2>/dev/null
echo old >new.qcow2
for signal in HUP TERM KILL; do     # a shell lets what runs in the background ignore INT
    "$lathe" img convert -q -c -f raw -O qcow2 big.raw new.qcow2 >said 2>&1 & converter=$!
    until ls new.qcow2.partial-* >/dev/null 2>&1; do kill -0 $converter 2>/dev/null || fail "it was too quick"; done
    kill -$signal $converter
    wait $converter 2>/dev/null && fail "interrupted, and a success"
    [ "$(cat new.qcow2)" = old ] || fail "SIG$signal destroyed what was there"
    [ $signal = KILL ] || ! ls new.qcow2.partial-* 2>/dev/null || fail "SIG$signal left a part"
    rm -f new.qcow2.partial-*
done

# Nor what belongs to it: the parts of a disk in several files; but nothing that was there before.
parts() { ls | grep '^part' || true; }
for signal in TERM FULL; do
    for image in "vmdk subformat=monolithicFlat" "vmdk subformat=twoGbMaxExtentSparse" "qcow2 data_file=part-data"; do
        set -- "$lathe" img convert -q -f raw -O ${image% *} -o ${image#* }
        if [ $signal = FULL ]; then
            (ulimit -f 8192; trap '' XFSZ; "$@" big.raw part 2>said) && fail "$image: a file larger than it may be"
        else
            "$@" -r 1M big.raw part >said 2>&1 & converter=$!
            until ls part?* 2>/dev/null | grep -qv partial; do kill -0 $converter 2>/dev/null || fail "it was too quick"; done
            kill -TERM $converter
            wait $converter 2>/dev/null && fail "interrupted, and a success"
        fi
        [ -z "$(parts)" ] || fail "$image, $signal: left is $(parts)"
    done
done
echo mine >part-flat
gives 3 "$lathe" img convert -q -f raw -O vmdk -o subformat=monolithicFlat big.raw part
[ "$(parts)" = part-flat ] && [ "$(cat part-flat)" = mine ] || fail "somebody else's file is gone: $(parts)"
exit 0

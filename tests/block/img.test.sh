#!/bin/sh
# `lathe img`, with qemu-img as the judge of what it makes.
. "$(dirname "$0")/judge.sh"

# A disk with data, holes and a ragged end.
head -c 3000000 /dev/urandom >disk.raw
truncate -s 40M disk.raw
head -c 1000000 /dev/urandom | dd of=disk.raw bs=1000 seek=20000 conv=notrunc 2>/dev/null
truncate -s 41943552 disk.raw

for options in cluster_size=64k cluster_size=512 cluster_size=512,refcount_bits=64 cluster_size=2MiB compat=0.10 refcount_bits=1 \
        refcount_bits=64 extended_l2=on,cluster_size=32k; do
    rm -f disk.qcow2
    gives 0 "$lathe" img convert -f raw -O qcow2 -o $options disk.raw disk.qcow2
    qemu-img check -q disk.qcow2 || fail "check after convert, $options"
    qemu-img compare -q disk.qcow2 -F raw disk.raw || fail "contents, $options"
    gives 0 "$lathe" img check disk.qcow2
    gives 0 "$lathe" img compare -F raw disk.qcow2 disk.raw
    gives 0 "$lathe" img convert disk.qcow2 back.raw
    cmp back.raw disk.raw || fail "there and back, $options"
done
[ "$(du -k back.raw | cut -f 1)" -lt 6000 ] || fail "zeroes were written"

# Compressed, by every method and into every refcount width.
for options in cluster_size=64k compression_type=zstd cluster_size=4k,compression_type=zstd \
        cluster_size=512 compat=0.10 refcount_bits=1 cluster_size=2M extended_l2=on; do
    rm -f disk.qcow2
    gives 0 "$lathe" img convert -c -f raw -O qcow2 -o $options disk.raw disk.qcow2
    qemu-img check -q disk.qcow2 || fail "check after compression, $options"
    qemu-img compare -q disk.qcow2 -F raw disk.raw || fail "compressed contents, $options"
    gives 0 "$lathe" img check disk.qcow2
    gives 0 "$lathe" img compare -F raw disk.qcow2 disk.raw
done
qemu-img convert -c -O qcow2 -o compression_type=zstd disk.raw packed.qcow2
gives 0 "$lathe" img compare -F raw packed.qcow2 disk.raw
gives 3 "$lathe" img convert -c -f raw -O raw disk.raw packed.raw

# Options of a new image that the other one must understand.
for options in preallocation=metadata preallocation=falloc preallocation=full,cluster_size=4k \
        preallocation=metadata,extended_l2=on lazy_refcounts=on compression_type=zstd \
        data_file=disk.data data_file=disk.data,data_file_raw=on,preallocation=falloc; do
    rm -f disk.qcow2 disk.data
    gives 0 "$lathe" img create -f qcow2 -o $options disk.qcow2 20M
    qemu-img check -q disk.qcow2 || fail "check after creation, $options"
    gives 0 "$lathe" img check disk.qcow2
    qemu-img create -q -f raw zero.raw 20M
    qemu-img compare -q disk.qcow2 -F raw zero.raw || fail "a new disk is zero, $options"
    qemu-io -c 'write -P 7 1M 3M' disk.qcow2 >/dev/null
    gives 0 "$lathe" img check disk.qcow2
done
gives 0 "$lathe" img create -f raw -o preallocation=falloc full.raw 4M
[ "$(du -k full.raw | cut -f 1)" -ge 4096 ] || fail "nothing was allocated"

# What the other one made.
qemu-img convert -c -O qcow2 disk.raw packed.qcow2
gives 0 "$lathe" img compare -F raw packed.qcow2 disk.raw
gives 0 "$lathe" img check packed.qcow2
qemu-img create -q -f qcow2 -b packed.qcow2 -F qcow2 top.qcow2
gives 0 "$lathe" img compare -F raw top.qcow2 disk.raw
gives 0 "$lathe" img info --json --backing-chain top.qcow2
grep -q '"backing-filename": "packed.qcow2"' said || fail "info says nothing of the backing file"

# An overlay of our own.
gives 0 "$lathe" img create -f qcow2 -b packed.qcow2 -F qcow2 own.qcow2
qemu-img compare -q own.qcow2 -F raw disk.raw || fail "our overlay"

# Larger, by a table beside the old one; and so many clusters that the refcount table has to grow.
gives 0 "$lathe" img create -q -f qcow2 -o cluster_size=512 big.qcow2 1MiB
gives 0 "$lathe" img resize -f qcow2 big.qcow2 +63MiB
qemu-img check -q big.qcow2 || fail "check after resize"
qemu-img info big.qcow2 | grep -q "64 MiB" || fail "resize"
gives 0 "$lathe" img resize -f qcow2 big.qcow2 +1G      # tables longer than a refcount block covers
qemu-img check -q big.qcow2 || fail "check after a large resize"
gives 0 "$lathe" img bench -w -n 10 -s 65536 -f qcow2 big.qcow2
gives 0 "$lathe" img snapshot -c one big.qcow2
gives 0 "$lathe" img bench -w -n 20 -s 65536 -f qcow2 big.qcow2
qemu-img check -q big.qcow2 || fail "check after a large snapshot"
gives 0 "$lathe" img snapshot -a one big.qcow2
gives 0 "$lathe" img snapshot -d one big.qcow2
qemu-img create -q -f qcow2 -o cluster_size=512 small.qcow2 1088M
gives 0 "$lathe" img bench -w -n 600 -s 65536 -f qcow2 small.qcow2
gives 0 "$lathe" img bench -w -n 600 -s 65536 -f qcow2 big.qcow2
qemu-img check -q small.qcow2 || fail "check after growth"
qemu-img compare -q small.qcow2 big.qcow2 || fail "contents after growth"

# Damage is found, told apart and mended: cluster 5 gets a refcount of 2, then of 0.
qemu-img create -q -f qcow2 bad.qcow2 10M
qemu-io -c 'write 0 1M' bad.qcow2 >/dev/null
block=$((0x20000))
printf '\0\2' | dd of=bad.qcow2 bs=1 seek=$((block + 10)) conv=notrunc 2>/dev/null
gives 3 "$lathe" img check bad.qcow2
printf '\0\0' | dd of=bad.qcow2 bs=1 seek=$((block + 10)) conv=notrunc 2>/dev/null
gives 2 "$lathe" img check bad.qcow2
gives 0 "$lathe" img check --repair bad.qcow2
qemu-img check -q bad.qcow2 || fail "repair"

# A refcount block that is gone, one that is out of place, and all of them.
for entry in '\0\0\0\0\0\0\0\0' '\0\0\0\0\0\0\2\0' '\0\0\1\0\0\0\0\0'; do
    for options in cluster_size=64k cluster_size=512; do
        rm -f bad.qcow2
        qemu-img create -q -f qcow2 -o $options bad.qcow2 10M
        qemu-io -c 'write 0 1M' -c 'write 9M 1M' bad.qcow2 >/dev/null
        cp bad.qcow2 good.qcow2
        table=$(od -An -tu1 -j 48 -N 8 bad.qcow2 | awk '{ for (i = 1; i <= 8; i++) v = v * 256 + $i; print v }')
        printf "$entry" | dd of=bad.qcow2 bs=1 seek="$table" conv=notrunc 2>/dev/null
        "$lathe" img check -q bad.qcow2 && fail "lost refcounts were not seen"
        gives 0 "$lathe" img check --repair bad.qcow2
        qemu-img check -q bad.qcow2 || fail "refcounts that were lost, $options"
        qemu-img compare -q bad.qcow2 good.qcow2 || fail "contents after repair, $options"
    done
done

# Mistakes say what they are, and leave nothing behind.
gives 2 "$lathe" img create -f qcow2 new.qcow2
gives 2 "$lathe" img create -f qcow2 new.qcow2 1Q
gives 3 "$lathe" img create -f qcow2 -o cluster_size=100 new.qcow2 1MiB
gives 3 "$lathe" img create -f nonsense new.qcow2 1MiB
gives 3 "$lathe" img convert -O qcow2 disk.raw new.qcow2      # raw is not guessed
gives 1 "$lathe" img compare -F raw bad.qcow2 disk.raw
gives 63 "$lathe" img check -f raw disk.raw
[ ! -e new.qcow2 ] || fail "an image of a failed command"
ls | grep partial && fail "a partial image was left"
exit 0

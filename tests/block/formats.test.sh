#!/bin/sh
# `lathe img convert` to and from every format, with qemu-img as the judge.
. "$(dirname "$0")/judge.sh"

# A disk with data, holes and a ragged end.
head -c 3000000 /dev/urandom >disk.raw
truncate -s 40M disk.raw
yes 'some text that can be packed' | head -c 1000000 |
    dd of=disk.raw bs=1000 seek=20000 conv=notrunc 2>/dev/null
truncate -s 41943552 disk.raw

# FORMAT OPTIONS: ours is read there.
while read -r format options; do
    rm -f disk.new disk-*.new
    gives 0 "$lathe" img convert -f raw -O "$format" -o "$options" disk.raw disk.new
    qemu-img compare -q -f "$format" disk.new -F raw disk.raw || fail "contents, $format $options"
    case $format in
    vpc) ;;
    *) qemu-img check -q -f "$format" disk.new || fail "check, $format $options" ;;
    esac
    gives 0 "$lathe" img check -f "$format" disk.new
    gives 0 "$lathe" img compare -f "$format" -F raw disk.new disk.raw
    gives 0 "$lathe" img convert -f "$format" -O raw disk.new back.raw
    cmp back.raw disk.raw || fail "there and back, $format $options"
    gives 0 "$lathe" img info --json -f "$format" disk.new
    grep -q '"virtual-size": 41943552' said || fail "info, $format $options"
done <<END
vdi block_size=1M
vdi static=on
vpc subformat=dynamic
vpc subformat=fixed
vmdk subformat=monolithicSparse
vmdk subformat=monolithicSparse,zeroed_grain=on,adapter_type=lsilogic
vmdk subformat=monolithicFlat
vmdk subformat=twoGbMaxExtentSparse
vmdk subformat=twoGbMaxExtentFlat
vmdk subformat=streamOptimized
vhdx subformat=dynamic
vhdx subformat=fixed,block_size=1M,log_size=2M
qed cluster_size=64k,table_size=2
parallels cluster_size=1M
END

# FORMAT OPTIONS: theirs is read here, and found without saying what it is.
while read -r format options; do
    rm -f disk.new disk-*.new
    qemu-img convert -f raw -O "$format" $options disk.raw disk.new
    gives 0 "$lathe" img compare -F raw disk.new disk.raw
    gives 0 "$lathe" img check disk.new
done <<END
vdi
vpc -o subformat=dynamic,force_size=on
vmdk
vmdk -o subformat=monolithicFlat
vmdk -o subformat=twoGbMaxExtentSparse
vmdk -o subformat=streamOptimized
vhdx
vhdx -o subformat=fixed
qed
qcow
parallels
END
head -c 3000000 disk.raw >short.raw
truncate -s 40M short.raw
qemu-img convert -c -O qcow short.raw disk.new || true # 7.2 says 1, but the image is whole
gives 0 "$lathe" img compare -F raw disk.new short.raw

# Parts of 2 GiB, and a disk that ends in the middle of the third one.
gives 0 "$lathe" img create -f vmdk -o subformat=twoGbMaxExtentSparse parts.vmdk 5G
[ "$(ls parts-s*.vmdk | wc -l)" = 3 ] || fail "5 GiB in parts of 2 GiB"
qemu-io -f vmdk -c 'write -P 3 2146435072 4M' -c 'write -P 4 5368708608 512' parts.vmdk >/dev/null
qemu-img convert -f vmdk -O raw parts.vmdk parts.raw
gives 0 "$lathe" img compare -F raw parts.vmdk parts.raw

# What is based on another, and what lies below it.
for format in vmdk qed; do
    rm -f base.new top.new
    gives 0 "$lathe" img convert -f raw -O $format disk.raw base.new
    gives 0 "$lathe" img create -f $format -b base.new -F $format top.new
    qemu-img compare -q -f $format top.new -F raw disk.raw || fail "our overlay, $format"
    gives 0 "$lathe" img bench -w -n 100 -s 5000 -f $format top.new
    cp disk.raw work.raw
    gives 0 "$lathe" img bench -w -n 100 -s 5000 -f raw work.raw
    qemu-img compare -q -f $format top.new -F raw work.raw || fail "written overlay, $format"
    gives 0 "$lathe" img compare -F raw top.new work.raw
done

# An image that is based on itself, and two that are based on each other.
qemu-img create -q -f qcow2 one.qcow2 1M
qemu-img create -q -f qcow2 -u -b one.qcow2 -F qcow2 two.qcow2 1M
qemu-img rebase -u -f qcow2 -b two.qcow2 -F qcow2 one.qcow2
gives 3 "$lathe" io -r -f qcow2 -c 'read 0 512' one.qcow2
grep -q 'or on itself' said || { cat said; fail "a chain without an end"; }

# Clusters that were counted and never written lie behind the end of the file: the block of counts is the third
# cluster, with 16 bits each.
gives 0 "$lathe" img create -q -f qcow2 counted.qcow2 1M
printf '\0\1' | dd of=counted.qcow2 bs=1 seek=$((0x20000 + 2 * 20)) conv=notrunc status=none
[ "$(stat -c %s counted.qcow2)" -lt $((20 * 0x10000)) ] || fail "the file is longer than the test thinks"
gives 3 "$lathe" img check counted.qcow2
grep -q '1 leaked' said || { cat said; fail "a leak behind the end"; }
gives 0 "$lathe" img check --repair counted.qcow2
gives 0 "$lathe" img check counted.qcow2

# A descriptor cannot name files from elsewhere.
sed 's,parts-s002,../../etc/passwd-s002,' parts.vmdk >evil.vmdk
gives 3 "$lathe" img info evil.vmdk
grep -q 'not beside it' said || fail "a file from elsewhere"
exit 0

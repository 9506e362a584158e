#!/bin/sh
# Every format with its options, alone and some together: an image of qemu-img's opens here with equal
# content, and so does ours there; qemu-img check finds nothing, in ours and in what was written here.
# A part of the rows; with LONG=1 all of them. qcowinfo of libqcow, where it is installed, agrees.
. "$(dirname "$0")/judge.sh"

head -c 700000 /dev/urandom >disk.raw
truncate -s 6M disk.raw
yes 'some text that can be packed' | head -c 400000 | dd of=disk.raw bs=1000 seek=3000 conv=notrunc 2>/dev/null
truncate -s 6291968 disk.raw

# What is written to a disk, and what it is then.
change() { gives 0 "$lathe" io -f "$1" -c 'write 100000 200001 0x21' -c 'zero 3M 300k' -c 'discard 1M 64k' \
    -c 'write 5999999 513 7' -c flush "$2"; }
cp disk.raw then.raw
gives 0 "$lathe" io -f raw -c 'write 100000 200001 0x21' -c 'zero 3M 300k' -c 'write 5999999 513 7' then.raw

whole() { # whole FORMAT FILE
    case $1 in
    raw|vpc) ;;
    *) qemu-img check -q -f "$1" "$2" || fail "qemu-img check: $1 $row" ;;
    esac
}

# A discard may leave zeroes or the old data: it is put back before the comparison.
put_back() { gives 0 "$lathe" io -f "$1" -c 'write 1M 64k 0' "$2"; }
gives 0 "$lathe" io -f raw -c 'write 1M 64k 0' then.raw

try() { # try FORMAT OPTIONS [FLAGS]
    format=$1 row=$2
    flags=${3:-}
    rm -f their* our* data
    qemu-img convert -q $flags -f raw -O "$format" ${row:+-o "$row"} disk.raw "their.$format"
    gives 0 "$lathe" img compare -f "$format" -F raw "their.$format" disk.raw
    change "$format" "their.$format"
    put_back "$format" "their.$format"
    whole "$format" "their.$format"
    qemu-img compare -q -f "$format" "their.$format" -F raw then.raw || fail "written here: $format $row"
    [ "$format" = raw ] || gives 0 "$lathe" img info -f "$format" "their.$format"
    rm -f data
    gives 0 "$lathe" img convert $flags -f raw -O "$format" ${row:+-o "$row"} disk.raw "our.$format"
    whole "$format" "our.$format"
    qemu-img compare -q -f "$format" "our.$format" -F raw disk.raw || fail "ours there: $format $row"
    case $format in qcow2) libqcow "our.$format" ;; esac
    count=$((count + 1))
}

# libqcow knows neither external data files, nor extended L2 tables, nor zstd.
libqcow() {
    command -v qcowinfo >/dev/null 2>&1 || return 0
    case $row in *data_file*|*extended_l2*|*zstd*) return 0 ;; esac
    qcowinfo "$1" >said 2>&1 || { cat said; fail "qcowinfo: $row"; }
    grep -q '6291968 bytes\|6.0 MiB' said || { cat said; fail "qcowinfo's size: $row"; }
}

count=0
if [ "${LONG:-}" = 1 ]; then
    sizes='512 1k 2k 4k 8k 16k 32k 64k 128k 256k 512k 1M 2M'
    widths='1 2 4 8 16 32 64'
    pairs='refcount_bits=1 refcount_bits=64 lazy_refcounts=on extended_l2=on data_file=data
        data_file=data,data_file_raw=on compression_type=zstd preallocation=metadata preallocation=full'
    pair_sizes='512 4k 16k 64k 2M'
    others=all
else
    sizes='512 64k 2M' widths='2 64' pair_sizes=16k others=few
    pairs='extended_l2=on data_file=data preallocation=metadata'
fi

for size in $sizes; do
    try qcow2 cluster_size=$size
    [ "$others" = few ] || try qcow2 cluster_size=$size,compat=0.10
done
for width in $widths; do try qcow2 refcount_bits=$width; done
for size in $pair_sizes; do
    for pair in $pairs; do
        case $size$pair in 512extended*|4kextended*) continue ;; esac
        try qcow2 cluster_size=$size,$pair
        [ "$others" = few ] || case $pair in
        extended*|lazy*) for width in $widths; do try qcow2 cluster_size=$size,$pair,refcount_bits=$width; done ;;
        esac
    done
    try qcow2 cluster_size=$size -c
    try qcow2 cluster_size=$size,compression_type=zstd -c
done
try vdi '' ; try vdi static=on
try vhdx subformat=dynamic
try vmdk subformat=monolithicSparse ; try vmdk subformat=twoGbMaxExtentFlat
try vpc subformat=dynamic,force_size=on
try qed cluster_size=4k ; try parallels cluster_size=64k ; try raw ''
if [ "$others" = all ]; then
    for size in 4k 16k 64k 256k 1M; do
        for table in 2 4 8 16; do try qed cluster_size=$size,table_size=$table; done
    done
    for size in 64k 512k 1M 4M; do try parallels cluster_size=$size; done
    for size in 1M 2M 8M 64M 256M; do
        for kind in dynamic fixed; do try vhdx block_size=$size,subformat=$kind; done
        try vhdx block_size=$size,log_size=2M
    done
    for kind in monolithicSparse monolithicFlat twoGbMaxExtentSparse twoGbMaxExtentFlat; do
        for adapter in ide buslogic lsilogic legacyESX; do try vmdk subformat=$kind,adapter_type=$adapter; done
    done
    try vmdk subformat=monolithicSparse,zeroed_grain=on
    try vmdk subformat=twoGbMaxExtentSparse,zeroed_grain=on
    try vpc subformat=fixed,force_size=on
    for word in off falloc full; do try raw preallocation=$word; done
fi
echo "$count images of each side"
exit 0

#!/bin/sh
# Snapshots, and images that lie on others, by the commands of `lathe img`; qemu-img is the judge.
. "$(dirname "$0")/judge.sh"
whole() { qemu-img check -q "$1" || fail "check of $1 $2"; gives 0 "$lathe" img check "$1"; }
same() { qemu-img compare -q -f "$1" "$2" -F raw "$3" || fail "$2 is not $3 $4"; }

head -c 3000000 /dev/urandom >one.raw
truncate -s 20M one.raw

# Snapshots: taken, changed, gone back to, deleted.
for options in cluster_size=64k cluster_size=4k cluster_size=512 compat=0.10 refcount_bits=4 \
        extended_l2=on,cluster_size=32k compressed; do
    rm -f disk.qcow2
    if [ $options = compressed ]; then
        "$lathe" img convert -c -f raw -O qcow2 one.raw disk.qcow2
    else
        "$lathe" img convert -f raw -O qcow2 -o $options one.raw disk.qcow2
    fi
    gives 0 "$lathe" img snapshot -c first disk.qcow2
    whole disk.qcow2 "$options first"
    qemu-img snapshot -l disk.qcow2 | grep -q first || fail "no snapshot, $options"
    qemu-io -c 'write -P 7 100k 2M' -c 'write -P 8 15M 70k' disk.qcow2 >/dev/null
    qemu-img convert -O raw disk.qcow2 two.raw
    gives 0 "$lathe" img snapshot -c second disk.qcow2
    whole disk.qcow2 "$options second"
    gives 3 "$lathe" img snapshot -c second disk.qcow2
    gives 0 "$lathe" img convert -l first -O raw disk.qcow2 back.raw
    cmp back.raw one.raw || fail "the first snapshot, $options"
    gives 0 "$lathe" img snapshot -a first disk.qcow2
    whole disk.qcow2 "$options applied"
    same qcow2 disk.qcow2 one.raw "$options"
    gives 0 "$lathe" img bench -w -n 50 -s 5000 -f qcow2 disk.qcow2
    whole disk.qcow2 "$options written"
    gives 0 "$lathe" img snapshot -d first disk.qcow2
    whole disk.qcow2 "$options deleted"
    gives 0 "$lathe" img snapshot -a 2 disk.qcow2
    whole disk.qcow2 "$options applied 2"
    same qcow2 disk.qcow2 two.raw "$options"
    gives 0 "$lathe" img snapshot -d second disk.qcow2
    whole disk.qcow2 "$options deleted 2"
    same qcow2 disk.qcow2 two.raw "$options, alone"
    gives 3 "$lathe" img snapshot -a second disk.qcow2
done

# A refcount too narrow for two references more, from compressed data that shares a cluster: nothing is left of it.
head -c 8192 /dev/zero | tr '\0' x > two.raw
gives 0 "$lathe" img convert -q -c -f raw -O qcow2 -o cluster_size=4k,refcount_bits=2 two.raw disk.qcow2
gives 3 "$lathe" img snapshot -c one disk.qcow2
grep -q 'too narrow for another snapshot' said || fail "why there is no snapshot: $(cat said)"
gives 0 "$lathe" img check -q disk.qcow2
qemu-img check -q disk.qcow2 || fail "what is left of a snapshot that could not be"

# What another program has taken.
qemu-img create -q -f qcow2 disk.qcow2 20M
qemu-io -c 'write -P 1 0 1M' disk.qcow2 >/dev/null
qemu-img snapshot -c theirs disk.qcow2
qemu-io -c 'write -P 2 0 1M' disk.qcow2 >/dev/null
gives 0 "$lathe" img snapshot -l --json disk.qcow2
grep -q '"name": "theirs"' said || fail "the list of snapshots"
gives 0 "$lathe" img snapshot -a theirs disk.qcow2
qemu-io -c 'read -P 1 0 1M' disk.qcow2 | grep -q 'verification failed' && fail "apply theirs"
gives 0 "$lathe" img snapshot -d theirs disk.qcow2
whole disk.qcow2 theirs
rm disk.qcow2; "$lathe" img convert -f raw -O qcow2 -o refcount_bits=1 one.raw disk.qcow2
gives 3 "$lathe" img snapshot -c none disk.qcow2
grep -q 'too narrow' said || fail "refcounts of one bit"
whole disk.qcow2 narrow

# Commit: into the next one, into a lower one, into a shorter one.
layers() {  # layers FORMAT: base.new, middle.new, top.new and what they show together in top.raw
    rm -f base.new middle.new top.new
    "$lathe" img convert -f raw -O "$1" one.raw base.new
    "$lathe" img create -q -f qcow2 -b base.new -F "$1" middle.new 22M
    "$lathe" img create -q -f qcow2 -b middle.new -F qcow2 top.new 25M
    qemu-io -f qcow2 -c 'write -P 7 100k 2M' -c 'write -z 3M 128k' middle.new >/dev/null
    qemu-io -f qcow2 -c 'write -P 8 200k 64k' -c 'write -z 1M 64k' -c 'write -P 9 24M 5k' \
        top.new >/dev/null
    qemu-img convert -f qcow2 -O raw top.new top.raw
}
layers raw
gives 0 "$lathe" img commit -f qcow2 top.new
same qcow2 middle.new top.raw "after commit"
same qcow2 top.new top.raw "emptied"
whole top.new "emptied"; whole middle.new "committed into"
"$lathe" img map -f qcow2 top.new | grep -q 'layer 0' && fail "top is not empty"
layers qcow2
gives 0 "$lathe" img commit -f qcow2 -b base.new top.new
same qcow2 base.new top.raw "into the lowest"
whole base.new "committed into"
layers raw
gives 0 "$lathe" img commit -d -f qcow2 -b base.new top.new
same raw base.new top.raw "into a raw one"
gives 2 "$lathe" img commit -f qcow2 -b nothing.new top.new

# Rebase: with another below that holds something else, onto nothing, by name only.
layers qcow2
head -c 2000000 /dev/urandom >other.raw
gives 0 "$lathe" img rebase -f qcow2 -b other.raw -F raw top.new
same qcow2 top.new top.raw "rebased"
qemu-img info top.new | grep -q 'backing file: other.raw' || fail "the name after rebase"
gives 0 "$lathe" img rebase -f qcow2 -b '' top.new
same qcow2 top.new top.raw "on nothing"
qemu-img info top.new | grep -q 'backing file' && fail "a backing file is left"
whole top.new rebased
cp middle.new moved-with-a-rather-long-name-that-does-not-fit-where-the-old-one-was.new
layers qcow2
mv middle.new moved.new
gives 0 "$lathe" img rebase -u -f qcow2 -b moved.new -F qcow2 top.new
same qcow2 top.new top.raw "by name only"
whole top.new "by name only"

# Smaller, and larger again: what was cut off is gone, whatever lies below.
for options in cluster_size=64k cluster_size=512 compat=0.10 extended_l2=on \
        data_file=disk.data cluster_size=4k,refcount_bits=1; do
    rm -f disk.qcow2 disk.data
    "$lathe" img convert -f raw -O qcow2 -o $options one.raw disk.qcow2
    gives 2 "$lathe" img resize disk.qcow2 1000000
    gives 0 "$lathe" img resize --shrink disk.qcow2 1000448
    whole disk.qcow2 "shrunk, $options"
    gives 0 "$lathe" img resize disk.qcow2 20M
    whole disk.qcow2 "grown, $options"
    cp one.raw cut.raw; truncate -s 1000448 cut.raw; truncate -s 20M cut.raw
    same qcow2 disk.qcow2 cut.raw "after shrinking, $options"
done
rm -f disk.qcow2
"$lathe" img create -q -f qcow2 -b one.raw -F raw disk.qcow2 1M
gives 0 "$lathe" img resize disk.qcow2 20M
cp one.raw cut.raw; truncate -s 1M cut.raw; truncate -s 20M cut.raw
same qcow2 disk.qcow2 cut.raw "grown above a longer image"

# Amend.
qemu-img create -q -f qcow2 -o compat=0.10 -b base.new -F qcow2 old.qcow2
gives 0 "$lathe" img amend -o compat=1.1,lazy_refcounts=on old.qcow2
qemu-img info old.qcow2 | grep -q 'lazy refcounts: true' || fail "amend"
qemu-img info old.qcow2 | grep -q 'backing file: base.new' || fail "amend lost the backing file"
whole old.qcow2 amended
gives 2 "$lathe" img amend -o cluster_size=4k old.qcow2
gives 3 "$lathe" img amend -o compat=0.10 old.qcow2

# Measure: at least what it takes, and not much more.
for options in cluster_size=64k cluster_size=4k cluster_size=2M refcount_bits=64,cluster_size=512; do
    rm -f disk.qcow2
    "$lathe" img convert -f raw -O qcow2 -o $options one.raw disk.qcow2
    gives 0 "$lathe" img measure --json -f raw -O qcow2 -o $options one.raw
    said=$(sed 's/.*"required": \([0-9]*\).*/\1/' said)
    is=$(stat -c %s disk.qcow2)
    [ "$is" -le "$said" ] && [ "$said" -le $((is * 2 + 8388608)) ] ||
        fail "measured $said, is $is, $options"
done
gives 0 "$lathe" img measure -O raw -s 1G
grep -q 'fully allocated size: 1073741824' said || fail "measure of a size"

# dd.
gives 0 "$lathe" img dd -f raw -O qcow2 if=one.raw of=part.qcow2 bs=1000 skip=3 count=500
dd if=one.raw of=part.raw bs=1000 skip=3 count=500 2>/dev/null
truncate -s 500224 part.raw
qemu-img compare -q part.qcow2 -F raw part.raw || fail "dd"
exit 0

#!/bin/sh
# `lathe img crash-test` on qcow2 itself: whenever the power fails, the image is whole and holds what
# was flushed. Hundreds of crashes; with LONG=1 every point of longer logs, in all kinds of images.
. "$(dirname "$0")/judge.sh"
TMPDIR=$folder; export TMPDIR
crash() { "$lathe" img crash-test -q "$@"; }

# Requests at once, flushes between them; what is written is the number of the line.
script() {   # script SEED LINES
    awk -v seed="$1" -v lines="$2" 'BEGIN {
        srand(seed)
        for (i = 1; i <= lines; i++) {
            chance = rand(); at = int(rand() * 15000) * 512; size = int(1 + rand() * rand() * 200) * 512
            if (chance < .1) print "start flush"
            else if (chance < .2) print "start discard", at, size
            else if (chance < .3) print "start zero", at, size
            else print "start write", at, size, i % 255 + 1
            if (i % 6 == 0) print "wait"
        }
        print "wait"
    }'
}

record() {   # record OPTIONS MODE LINES
    rm -f disk base log
    "$lathe" img create -q -f qcow2 -o "$1" disk 8M
    cp disk base
    script 7 "$3" | "$lathe" io -f qcow2 -t "$2" --log log disk >said || fail "recording, $1"
}

record cluster_size=4k none 60
crash -b base --accept 0,3 -n 120 log -- "$lathe" img check -q -f qcow2 || fail "a crash, cluster_size=4k"
record cluster_size=64k,lazy_refcounts=on writethrough 40
crash -b base --accept 0,3 -n 40 -t writethrough log -- "$lathe" img check -q -f qcow2 || fail "a crash, durable writes"

# A checker that cannot be content: everything is said, and the image can be had.
record cluster_size=64k none 10
gives 1 "$lathe" img crash-test -b base -n 3 --json log -- sh -c 'echo no; echo no >&2; exit 7' sh
grep -q '"images": 3, "failed": 3, ' said || fail "what --json says"
grep -q '"reason": "the checker gave 7", "said": "no"' said || fail "why"
mkdir kept
gives 1 "$lathe" img crash-test -b base --point 5:1 --keep kept log -- false
gives 0 "$lathe" img crash-test -b base --point 5:1 log -- cmp kept/crash-5-1 {}
gives 0 "$lathe" img crash-test -s 8M --point 0 log -- sh -c '[ $(stat -c %s "$1") = 8388608 ]' sh
gives 1 "$lathe" img crash-test -b base -n 1 log -- sh -c 'kill -9 $$' sh
grep -q 'died of signal 9' said || fail "how a checker ended"
gives 1 "$lathe" img crash-test -b base -n 1 --timeout 1 log -- sh -c 'sleep 30' sh
grep -q 'took too long' said || fail "a checker that hangs"

# All of the log, and nothing lost: what the disk holds in the end.
points=$("$lathe" img crash-test -b base -n 1 --json log -- true | sed 's/.*"entries": \([0-9]*\).*/\1/')
gives 0 "$lathe" img crash-test -b base -t writethrough --point "$points" log -- cmp disk {}

# Zeroes that make the file longer, as the last of a cluster with subclusters.
record extended_l2=on,cluster_size=16k none 40
crash -b base --accept 0,3 -n 20 log -- "$lathe" img check -q -f qcow2 || fail "a crash, subclusters"

# Without the promise of any flush something is lost, and is seen.
record cluster_size=4k none 200
gives 1 "$lathe" img crash-test -b base -t unsafe -n 100 --accept 0,3 log -- "$lathe" img check -q -f qcow2

# Mistakes, and nothing left behind.
gives 2 "$lathe" img crash-test log
gives 2 "$lathe" img crash-test --point 9999999 log -- true
gives 2 "$lathe" img crash-test --accept x log -- true
gives 2 "$lathe" img crash-test -t fast log -- true
gives 3 "$lathe" img crash-test base -- true
gives 3 "$lathe" img crash-test -b base log -- ./there-is-no-such-program
# The signal meets the workers while they make files: often enough to show a file that comes too late.
interrupted=0
while [ $interrupted -lt 30 ]; do
    "$lathe" img crash-test -b base -n 100000 log -- true >said 2>&1 & crasher=$!
    until ls "$folder"/lathe-crash-*/image-* >/dev/null 2>&1; do kill -0 $crasher || break; done
    kill -TERM $crasher; wait $crasher 2>/dev/null && fail "an interrupted test is no success"
    ls -d "$folder"/lathe-crash-* 2>/dev/null && fail "what an interrupted test left"
    interrupted=$((interrupted + 1))
done

# Bitmaps that record, while the disk gets other lengths: what a table refers to is there, and counted.
"$lathe" img create -q -f qcow2 -o cluster_size=512 mapped 4M
gives 0 "$lathe" io -f qcow2 -c 'write 0 300k 1' mapped
for bits in 512 4k; do gives 0 "$lathe" img bitmap --add -g $bits mapped b$bits; done
gives 0 "$lathe" img snapshot -c one mapped
cp mapped base
rm -f log
gives 0 "$lathe" io -f qcow2 --log log -c 'write 1M 100k 2' -c flush -c 'resize 9M' -c 'write 8M 50k 3' -c 'resize 2M' \
    -c 'write 100k 10k 4' -c flush -c 'resize 5M' -c 'discard 0 128k' mapped
count=60
[ "${LONG:-}" != 1 ] || count=2000
for seed in 0 1; do
    gives 0 "$lathe" img crash-test -q -b base --accept 0,3 -S $seed -n $count log -- "$lathe" img check -q -f qcow2
done
gives 0 "$lathe" img crash-test -q -b base --accept 0,3 -S 2 -n $count log -- qemu-img check -q -f qcow2

[ "${LONG:-}" = 1 ] || exit 0
total=0
for options in cluster_size=64k cluster_size=4k cluster_size=512 compat=0.10 refcount_bits=1,cluster_size=4k \
        refcount_bits=64,cluster_size=4k extended_l2=on,cluster_size=16k lazy_refcounts=on preallocation=metadata; do
    for mode in none directsync; do
        record $options $mode 300
        crash -b base --accept 0,3 -t $mode log -- "$lathe" img check -q -f qcow2 || fail "$options, $mode"
        crash -b base --accept 0,3 -t $mode log -n 100 --seed 9 -- qemu-img check -q -f qcow2 || fail "$options, $mode, for qemu-img"
        total=$((total + 1))
    done
done
echo "$total logs, every point of them"

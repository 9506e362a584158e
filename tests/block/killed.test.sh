#!/bin/sh
# Killed in the middle of its work (SIGKILL: the host goes on): the image is whole, and holds all that a flush
# covered; where each write is to be durable, all that was acknowledged.
. "$(dirname "$0")/judge.sh"

# Writes of some sectors each, each to a place of its own, a flush after every fifth.
awk 'BEGIN {
    srand(11)
    for (i = 0; i < 4000; i++) {
        print "write", (i * 7919 % 4000) * 65536 + int(rand() * 64) * 512, int(1 + rand() * 64) * 512, i % 255 + 1
        if (i % 5 == 4) print "flush"
    }
}' > script

# killed LINES OPTIONS MODE: after so many lines of answers
killed() {
    rm -f disk said
    "$lathe" img create -q -f qcow2 -o "$2" disk 256M
    "$lathe" io -f qcow2 -t "$3" disk < script > said 2>&1 & io=$!
    until [ "$(wc -l < said)" -ge "$1" ]; do kill -0 $io 2>/dev/null || fail "it ended: $(tail -n 1 said)"; done
    kill -9 $io
    wait $io 2>/dev/null && fail "it was done before it was killed"
    # What must be there: everything up to the last flush, or to the last answer.
    case $3 in
    writethrough | directsync) last=$(grep -c '^write' said) ;;
    unsafe) last=0 ;;
    *) last=$(sed -n '/^flush/=' said | tail -n 1) last=$(head -n "${last:-0}" said | grep -c '^write' || true) ;;
    esac
    grep '^write' script | head -n "$last" | sed 's/^write/read/' > reads
    gives 0 "$lathe" io -f qcow2 -r disk < reads
    "$lathe" img check -q disk || [ $? = 3 ] || fail "check, $*"
    case $2 in *lazy*) ;; *) qemu-img check -q disk > /dev/null || [ $? = 3 ] || fail "qemu-img check, $*" ;; esac
    # It goes on, and nothing that was leaked or freed wrongly is used twice.
    gives 0 "$lathe" io -f qcow2 -c 'write 200MiB 4MiB 99' -c 'read 200MiB 4MiB 99' disk
    awk "\$2 + \$3 <= 209715200 || \$2 >= 213909504" reads > below
    gives 0 "$lathe" io -f qcow2 -r disk < below
    gives 0 "$lathe" img check -q --repair disk
}
lines=60 kinds="cluster_size=4k cluster_size=64k,lazy_refcounts=on"
[ "${LONG:-}" != 1 ] || kinds="$kinds cluster_size=64k extended_l2=on,cluster_size=16k cluster_size=4k,refcount_bits=1
    cluster_size=512 compat=0.10 cluster_size=2M"
for options in $kinds; do
    for mode in writeback none writethrough directsync unsafe; do
        killed $lines $options $mode
        lines=$((lines * 3 % 331 + 20))
    done
done
exit 0

#!/bin/sh
# make bench: lathe beside QEMU in one run. BENCH="name ..." picks kernels, BENCH_ROUNDS=N the rounds.
# Prepares the guest (a cross compiler, Debian's kernel) and leaves the rest to bench.py.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
guest=build/guests/riscv64
source=tests/guest/lbench

need() {        # need PROGRAM PACKAGE...
    command -v "$1" >/dev/null 2>&1 && return 0
    shift
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
    else
        echo "bench: install it with:  sudo apt-get install -y $*" >&2
        exit 1
    fi
}
need riscv64-linux-gnu-gcc gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
need qemu-system-riscv64 qemu-system-misc
need python3 python3

sh tests/guest/riscv64.sh
if [ ! -f "$guest/lbench" ] || [ -n "$(find $source -newer "$guest/lbench")" ]; then
    riscv64-linux-gnu-gcc -O2 -std=gnu11 -fno-tree-vectorize -ffp-contract=off -static -pthread \
        -o "$guest/lbench" $source/lbench.c $source/k_*.c -lm
    riscv64-linux-gnu-gcc -O2 -std=gnu11 -static -o "$guest/blk" $source/blk.c
fi
packages=$(sh tests/guest/fetch.sh riscv64 trixie 'linux-image-6.*-riscv64' busybox-static)
sh tests/guest/initramfs.sh "$(echo "$packages" | tail -n 1)" "$(echo "$packages" | head -n 1)" \
    "$guest/bench.gz" "$guest/lbench" "$guest/blk"
exec python3 tests/bench/bench.py --lathe "$build/lathe" --guest "$guest" --rounds "${BENCH_ROUNDS:-3}" ${BENCH:-}

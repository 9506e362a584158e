#!/bin/sh
# make bench: lathe beside QEMU in one run. BENCH="name ..." picks kernels, BENCH_ROUNDS=N the rounds,
# BENCH_GUEST=riscv64|arm64 the guest (both, one after the other).
# The machine language first, which has no peer. Prepares the guests (a cross compiler, Debian's kernel) and leaves the rest to bench.py.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
source=tests/guest/lbench
bare=tests/guest/bare/arm64

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
need python3 python3

# bench NAME COMPILER COMPILER_PACKAGES QEMU_PACKAGE
bench() {
    name=$1 compiler=$2 files=build/guests/$1
    need "$compiler" $3
    need qemu-system-"${compiler%%-*}" "$4"
    sh tests/guest/debian.sh "$name"
    if [ ! -f "$files/lbench" ] || [ -n "$(find $source -newer "$files/lbench")" ]; then
        "$compiler" -O2 -std=gnu11 -fno-tree-vectorize -ffp-contract=off -static -pthread \
            -o "$files/lbench" $source/lbench.c $source/k_*.c -lm
        "$compiler" -O2 -std=gnu11 -static -o "$files/blk" $source/blk.c
    fi
    [ "$name" != arm64 ] || "$compiler" -O2 -ffreestanding -nostdlib -static -mgeneral-regs-only \
        -mno-outline-atomics -Wl,--no-warn-rwx-segments -Wl,--build-id=none -T $bare/link.ld \
        -o "$files/switch.elf" $bare/start.S $bare/bare.c $bare/switch.c
    sh tests/guest/initramfs.sh "$(cat "$files/busybox")" "$(cat "$files/kernel")" \
        "$files/bench.gz" "$files/lbench" "$files/blk"
    echo "== $name"
    python3 tests/bench/bench.py --lathe "$build/lathe" --guest "$name" --files "$files" \
        --rounds "${BENCH_ROUNDS:-3}" ${BENCH:-}
    [ -n "${BENCH:-}" ] || python3 tests/bench/guest-block.py --lathe "$build/lathe" --guest "$name" \
        --files "$files" --rounds "${BENCH_ROUNDS:-3}"
}
echo "== language"
python3 tests/bench/language.py "$build/lathe"
if [ -z "${BENCH:-}" ]; then
    need qemu-img qemu-utils
    echo "== disk images"
    python3 tests/bench/block.py --lathe "$build/lathe" --rounds "${BENCH_ROUNDS:-3}" || true
fi
for guest in ${BENCH_GUEST:-riscv64 arm64}; do
    case $guest in
    riscv64) bench riscv64 riscv64-linux-gnu-gcc "gcc-riscv64-linux-gnu libc6-dev-riscv64-cross" qemu-system-misc ;;
    arm64) bench arm64 aarch64-linux-gnu-gcc "gcc-aarch64-linux-gnu libc6-dev-arm64-cross" qemu-system-arm ;;
    *) echo "bench: no guest named '$guest'" >&2; exit 2 ;;
    esac
done

# What random programs have at EL0 only, at EL1 (tests/guest/bare/arm64/rows.c): on both hosts as QEMU 7.2 does it, and as QEMU here.
build=${BUILD:-build}
source=tests/guest/bare/arm64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v aarch64-linux-gnu-gcc > /dev/null || {
    echo "aarch64-linux-gnu-gcc is not installed"
    exit 77
}
cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: rows
board: arm-virt@1
cpus: { count: 1, model: max }
memory: 256MiB
boot: { kernel: program.elf }
MACHINE

# same WHERE COMMAND...: it ends well and prints what is expected
same() {
    where=$1
    shift
    timeout -k 5 60 "$@" < /dev/null > "$work/out" 2>&1 || { cat "$work/out"; echo "FAILED: on $where"; exit 1; }
    tr -d '\r' < "$work/out" | diff -u "$source/rows.expected" - || { echo "FAILED: on $where"; exit 1; }
}

aarch64-linux-gnu-gcc -march=armv8.5-a -O1 -ffreestanding -nostdlib -static -mgeneral-regs-only -mno-outline-atomics \
    -Wall -Wextra -Wl,--no-warn-rwx-segments -Wl,--build-id=none -T $source/link.ld -o "$work/program.elf" \
    $source/start.S $source/bare.c $source/rows.c || exit 1
same x86_64 "$build/lathe" run "$work/m.yaml" --host x86_64
same interp "$build/lathe" run "$work/m.yaml" --host interp
! qemu-system-aarch64 --version 2> /dev/null | grep -q ' version 7\.' ||
    same QEMU qemu-system-aarch64 -M virt,gic-version=3 -cpu max -m 256 -display none -nodefaults -serial stdio \
        -kernel "$work/program.elf"

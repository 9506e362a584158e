# Bare-metal programs (tests/guest/bare/arm64) print what an AArch64 machine does with exceptions, translation,
# interrupts, timers and PSCI. On lathe, on both hosts, that is what NAME.expected says; with QEMU here, on its
# `virt` too. The expectations are QEMU 7.2's but for one: in the syndrome of a trapped MSR (immediate) it has Op1
# and Op2 in each other's place; DDI 0487, ESR_EL1, "ISS encoding for an exception from MSR, MRS": Op2 is bits 19:17.
build=${BUILD:-build}
source=tests/guest/bare/arm64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
command -v aarch64-linux-gnu-gcc > /dev/null || {
    echo "aarch64-linux-gnu-gcc is not installed"
    exit 77
}

cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: bare
board: arm-virt@1
cpus: { count: 3, model: cortex-a57 }
memory: 256MiB
boot: { kernel: program.elf }
MACHINE

# same NAME WHERE: the output of that run is what is expected
same() {
    tr -d '\r' < "$work/out" | diff -u "$source/$1.expected" - || fail "$1 on $2"
}

for program in mmu gic psci exceptions debug; do
    aarch64-linux-gnu-gcc -O1 -ffreestanding -nostdlib -static -mgeneral-regs-only -mno-outline-atomics -Wall \
        -Wextra -Wl,--no-warn-rwx-segments -Wl,--build-id=none -T $source/link.ld -o "$work/program.elf" \
        $source/start.S $source/bare.c $source/$program.c || fail "$program does not compile"
    for host in x86_64 interp; do
        timeout -k 5 60 "$build/lathe" run "$work/m.yaml" --host $host < /dev/null > "$work/out" 2>&1 ||
            { cat "$work/out"; fail "$program on $host: exit status $?"; }
        same $program "$host"
    done
    ! qemu-system-aarch64 --version 2> /dev/null | grep -q ' version 7\.' || {
        timeout -k 5 60 qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a57 -smp 3 -m 256 -display none \
            -nodefaults -serial stdio -kernel "$work/program.elf" < /dev/null > "$work/out" 2>&1 ||
            fail "$program on QEMU: exit status $?"
        sed -i 's/esr=0x620793e4/esr=0x620cd3e4/' "$work/out"
        same $program QEMU
    }
done

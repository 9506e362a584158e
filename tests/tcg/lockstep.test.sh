# `lathe run --check 1`: every block runs in the interpreter and on the host, and they agree. A bare AArch64 program
# about translation and one about exceptions; with LONG=1 a whole boot of each Debian kernel, to its power-off.
. tests/boot/lib.sh
source=tests/guest/bare/arm64
command -v aarch64-linux-gnu-gcc > /dev/null || skip "aarch64-linux-gnu-gcc is not installed"

# compared LEAST: at least so many instructions were compared, without a difference
compared() {
    count=$(sed -n 's/^ *\([0-9]*\) instructions compared in lockstep.*/\1/p' "$log")
    [ "${count:-0}" -ge "$1" ] || fail "only ${count:-0} instructions were compared"
    echo "$count instructions compared"
}

cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: bare
board: arm-virt@1
cpus: { count: 3, model: cortex-a57 }
memory: 256MiB
boot: { kernel: program.elf }
MACHINE
for program in mmu exceptions; do
    aarch64-linux-gnu-gcc -O1 -ffreestanding -nostdlib -static -mgeneral-regs-only -mno-outline-atomics \
        -Wl,--no-warn-rwx-segments -Wl,--build-id=none -T $source/link.ld -o "$work/program.elf" \
        $source/start.S $source/bare.c $source/$program.c || fail "$program does not compile"
    run 60 0 --check 1 --stats
    tr -d '\r' < "$log" | sed '/^ *tcg /,$d' | diff -u "$source/$program.expected" - || fail "$program in lockstep"
    compared 5000
done

[ -n "${LONG:-}" ] || exit 0
for name in riscv64 arm64; do
    guest $name
    machine boot < /dev/null
    run 6000 0 --check 1 --stats
    says "@done"
    compared 100000000
done

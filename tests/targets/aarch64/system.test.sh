# Bare-metal programs (tests/guest/bare/arm64) print what an AArch64 machine does with exceptions, translation,
# interrupts, timers and PSCI; those of the second part begin at EL2 or EL3. On lathe, on both hosts, that is what
# NAME.expected says; with QEMU here, on its `virt` too. NAME.qemu says where QEMU is wrong. The expectations are QEMU 7.2's but for one: in the syndrome of a trapped MSR (immediate) it has Op1
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

# ---- EL2 and EL3 ----

# Runs a command until it ends or says that the program is at its end: firmware has nobody to turn the machine off.
until_end() {
    : > "$work/out"
    timeout -k 5 60 "$@" < /dev/null > "$work/out" 2>&1 &
    pid=$!
    while kill -0 $pid 2> /dev/null && ! grep -q '^@end' "$work/out"; do sleep 0.1; done
    kill $pid 2> /dev/null
    wait $pid 2> /dev/null
    sed -i '/^@end/q' "$work/out"
}

# levels NAME MODEL LEVELS
levels() {
    at=0x40080000 place=kernel
    [ "$3" = el2 ] || at=0x40200000 place=firmware
    aarch64-linux-gnu-gcc -O1 -ffreestanding -nostdlib -static -mgeneral-regs-only -mno-outline-atomics -Wall \
        -Wextra -Wno-unused-parameter -Wl,--no-warn-rwx-segments -Wl,--build-id=none -Wl,--defsym=load_address=$at \
        -T $source/link.ld -o "$work/program.elf" $source/start-el.S $source/bare.c $source/"$1".c ||
        fail "$1 does not compile"
    cat > "$work/levels.yaml" <<MACHINE
lathe: machine/v1
name: levels
board: { use: arm-virt@1, options: { levels: $3 } }
cpus: { count: 1, model: $2 }
memory: 256MiB
boot: { $place: program.elf }
MACHINE
    name=$1
    [ "$3" != el3 ] || name=$1-no-el2
    for host in x86_64 interp; do
        until_end "$build/lathe" run "$work/levels.yaml" --host $host
        same "$name" $host
    done
    qemu-system-aarch64 --version 2> /dev/null | grep -q ' version 7\.' || return 0
    set -- "$1" -cpu "$2" -smp 1 -m 256 -display none -nodefaults -serial stdio
    name_of_corrections=$1
    shift
    case $place-$name in
    kernel-*) until_end qemu-system-aarch64 -M virt,gic-version=3,virtualization=on "$@" -kernel "$work/program.elf" ;;
    *)  # QEMU answers PSCI itself unless there is firmware
        head -c 4096 /dev/zero > "$work/bios"
        [ "$name" = "$name_of_corrections" ] && has=on || has=off
        until_end qemu-system-aarch64 -M virt,gic-version=3,virtualization=$has,secure=on "$@" -bios "$work/bios" \
            -device loader,file="$work/program.elf",cpu-num=0 ;;
    esac
    [ ! -f $source/"$name_of_corrections".qemu ] || sed -i -f $source/"$name_of_corrections".qemu "$work/out"
    same "$name" QEMU
}

for program in hyp stage2 virq; do levels $program cortex-a57 el2; done
levels vhe max el2
levels monitor cortex-a57 el2-el3
levels monitor cortex-a57 el3

# With EL3 nobody but firmware answers PSCI.
sed 's/levels: el[^ ]*/levels: el3/; s/firmware:/kernel:/' "$work/levels.yaml" > "$work/refused.yaml"
! timeout -k 5 60 "$build/lathe" run "$work/refused.yaml" < /dev/null > "$work/out" 2>&1 ||
    fail "a kernel without firmware, with EL3"
grep -q '`boot.kernel` needs `boot.firmware` here' "$work/out" || fail "what is wrong is not said"

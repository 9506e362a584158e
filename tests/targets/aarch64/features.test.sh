# Bare-metal programs (tests/guest/bare/arm64) about what CPUs have beyond Armv8.0: on lathe, on both hosts, they print
# NAME.expected; with QEMU here, on its `virt` too, as far as it does what the manual says: to a line `--`.
build=${BUILD:-build}
source=tests/guest/bare/arm64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
command -v aarch64-linux-gnu-gcc > /dev/null || {
    echo "aarch64-linux-gnu-gcc is not installed"
    exit 77
}

# same NAME WHERE [COMMAND]: the output of that run is what is expected, both edited by the command
same() {
    sed "${3:-}" "$source/$1.expected" > "$work/expected"
    tr -d '\r' < "$work/out" | sed "${3:-}" | diff -u "$work/expected" - || fail "$1 on $2"
}

# machine MODEL: what all programs run on
machine() {
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: bare
board: arm-virt@1
cpus: { count: 1, model: $1 }
memory: 256MiB
boot: { kernel: program.elf }
MACHINE
}

# check NAME EXPECTED: on lathe
check() {
    aarch64-linux-gnu-gcc -O1 -march=armv8.5-a -ffreestanding -nostdlib -static -mgeneral-regs-only \
        -mno-outline-atomics -mstrict-align -Wall -Wextra -Wl,--no-warn-rwx-segments -Wl,--build-id=none \
        -T $source/link.ld -o "$work/program.elf" \
        $source/start.S $source/bare.c $source/paging.c "$source/$1.c" || fail "$1 does not compile"
    for host in x86_64 interp; do
        timeout -k 5 60 "$build/lathe" run "$work/m.yaml" --host $host < /dev/null > "$work/out" 2>&1 ||
            { cat "$work/out"; fail "$1 on $host: exit status $?"; }
        same "$2" "$host"
    done
}

# check_both NAME MODEL [EXPECTED]: on lathe and on QEMU
check_both() {
    machine "$2"
    check "$1" "${3:-$1}"
    ! qemu-system-aarch64 --version 2> /dev/null | grep -q ' version 7\.' || {
        timeout -k 5 60 qemu-system-aarch64 -M virt,gic-version=3 -cpu "$2" -m 256 -display none -nodefaults \
            -serial stdio -kernel "$work/program.elf" < /dev/null > "$work/out" 2>&1 ||
            fail "$1 on QEMU: exit status $?"
        same "${3:-$1}" QEMU '/^--$/,$d'
    }
}

for model in cortex-a53 cortex-a57 cortex-a72 neoverse-n1 max; do
    check_both features $model features-$model
done
for program in pauth bti alignment; do
    check_both $program max
done

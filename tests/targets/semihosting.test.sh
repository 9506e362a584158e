# A program that knows nothing but semihosting: console, clocks, exit code, on both ISAs and both hosts. That its call is
# undefined without the key is seen by features.c of tests/guest/bare/arm64.
build=${BUILD:-build}
source=tests/guest/bare/semihosting
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; cat "$work/out"; exit 1; }

# machine BOARD MODEL
machine() {
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: bare
board: $1
cpus: { model: $2, semihosting: true }
memory: 64MiB
boot: { $3: program.elf, cmdline: one two }
MACHINE
}

# Types k until the program has one, then abc: until it asks, keys are the UART's.
keys() {
    until grep -q '^first key' "$work/out"; do
        printf k || return
        sleep 0.05
    done
    printf abc
}

# run STATUS ARGUMENT...
run() {
    expected=$1
    shift
    : > "$work/out"
    keys | timeout -k 5 60 "$build/lathe" run "$work/m.yaml" "$@" > "$work/out" 2> "$work/err"
    status=$?
    [ $status = "$expected" ] || { cat "$work/err"; fail "exit status $status, expected $expected: $*"; }
}

# check COMPILER ADDRESS FLAG...
check() {
    compiler=$1 at=$2
    shift 2
    command -v $compiler > /dev/null || {
        echo "$compiler is not installed"
        return
    }
    $compiler "$@" -O1 -ffreestanding -nostdlib -static -Wall -Wextra -Wl,--build-id=none -Wl,-Ttext=$at \
        -Wl,-N -Wl,--no-warn-rwx-segments -o "$work/program.elf" $source/semihosting.c || fail "it does not compile"
    for host in x86_64 interp; do
        run 42 --exec --host $host
        diff -u $source/semihosting.expected "$work/out" || fail "$compiler on $host"
        run 1 --host $host
        grep -q 'the guest says that it failed, with code 42' "$work/err" || fail "the code is not said"
    done
}

machine arm-virt@1 cortex-a57 kernel
check aarch64-linux-gnu-gcc 0x40080000 -mgeneral-regs-only -mstrict-align
run 125 --exec --set cpus.count=99

machine riscv-virt@1 rv64 firmware
check riscv64-linux-gnu-gcc 0x80000000 -mcmodel=medany

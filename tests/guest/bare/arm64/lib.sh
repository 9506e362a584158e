# For the tests of bare-metal AArch64 programs: sourced. A program prints NAME.expected on lathe's hosts; and on QEMU,
# where there is one of version 7, whose mistakes NAME.qemu mends.
build=${BUILD:-build}
source=tests/guest/bare/arm64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
command -v aarch64-linux-gnu-gcc > /dev/null || {
    echo "aarch64-linux-gnu-gcc is not installed"
    exit 77
}
has_qemu=
! qemu-system-aarch64 --version 2> /dev/null | grep -q ' version 7\.' || has_qemu=1

also= # what else a program is made from
# compile NAME LOAD_ADDRESS START FLAG...: with start.S or start-el.S, and what is common, to $work/program.elf
compile() {
    name=$1 at=$2 start=$3
    shift 3
    aarch64-linux-gnu-gcc -O1 "$@" -ffreestanding -nostdlib -static -mgeneral-regs-only -mno-outline-atomics -Wall \
        -Wextra -Wno-unused-parameter -Wl,--no-warn-rwx-segments -Wl,--build-id=none -Wl,--defsym=load_address="$at" \
        -T $source/link.ld -o "$work/program.elf" $source/"$start" $source/bare.c $also $source/"$name".c ||
        fail "$name does not compile"
}

# machine CPUS MODEL [OPTIONS [PLACE]]: $work/m.yaml, with the program as kernel or firmware
machine() {
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: bare
board: { use: arm-virt@1, options: { ${3:-} } }
cpus: { count: $1, model: $2 }
memory: 256MiB
boot: { ${4:-kernel}: program.elf }
MACHINE
}

# until_end COMMAND: runs until it ends or says that the program is at its end: firmware has nobody to turn it off
until_end() {
    : > "$work/out"
    timeout -k 5 60 "$@" < /dev/null > "$work/out" 2>&1 &
    pid=$!
    while kill -0 $pid 2> /dev/null && ! grep -q '^@end' "$work/out"; do sleep 0.1; done
    kill $pid 2> /dev/null
    wait $pid 2> /dev/null
    sed -i '/^@end/q' "$work/out"
}

# same EXPECTED WHERE [COMMAND]: the output of that run is what is expected, both edited by the sed command
same() {
    sed "${3:-}" "$source/$1.expected" > "$work/expected"
    tr -d '\r' < "$work/out" | sed "${3:-}" | diff -u "$work/expected" - || fail "$1 on $2"
}

# on_lathe EXPECTED: what was compiled last, on the machine made last, on both hosts
on_lathe() {
    for host in x86_64 interp; do
        until_end "$build/lathe" run "$work/m.yaml" --host $host
        same "$1" $host
    done
}

# on_qemu NAME EXPECTED CUT BOARD MODEL CPUS ARGUMENT...: what was compiled last; CUT is what same() gets
on_qemu() {
    [ "$has_qemu" ] || return 0
    name=$1 expected=$2 cut=$3 board=$4 model=$5 cpus=$6
    shift 6
    until_end qemu-system-aarch64 -M "virt,$board" -cpu "$model" -smp "$cpus" -m 256 -display none -nodefaults \
        -serial stdio "$@"
    [ ! -f "$source/$name.qemu" ] || sed -i -f "$source/$name.qemu" "$work/out"
    same "$expected" QEMU "$cut"
}

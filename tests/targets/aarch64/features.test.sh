# Bare-metal programs (tests/guest/bare/arm64) about what CPUs have beyond Armv8.0; on QEMU as far as it does what the
# manual says: to a line `--`.
. tests/guest/bare/arm64/lib.sh
also=$source/paging.c

# both NAME MODEL [EXPECTED]
both() {
    compile "$1" 0x40080000 start.S -march=armv8.5-a -mstrict-align
    machine 1 "$2"
    on_lathe "${3:-$1}"
    on_qemu "$1" "${3:-$1}" '/^--$/,$d' gic-version=3 "$2" 1 -kernel "$work/program.elf"
}

for model in cortex-a53 cortex-a57 cortex-a72 neoverse-n1 max; do
    both features $model features-$model
done
for program in pauth bti alignment closed; do
    both $program max
done

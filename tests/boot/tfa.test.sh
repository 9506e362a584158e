# LONG=1: Trusted Firmware-A, built from Debian's source for QEMU's `virt` with either GIC, starts at EL3 from flash, uses
# the secure RAM and starts tests/guest/bare/arm64/bl33.c in the non-secure state; it answers PSCI, and turns the machine
# off by the secure GPIO. On QEMU the same.
[ -n "${LONG:-}" ] || { echo "with LONG=1"; exit 77; }
command -v fiptool > /dev/null || { echo "fiptool is not installed"; exit 77; }
. tests/guest/bare/arm64/lib.sh
tfa=$(sh tests/guest/fetch.sh source bookworm arm-trusted-firmware) || { echo "its source cannot be fetched here"; exit 77; }

# make_firmware GIC: BL1, and BL2, BL31 and BL33 in a package behind it. EL1 has AArch64 only; a newer linker warns.
make_firmware() {
    cp -r "$tfa" "$work/tfa"
    sed -i 's/--fatal-warnings//' "$work/tfa/Makefile"
    sed -i 's/\(CTX_INCLUDE_AARCH32_REGS\) *:= *1/\1 := 0/' "$work/tfa/make_helpers/defaults.mk"
    make -C "$work/tfa" -j2 CROSS_COMPILE=aarch64-linux-gnu- PLAT=qemu BUILD_BASE="$work/v$1" \
        QEMU_USE_GIC_DRIVER=QEMU_GICV"$1" CTX_INCLUDE_AARCH32_REGS=0 BUILD_STRING=debian bl1 bl2 bl31 \
        > "$work/log" 2>&1 || { tail "$work/log"; fail "TF-A is not built"; }
    rm -rf "$work/tfa"
    images=$work/v$1/qemu/release
    fiptool create --tb-fw "$images/bl2.bin" --soc-fw "$images/bl31.bin" --nt-fw "$work/bl33.bin" "$work/fip"
    cp "$images/bl1.bin" "$work/flash$1"
    dd if="$work/fip" of="$work/flash$1" bs=1k seek=256 conv=notrunc status=none
}

compile bl33 0x60000000 start-el.S
aarch64-linux-gnu-objcopy -O binary "$work/program.elf" "$work/bl33.bin"
for gic in 2 3; do
    make_firmware $gic
    for model in cortex-a53 cortex-a57 cortex-a72; do
        machine 2 $model "levels: el2-el3, gic: v$gic" firmware
        sed -i "s,program.elf,flash$gic,; s/256MiB/1GiB/" "$work/m.yaml"
        timeout -k 5 60 "$build/lathe" run "$work/m.yaml" < /dev/null > "$work/out" 2>&1 ||
            { cat "$work/out"; fail "$model, GICv$gic: exit status $?"; }
        same bl33 "lathe, $model, GICv$gic" '/Built :/d'
    done
    on_qemu bl33 bl33 '/Built :/d' "virtualization=on,secure=on,gic-version=$gic" cortex-a57 2 -m 1024 -bios "$work/flash$gic"
done

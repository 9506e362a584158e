# A machine with EL2: Debian's arm64 kernel is entered there and finds a hypervisor's CPU, without VHE and with it, and
# with the virtual interface of a GICv2.
# LONG=1: by tests/guest/kvm.c it boots itself inside of itself, with one CPU and two.
. tests/boot/lib.sh
command -v aarch64-linux-gnu-gcc > /dev/null || skip "aarch64-linux-gnu-gcc is not installed"
command -v dtc > /dev/null || skip "dtc is not installed"
guest arm64
board='{ use: arm-virt@1, options: { levels: el2 } }'

# shows TEXT: somewhere on the console
shows() {
    grep -qF -- "$1" "$log" || fail "the guest did not show '$1'"
}

machine boot < /dev/null
run 120 0 --set cpus.count=2 --set cpus.model=cortex-a57
shows "CPU: All CPU(s) started at EL2"
shows "Hyp mode initialized successfully"
run 120 0 --set cpus.count=2 --set cpus.model=max
shows "VHE mode initialized successfully"
board='{ use: arm-virt@1, options: { levels: el2, gic: v2 } }'
machine boot < /dev/null
run 120 0 --set cpus.count=2 --set cpus.model=cortex-a57
shows "kvm [1]: vgic interrupt IRQ"
shows "Hyp mode initialized successfully"
board='{ use: arm-virt@1, options: { levels: el2 } }'

[ -n "${LONG:-}" ] || exit 0
aarch64-linux-gnu-gcc -O2 -static -Wall -o "$work/kvm" tests/guest/kvm.c -lpthread || fail "kvm.c does not compile"
sh tests/guest/initramfs.sh "$(cat "$guest/busybox")" "$(cat "$guest/kernel")" "$work/nested.gz" "$work/kvm"

# A disk holds whole sectors.
disk() {
    cp -L "$1" "$2"
    truncate -s %512 "$2"
}
disk "$guest/Image" "$work/kernel.img"
disk "$guest/initrd.gz" "$work/initrd.img"
end=$(printf '0x%x' $((0x4a000000 + $(stat -Lc %s "$guest/initrd.gz"))))
for cpus in 1 2; do
    cpp -P -undef -x assembler-with-cpp -DCPUS=$cpus -DINITRD_END="$end" tests/guest/nested.dts |
        dtc -q -I dts -O dtb -o "$work/tree" || fail "nested.dts is not compiled"
    disk "$work/tree" "$work/tree.img"
    for model in cortex-a57 cortex-a72 neoverse-n1 max; do
        machine "nested nested.cpus=$cpus" <<MACHINE
drives:
  kernel: { file: $work/kernel.img, format: raw, read-only: true, slot: virtio.0 }
  initrd: { file: $work/initrd.img, format: raw, read-only: true, slot: virtio.1 }
  tree: { file: $work/tree.img, format: raw, read-only: true, slot: virtio.2 }
MACHINE
        run 900 0 --stats --set memory=1GiB --set cpus.count=$cpus --set cpus.model=$model \
            --set "boot.initrd=$work/nested.gz"
        says "|@cpus $cpus"
        says "|@done"
        says "@kvm ended 1"
        # A guest that is entered again finds what it knew: some 300000; flushed each time they are ten million.
        walks=$(sed -n 's/^ *cpu0: \([0-9]*\) page walks.*/\1/p' "$log")
        [ "$walks" -lt 2000000 ] || fail "$model, $cpus: $walks page walks"
    done
done

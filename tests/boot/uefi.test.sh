# Debian's UEFI firmware (qemu-efi-aarch64) from flash finds a disk, and its shell starts Debian's arm64 kernel there by
# its EFI stub. LONG=1: also at EL2, where the kernel finds a hypervisor's CPU, and with GICv2.
. tests/boot/lib.sh
for program in mformat mcopy; do
    command -v $program > /dev/null || skip "$program is not installed"
done
guest arm64
efi=$(package all bookworm qemu-efi-aarch64) || skip "qemu-efi-aarch64 cannot be fetched here"

echo "fs0:\\Image initrd=\\initrd.gz console=ttyAMA0 panic=-1 lathe.do=boot" > "$work/startup.nsh"
truncate -s 64M "$work/disk.img"
mformat -i "$work/disk.img" -F :: || fail "mformat"
mcopy -i "$work/disk.img" "$guest/Image" "$guest/initrd.gz" "$work/startup.nsh" :: || fail "mcopy"

# boots OPTIONS: to the end of the initrd's task
boots() {
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: uefi
board: { use: arm-virt@1, options: { $1 } }
memory: 512MiB
boot: { firmware: $efi/usr/share/qemu-efi-aarch64/QEMU_EFI.fd }
drives:
  esp: { file: $work/disk.img, format: raw, read-only: true }
MACHINE
    run 180 0
    grep -q 'UEFI Interactive Shell' "$log" || fail "the shell did not come"
    grep -q 'efi: EFI v2' "$log" || fail "the kernel did not find UEFI"
    says "@done"
}

boots "gic: v3"
[ -n "${LONG:-}" ] || exit 0
boots "levels: el2"
grep -q 'Hyp mode initialized successfully' "$log" || fail "no hypervisor's CPU"
boots "gic: v2"

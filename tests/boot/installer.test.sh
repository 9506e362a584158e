# The kernel and initrd of Debian's installer, as its netboot packages have them, come to the installer's screen.
. tests/boot/lib.sh

missing= # packages that cannot be fetched

# installs PACKAGE SUITE FOLDER: with the board and the console of the guest
installs() {
    images=$(package all $2 $1) || { missing="$missing $1"; return; }
    images=$images/usr/lib/debian-installer/images/$3
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: installer
board: $board
memory: 1GiB
boot:
  kernel: $images/linux
  initrd: $images/initrd.gz
  cmdline: console=$console
  $firmware
MACHINE
    run_until 240 1 'installer.*shell' < /dev/null
}
guest riscv64
installs debian-installer-13-netboot-riscv64 trixie 13/riscv64/text/debian-installer/riscv64
guest arm64
installs debian-installer-12-netboot-arm64 bookworm 12/arm64/text/debian-installer/arm64
[ -z "$missing" ] || skip "cannot be fetched here:$missing"

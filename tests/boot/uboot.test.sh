# Debian's U-Boot, in M mode from its own address, in S mode under OpenSBI, and on arm64 from flash, reaches its
# prompt, reads a file from the virtio disk and powers off; on arm64 it boots Debian's kernel from there. It eats keys that are typed while a command prints, so each line waits for
# its prompt.
. tests/boot/lib.sh
guest riscv64
uboot=$(package all bookworm u-boot-qemu) || skip "u-boot-qemu cannot be fetched here"
truncate -s 16M "$work/disk.img"
mke2fs -q -t ext4 -F "$work/disk.img"
echo "a file for U-Boot" > "$work/hello"
debugfs -w -R "write $work/hello hello" "$work/disk.img" >/dev/null 2>&1

# types LINE...: each when one more prompt is there
types() {
    prompts=1
    for line in "$@"; do
        tries=0
        while [ "$(grep -c '^=> ' "$log")" -lt $prompts ] && [ $tries -lt 300 ]; do
            [ $prompts -gt 1 ] || echo      # stops the countdown
            sleep 0.1
            tries=$((tries + 1))
        done
        prompts=$(($(grep -c '^=> ' "$log") + 1))
        echo "$line"
    done
}

# boots NAME BOARD ADDRESS KEYS_OF_BOOT: the address is where there is RAM for the file
boots() {
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: uboot
board: $2
memory: 256MiB
boot: { $4 }
drives:
  root: { file: $work/disk.img, format: raw, cache: directsync }
MACHINE
    : > "$log"
    types 'virtio scan' "load virtio 0 $3 /hello" "md.b $3 0x11" poweroff |
        timeout -k 5 60 "$build/lathe" run "$work/m.yaml" > "$log" 2>&1 || fail "$1: exit status $?"
    grep -q '18 bytes read' "$log" || fail "$1: the file was not read"
    grep -q 'a file for U-Boo' "$log" || fail "$1: the file's bytes are not there"
}

boots "M mode" riscv-virt@1 0x84000000 "firmware: $uboot/usr/lib/u-boot/qemu-riscv64/u-boot.bin"
boots "S mode" riscv-virt@1 0x84000000 \
    "firmware: $guest/fw_dynamic.bin, kernel: $uboot/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
boots "arm64, from flash" arm-virt@1 0x44000000 "firmware: $uboot/usr/lib/u-boot/qemu_arm64/u-boot.bin"

# It boots Debian's kernel from the disk.
guest arm64
truncate -s 128M "$work/disk.img"
mke2fs -q -t ext4 -F "$work/disk.img"
debugfs -w -R "write $guest/Image Image" "$work/disk.img" >/dev/null 2>&1
debugfs -w -R "write $guest/initrd.gz initrd.gz" "$work/disk.img" >/dev/null 2>&1
: > "$log"
types 'virtio scan' 'load virtio 0 $kernel_addr_r /Image' 'load virtio 0 $ramdisk_addr_r /initrd.gz' \
    'setenv bootargs console=ttyAMA0 panic=-1 lathe.do=boot' \
    'booti $kernel_addr_r $ramdisk_addr_r:$filesize 0x40000000' |
    timeout -k 5 90 "$build/lathe" run "$work/m.yaml" > "$log" 2>&1 || fail "kernel from disk: exit status $?"
says "@cpus 1"
says "@done"

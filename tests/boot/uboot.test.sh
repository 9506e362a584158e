# Debian's U-Boot, in M mode from its own address and in S mode under OpenSBI, reaches its prompt, reads a file
# from the virtio disk and powers off. It eats keys that are typed while a command prints, so each line waits for
# its prompt.
. tests/boot/lib.sh
guest riscv64
uboot=$(package all bookworm u-boot-qemu) || skip "u-boot-qemu cannot be fetched here"
truncate -s 16M "$work/disk.img"
mke2fs -q -t ext4 -F "$work/disk.img"
echo "a file for U-Boot" > "$work/hello"
debugfs -w -R "write $work/hello hello" "$work/disk.img" 2>/dev/null

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

# boots NAME KEYS_OF_BOOT
boots() {
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: uboot
board: riscv-virt@1
memory: 256MiB
boot: { $2 }
drives:
  root: { file: $work/disk.img, format: raw, cache: directsync }
MACHINE
    : > "$log"
    types 'virtio scan' 'load virtio 0 0x84000000 /hello' 'md.b 0x84000000 0x11' poweroff |
        timeout -k 5 60 "$build/lathe" run "$work/m.yaml" > "$log" 2>&1 || fail "$1: exit status $?"
    grep -q '18 bytes read' "$log" || fail "$1: the file was not read"
    grep -q 'a file for U-Boo' "$log" || fail "$1: the file's bytes are not there"
}

boots "M mode" "firmware: $uboot/usr/lib/u-boot/qemu-riscv64/u-boot.bin"
boots "S mode" "firmware: $guest/fw_dynamic.bin, kernel: $uboot/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"

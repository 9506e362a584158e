# The kernel and initrd of Debian 13's installer, as its netboot package has them, come to the installer's screen.
. tests/boot/lib.sh
installer=$(sh tests/guest/fetch.sh all trixie debian-installer-13-netboot-riscv64) || {
    echo "the installer cannot be fetched here"
    exit 77
}
images=$installer/usr/lib/debian-installer/images/13/riscv64/text/debian-installer/riscv64
cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: installer
board: riscv-virt@1
memory: 1GiB
boot:
  firmware: $guest/fw_dynamic.bin
  kernel: $images/linux
  initrd: $images/initrd.gz
  cmdline: console=ttyS0
MACHINE
: > "$log"
timeout -k 5 240 "$build/lathe" run "$work/m.yaml" < /dev/null > "$log" 2>&1 &
pid=$!
tries=0
while ! grep -q 'installer.*shell' "$log" && kill -0 $pid 2>/dev/null && [ $tries -lt 2400 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill $pid 2>/dev/null
wait $pid 2>/dev/null
grep -q 'installer.*shell' "$log" || fail "the installer's screen did not appear"

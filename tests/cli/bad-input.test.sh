# What `lathe run` cannot do with what it was given: one error each, with the key, the line and the remedy, and
# exit status 2 when the description is wrong, 3 when it is the host.
set -e
lathe=$PWD/${BUILD:-build}/lathe
work=$(mktemp -d)
cd "$work"
trap 'umount plain 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; cat out; exit 1; }

# A RISC-V Image of 512 bytes: `j .`, text at 2 MiB, IMAGE_SIZE (little-endian bytes) of RAM.
riscv_image() {
    { printf '\157\0\0\0\0\0\0\0\0\0\040\0\0\0\0\0'"$1"'\0\0\0\0\0\0\0\0\002\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
      printf 'RISCV\0\0\0RSC\005\0\0\0\0'
      head -c 448 /dev/zero; } > "$2"
}
riscv_image '\0\0\001\0\0\0\0\0' small
riscv_image '\0\0\0\040\0\0\0\0' huge
gzip -c "$lathe" | head -c 10000 > cut.gz
head -c 100 "$lathe" > cut.elf
truncate -s 1M disk.img

# refused STATUS PLACE TEXT REMEDY ARGUMENT...: the machine on stdin; TEXT and REMEDY are patterns of grep
refused() {
    expected=$1 place=$2 text=$3 remedy=$4
    shift 4
    { printf 'lathe: machine/v1\nname: t\nboard: riscv-virt@1\nmemory: 64MiB\n'; cat; } > m.yaml
    status=0
    timeout 20 "$lathe" run m.yaml "$@" < /dev/null > out 2>&1 || status=$?
    [ $status = "$expected" ] || fail "$text: exit status $status, expected $expected"
    grep -q -e "$place: error\[E[0-9]*\]: .*$text" out || fail "no error at $place about '$text'"
    grep -q -- "$remedy" out || fail "$text: no '$remedy'"
    [ "$(grep -c 'error\[' out)" = 1 ] || fail "$text: more than one error"
}
boots() { printf 'boot: { firmware: small, kernel: %s }\n' "$1"; }

boots nothing | refused 2 m.yaml:5:34 'there is no file `nothing`' 'relative to the file'
boots cut.gz | refused 2 m.yaml:5:34 'is truncated: its gzip stream' 'copied or downloaded'
boots cut.elf | refused 2 m.yaml:5:34 'is truncated' 'copied or downloaded'
ln -s "$lathe" other.elf
boots other.elf | refused 2 m.yaml:5:34 'is for .*, and the board is riscv64' ''

# An ELF header and one segment of nothing: elf CLASS DATA [MACHINE] (octal), for RISC-V or another.
elf() {
    of=${3:-363}
    printf '\177ELF\00'"$1"'\00'"$2"'\001\0\0\0\0\0\0\0\0\0'
    case $2 in
    1) printf '\002\0\'"$of"'\0\001\0\0\0' ;;
    2) printf '\0\002\0\'"$of"'\0\0\0\001' ;;
    esac
    case $1$2 in
    22) printf '\0\0\0\0\200\0\0\0\0\0\0\0\0\0\0\100\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\070\0\001\0\0\0\0\0\0'
        printf '\0\0\0\001\0\0\0\005\0\0\0\0\0\0\0\0\0\0\0\0\200\0\0\0\0\0\0\0\200\0\0\0'
        printf '\0\0\0\0\0\0\0\100\0\0\0\0\0\0\0\100\0\0\0\0\0\0\0\020' ;;
    11) printf '\0\0\0\200\064\0\0\0\0\0\0\0\0\0\0\0\064\0\040\0\001\0\0\0\0\0\0\0'
        printf '\001\0\0\0\0\0\0\0\0\0\0\200\0\0\0\200\100\0\0\0\100\0\0\0\005\0\0\0\020\0\0\0' ;;
    esac
    head -c 256 /dev/zero
}
elf 2 2 > big-endian.elf
elf 1 1 > narrow.elf
{ printf '\0\0\0\024'; head -c 12 /dev/zero; printf '\0\0\001\0\0\0\0\0'; head -c 32 /dev/zero
  printf 'ARM\144\0\0\0\0'; head -c 448 /dev/zero; } > arm64
boots big-endian.elf | refused 2 m.yaml:5:34 'riscv64, 64-bit, big-endian, and the board is riscv64' 'lathe list boards'
boots narrow.elf | refused 2 m.yaml:5:34 'is for riscv32, and the board is riscv64' 'build it for riscv64'
printf 'a: b\n' > text.yaml
: > empty
boots text.yaml | refused 2 m.yaml:5:34 'is a text in YAML, not a program' 'a Linux Image, an ELF file'
boots empty | refused 2 m.yaml:5:34 '`empty` is empty' 'copied or downloaded'
boots arm64 | refused 2 m.yaml:5:34 'is for aarch64, and the board is riscv64' 'lathe list boards'
# The same on the other board: Images and ELF files of another machine, class, order.
elf 1 1 050 > arm32.elf
elf 2 2 267 > arm64-big-endian.elf
on_arm() { printf 'boot: { kernel: %s }\n' "$1" | refused 2 m.yaml:5:17 "$2" "$3" --set board=arm-virt@1; }
on_arm small 'is for riscv, and the board is aarch64' 'lathe list boards'
on_arm narrow.elf 'is for riscv32, and the board is aarch64' 'build it for aarch64'
on_arm arm32.elf 'is for .*arm.*, and the board is aarch64' 'build it for aarch64'
on_arm arm64-big-endian.elf 'aarch64, 64-bit, big-endian, and the board is aarch64' ''
overlay() { printf 'boot: { firmware: small, kernel: small, fdt-overlay: %s }\n' "$1"; }
overlay small | refused 2 m.yaml:5:54 'is a kernel, not a device tree' '`boot.kernel`'
! command -v dtc > /dev/null || {
    printf '/dts-v1/;\n/plugin/;\n/ { fragment@0 { target-path = "/nowhere"; __overlay__ { x = <1>; }; }; };\n' |
        dtc -@ -q -O dtb -o nowhere.dtbo -
    overlay nowhere.dtbo | refused 2 m.yaml:5:54 'the overlay .* does not apply: FDT_ERR_' 'target-path'
    printf '/dts-v1/;\n/plugin/;\n&label { x = <1>; };\n' | dtc -@ -q -O dtb -o label.dtbo -
    overlay label.dtbo | refused 2 m.yaml:5:54 'the overlay .* does not apply: FDT_ERR_' 'dtc -@'
}
printf '\157\0\0\0' > flash
truncate -s 65M flash
printf 'boot: { firmware: flash }\n' |
    refused 2 m.yaml:5:19 'has 68157440 bytes, and at 0x0 there is memory for 67108864' 'must fit' --set board=arm-virt@1
boots huge | refused 2 m.yaml:5:34 'and RAM is from 0x80000000 to 0x83ffffff' 'or more'
boots small | refused 2 --set:1:12 'no CPU model `z80`' 'it takes: rv64' --set cpus.model=z80
boots small | refused 2 --set:1:12 'at least one CPU' cpus.count=0 --set cpus.count=0
boots small | refused 2 --set:1:12 'room for 8 CPUs' cpus.count=9 --set cpus.count=9
[ "$(awk '/MemTotal/ {print $2}' /proc/meminfo)" -gt 190000000 ] ||
    boots small | refused 3 --set:1:8 'more memory than this host' memory=200GiB --set memory=200GiB

drive() { boots small; printf 'drives:\n  root: { file: %s, format: raw, cache: directsync }\n' "$1"; }
drive nothing.img | refused 2 m.yaml:7:17 'nothing.img' ''

# Another lathe has the disk: it is named, with its process.
{ printf 'lathe: machine/v1\nname: t\nboard: riscv-virt@1\nmemory: 64MiB\n'; drive disk.img; } > other.yaml
"$lathe" run other.yaml < /dev/null > other.log 2>&1 &
other=$!
tries=0
until grep -qs '^lock:' /proc/$other/fdinfo/* || [ $tries -ge 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
drive disk.img | refused 3 m.yaml:7:17 "is in use by process $other (lathe)" 'end the other one'
kill $other
wait $other 2>/dev/null || true

# A file system without O_DIRECT; mounting one takes root.
mkdir plain
if mount -t ramfs none plain 2>/dev/null; then
    truncate -s 1M plain/disk.img
    drive plain/disk.img | refused 3 m.yaml:7:53 'ramfs) that cannot do O_DIRECT' 'cache: writeback or writethrough'
fi

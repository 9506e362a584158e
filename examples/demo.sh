#!/bin/sh
# make demo: fetches a guest, boots examples/debian-$GUEST.yaml and checks what it wrote on its disk.
# make shell (--shell): the same machine, leaving one in the guest's shell. GUEST: arm64 (the default) or riscv64.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
name=${GUEST:-arm64}
guest=build/guests/$name
disk=$guest/disk.img
machine=examples/debian-$name.yaml

sh tests/guest/debian.sh "$name"
truncate -s 0 "$disk"
truncate -s 64M "$disk"
mke2fs -q -t ext4 -F "$disk"

if [ "${1:-}" = --shell ]; then
    exec "$build/lathe" run "$machine" --set boot.cmdline="$(sed -n 's/ *cmdline: \(.*\)lathe.do=demo/\1/p' "$machine")lathe.do=shell"
fi

fail() {
    echo "demo: $*" >&2
    exit 1
}

started=$(date +%s%N)
{ "$build/lathe" run "$machine" && echo "@exit 0"; } < /dev/null | tee "$guest/demo.log"
took=$((($(date +%s%N) - started) / 1000000))

echo
grep -q '^@exit 0' "$guest/demo.log" || fail "lathe did not end with 0"
grep -o '@uname .*' "$guest/demo.log" | sed 's/@uname /guest:           /' || fail "the guest did not reach its init"
grep -o '@write_cache .*' "$guest/demo.log" | sed 's/@write_cache /its write cache: /'
written=$(debugfs -R 'cat /hello' "$disk" 2>/dev/null)
[ "$written" = "written by the guest" ] || fail "the file that the guest wrote is not on $disk"
echo "on its disk:     $written"
echo "from start to power-off: $((took / 1000)).$(printf %03d $((took % 1000))) s"

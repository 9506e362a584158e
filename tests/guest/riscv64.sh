#!/bin/sh
# Prepares Debian 13's riscv64 guest in $GUESTS/riscv64 (GUESTS: build/guests), once:
#   Image  the kernel       initrd.gz  busybox and modules       fw_dynamic.bin  OpenSBI
# Exit status: 0 there; 3 could not be fetched (said on stderr).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
GUESTS=${GUESTS:-build/guests}
export GUESTS
out=$GUESTS/riscv64
mkdir -p "$out"

newer() {       # newer FILE: is it there, and newer than what makes it?
    [ -f "$1" ] && [ "$1" -nt "$here/init" ] && [ "$1" -nt "$here/initramfs.sh" ]
}

if ! newer "$out/initrd.gz" || [ ! -f "$out/Image" ] || [ ! -f "$out/fw_dynamic.bin" ]; then
    packages=$(sh "$here/fetch.sh" riscv64 trixie 'linux-image-6.*-riscv64' busybox-static)
    kernel=$(echo "$packages" | head -n 1)
    busybox=$(echo "$packages" | tail -n 1)
    firmware=$(sh "$here/fetch.sh" all bookworm opensbi)
    cp "$kernel"/boot/vmlinu[xz]-* "$out/Image"
    cp "$firmware/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin" "$out/"
    sh "$here/initramfs.sh" "$busybox" "$kernel" "$out/initrd.gz"
fi

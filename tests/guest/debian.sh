#!/bin/sh
# Prepares a Debian guest in $GUESTS/NAME (GUESTS: build/guests), once; NAME is a line of the table below:
#   Image     the kernel                  initrd.gz       busybox and modules
#   kernel    its package's folder        fw_dynamic.bin  OpenSBI, for RISC-V
#   busybox   busybox's
# Exit status: 0 there; 2 no such guest; 3 could not be fetched (said on stderr).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
GUESTS=${GUESTS:-build/guests}
export GUESTS
name=$1
case $name in
riscv64)        arch=riscv64 suite=trixie   kernel='linux-image-6.*-riscv64' ;;
arm64)          arch=arm64   suite=bookworm kernel='linux-image-6.1.0-*-arm64' ;;
arm64-cloud)    arch=arm64   suite=bookworm kernel='linux-image-6.1.0-*-cloud-arm64' ;;
arm64-rt)       arch=arm64   suite=bookworm kernel='linux-image-6.1.0-*-rt-arm64' ;;
arm64-trixie)   arch=arm64   suite=trixie   kernel='linux-image-6.*-arm64' ;;
*)
    echo "debian.sh: no guest named '$name'" >&2
    exit 2 ;;
esac
out=$GUESTS/$name
mkdir -p "$out"

newer() {       # newer FILE: is it there, and newer than what makes it?
    [ -f "$1" ] && [ "$1" -nt "$here/init" ] && [ "$1" -nt "$here/initramfs.sh" ]
}

there() {       # there FILE: is the folder that it names there? A checkout may have moved.
    [ -d "$(cat "$1" 2>/dev/null)" ]
}

if [ $arch = riscv64 ] && [ ! -f "$out/fw_dynamic.bin" ]; then
    firmware=$(sh "$here/fetch.sh" all bookworm opensbi)
    cp "$firmware/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin" "$out/"
fi
if ! newer "$out/initrd.gz" || [ ! -f "$out/Image" ] || ! there "$out/kernel" || ! there "$out/busybox"; then
    sh "$here/fetch.sh" $arch $suite "$kernel" > "$out/kernel"
    sh "$here/fetch.sh" $arch $suite busybox-static > "$out/busybox"
    cp "$(cat "$out/kernel")"/boot/vmlinu[xz]-* "$out/Image"
    sh "$here/initramfs.sh" "$(cat "$out/busybox")" "$(cat "$out/kernel")" "$out/initrd.gz"
fi

#!/bin/sh
# Makes a guest's initramfs from unpacked Debian packages.
#   sh tests/guest/initramfs.sh BUSYBOX KERNEL_PACKAGE OUT [PROGRAM...]
#   BUSYBOX          the folder of busybox-static       KERNEL_PACKAGE   the folder of linux-image-*
#   OUT              the archive (newc cpio, gzip'd)    PROGRAM          further files for /bin
# /init is tests/guest/init. The kernel modules of $MODULES come along with all that they depend on, in an
# order in which insmod takes them (/modules/order).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
busybox=$1 kernel=$2 out=$3
shift 3
modules=${MODULES:-virtio_mmio virtio_blk virtio-rng virtio_balloon virtio_console crc32c_generic ext4 rtc-pl031 gpio_keys evdev}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/modules" "$root/mnt" "$root/tmp"
cp "$(find "$busybox" -path '*/bin/busybox' -type f | head -n 1)" "$root/bin/busybox"
for program in "$@"; do cp "$program" "$root/bin/"; done
cp "$here/init" "$root/init"
chmod 755 "$root/init" "$root/bin/"*

add_module() {      # add_module NAME: once, after what it depends on; one that is built in has no file
    name=$(echo "$1" | tr - _)
    [ ! -e "$root/modules/$name.ko" ] || return 0
    file=$(find "$kernel" -name "$name.ko*" -o -name "$(echo "$name" | tr _ -).ko*" | head -n 1)
    [ -n "$file" ] || return 0
    case $file in
    *.xz) xz -dc "$file" ;;
    *.gz) gzip -dc "$file" ;;
    *) cat "$file" ;;
    esac > "$root/modules/$name.ko"
    for needed in $(tr '\0' '\n' < "$root/modules/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
        (add_module "$needed")
    done
    echo "$name" >> "$root/modules/order"
}
: > "$root/modules/order"
for module in $modules; do add_module "$module"; done

(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | gzip -1 > "$out.new"
mv "$out.new" "$out"

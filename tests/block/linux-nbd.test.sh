#!/bin/sh
# Linux's own NBD driver, with Debian's nbd-client, against `lathe nbd`: a guest of QEMU that has a network mounts
# a file system that is in a qcow2 here, over several connections. With LONG=1.
[ "${LONG:-}" = 1 ] || { echo "takes some minutes: LONG=1 runs it"; exit 77; }
for program in qemu-system-aarch64 qemu-img mke2fs e2fsck cpio; do
    command -v $program >/dev/null || { echo "$program is missing"; exit 77; }
done
build=${BUILD:-build}
lathe=$PWD/$build/lathe port=$((12000 + $$ % 20000))
sh tests/guest/debian.sh arm64 || { echo "the guest arm64 cannot be fetched here"; exit 77; }
guest=$PWD/build/guests/arm64
packages=$(sh tests/guest/fetch.sh arm64 bookworm nbd-client libc6 libnl-3-200 libnl-genl-3-200 libgnutls30 libp11-kit0 \
    libidn2-0 libunistring2 libtasn1-6 libnettle8 libhogweed6 libgmp10 libffi8) || { echo "nbd-client cannot be fetched here"; exit 77; }
dir=$(mktemp -d) server= machine=
trap '[ -z "$server" ] || kill $server 2>/dev/null; [ -z "$machine" ] || kill $machine 2>/dev/null; rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*"; tail -n 30 "$dir/log" 2>/dev/null; exit 1; }

# What is added to the guest's initramfs: an archive behind another one adds to it.
root=$dir/root
mkdir -p "$root/lib" "$root/bin"
for folder in $packages; do
    cp -L $(find "$folder" -name '*.so*' -path '*lib*' ! -name '*.py') "$root/lib/" 2>/dev/null
    cp $(find "$folder" -name nbd-client -path '*sbin*' -type f) "$root/bin/" 2>/dev/null
done
[ -x "$root/bin/nbd-client" ] || fail "no nbd-client"
cat > "$root/init" <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin LD_LIBRARY_PATH=/lib
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev 2>/dev/null
for module in \$(cat /modules/order); do insmod /modules/\$module.ko 2>/dev/null; done
ifconfig lo 127.0.0.1 up; ifconfig eth0 10.0.2.15 up
nbd-client -C 4 -N disk 10.0.2.2 $port /dev/nbd0 && echo "@connected"
echo "@size \$(cat /sys/block/nbd0/size)"
mount -t ext4 -o discard /dev/nbd0 /mnt && echo "@mounted"
yes new | head -c 8000000 > /mnt/new; cp -r /modules /mnt/; rm /mnt/big; sync
echo 3 > /proc/sys/vm/drop_caches
echo "@same \$(sha256sum < /mnt/new | cut -c1-16) \$(sha256sum < /mnt/old | cut -c1-16)"
fstrim /mnt && echo "@trimmed"
umount /mnt && echo "@unmounted"
nbd-client -d /dev/nbd0 && echo "@disconnected"
poweroff -f
END
chmod 755 "$root/init"
MODULES='virtio_mmio virtio_net nbd crc32c_generic ext4' sh tests/guest/initramfs.sh "$(cat "$guest/busybox")" \
    "$(cat "$guest/kernel")" "$dir/initrd.gz" || fail "initramfs"
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >> "$dir/initrd.gz"

# The disk: ext4, with something that stays and something that goes.
mkdir "$dir/files"
head -c 3000000 /dev/urandom > "$dir/files/old"
head -c 8000000 /dev/urandom > "$dir/files/big"
mke2fs -q -t ext4 -d "$dir/files" "$dir/raw" 128M > /dev/null || fail "mke2fs"
"$lathe" img convert -q -f raw -O qcow2 "$dir/raw" "$dir/disk" || fail "convert"
before=$(stat -c %b "$dir/disk")
"$lathe" nbd --listen 127.0.0.1:$port disk="$dir/disk" > "$dir/nbd" 2>&1 &
server=$!
until grep -q ^listening "$dir/nbd"; do kill -0 $server 2>/dev/null || fail "$(cat "$dir/nbd")"; sleep 0.05; done

timeout 600 qemu-system-aarch64 -M virt -cpu cortex-a57 -m 512 -nographic -no-reboot -nodefaults -serial stdio \
    -kernel "$guest/Image" -initrd "$dir/initrd.gz" -append 'console=ttyAMA0 panic=-1' -netdev user,id=n \
    -device virtio-net-device,netdev=n < /dev/null > "$dir/log" 2>&1 &
machine=$!
wait $machine || fail "the machine ended with $?"
machine=
tr -d '\r' < "$dir/log" > "$dir/said"
new=$(yes new | head -c 8000000 | sha256sum | cut -c1-16)
for line in @connected "@size 262144" @mounted "@same $new $(sha256sum < "$dir/files/old" | cut -c1-16)" @trimmed \
        @unmounted @disconnected; do
    grep -qxF "$line" "$dir/said" || fail "the guest did not say '$line'"
done
kill -TERM $server
wait $server || fail "the server ended with $?"
server=
qemu-img check -q "$dir/disk" || fail "qemu-img check"
qemu-img convert -f qcow2 -O raw "$dir/disk" "$dir/after" && e2fsck -fn "$dir/after" > "$dir/fsck" 2>&1 ||
    fail "the file system: $(cat "$dir/fsck")"
"$lathe" img map "$dir/disk" > /dev/null || fail "map"
echo "blocks of the host: $before before, $(stat -c %b "$dir/disk") after"
exit 0

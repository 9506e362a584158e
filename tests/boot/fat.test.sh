# A guest's Linux writes to a folder that is shown as a FAT disk: the folder is then what the guest made of it.
. tests/boot/lib.sh
guest arm64
command -v cpio >/dev/null 2>&1 || skip "cpio is not installed"

mkdir -p "$work/init" "$work/share/old folder/deep" "$work/tmp"
export TMPDIR="$work/tmp"
cat > "$work/init/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
for module in $(cat /modules/order); do insmod /modules/$module.ko 2>/dev/null; done
tries=0
while [ ! -b /dev/vda1 ] && [ $tries -lt 100 ]; do usleep 20000; tries=$((tries + 1)); done
mount -t vfat /dev/vda1 /mnt || echo "@no mount"
cd /mnt
cat "old folder/a long name.text" && echo "by the guest" >> "old folder/a long name.text"
rm "old folder/gone.txt"
mv "old folder/deep" "new folder"
mkdir -p a/b/c
seq 200000 > "a/b/c/Numbers of many lines"
sync
echo "@synced"
for i in $(seq 60); do echo $i > "a/file number $i"; done
rm -r a/b
grep -q end=clean /proc/cmdline && cd / && umount /mnt && echo "@unmounted"
[ -d /mnt/a ] && sync && echo "@left mounted"
poweroff -f
INIT
chmod 755 "$work/init/init"
MODULES="virtio_mmio virtio_blk nls_cp437 nls_ascii fat vfat" \
    sh tests/guest/initramfs.sh "$(cat "$guest/busybox")" "$(cat "$guest/kernel")" "$work/initrd.gz"
(cd "$work/init" && echo init | cpio --quiet -o -H newc -R 0:0 | gzip) >> "$work/initrd.gz"

for end in clean sudden; do
    rm -rf "$work/share"; mkdir -p "$work/share/old folder/deep"
    echo "by the host" > "$work/share/old folder/a long name.text"
    echo bye > "$work/share/old folder/gone.txt"
    echo deep > "$work/share/old folder/deep/Deeper.Text"
    machine x <<'MACHINE'
drives:
  share: { file: "fat:rw:share", format: raw }
MACHINE
    run 180 0 --set "boot.initrd=$work/initrd.gz" --set "boot.cmdline=console=$console panic=-1 end=$end"
    says "@synced"
    case $end in clean) says "@unmounted" ;; *) says "@left mounted" ;; esac
    [ "$(cat "$work/share/old folder/a long name.text")" = "by the host
by the guest" ] || fail "$end: a file that was added to"
    [ ! -e "$work/share/old folder/gone.txt" ] || fail "$end: a file that was removed"
    [ "$(cat "$work/share/new folder/Deeper.Text")" = deep ] || fail "$end: a folder with a new name"
    [ ! -e "$work/share/old folder/deep" ] || fail "$end: the old name of a folder"
    [ "$(cat "$work/share/a/file number 60")" = 60 ] || fail "$end: a new file"
    [ "$(ls "$work/share/a" | wc -l)" = 60 ] || fail "$end: what was made and removed"
    [ -z "$(ls "$work/tmp")" ] || fail "$end: a disk was saved, though all of it was taken"
done

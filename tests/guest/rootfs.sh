#!/bin/sh
# Makes the disk of a Debian 12 system for the guest NAME (tests/guest/debian.sh), once:
#   sh tests/guest/rootfs.sh arm64          writes $GUESTS/arm64/root.img (GUESTS: build/guests)
# The packages are fetched and unpacked here; what they do at their installation (the second stage) runs in the
# guest, on lathe itself, so that the host needs no binfmt handler and no emulator of its own.
# PACKAGES in the environment adds to those that tests want. Needs debootstrap, and root or fakeroot.
# Exit status: 0 there; 3 could not be made (said on stderr).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=$1
GUESTS=${GUESTS:-build/guests}
lathe=${LATHE:-${BUILD:-build}/lathe}
export GUESTS
out=$GUESTS/$name
packages=systemd-sysv,udev,dbus,python3,gcc,libc6-dev,openssl,stress-ng${PACKAGES:+,$PACKAGES}

fail() {
    echo "rootfs: $*" >&2
    exit 3
}

case $name in
arm64*) arch=arm64 board=arm-virt@1 console=ttyAMA0 ;;
*) fail "no root file system is made for '$name'" ;;
esac
[ ! -f "$out/root.img" ] || exit 0
sh "$here/debian.sh" "$name"
command -v debootstrap >/dev/null 2>&1 || fail "needs debootstrap:  sudo apt-get install -y debootstrap"
as_root=
[ "$(id -u)" = 0 ] || as_root=fakeroot
[ -z "$as_root" ] || command -v fakeroot >/dev/null 2>&1 || fail "needs root, or fakeroot:  sudo apt-get install -y fakeroot"

# What happens in the guest, with the disk as its root; the last line is what this script waits for.
second_stage() {
    cat <<'GUEST'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C DEBIAN_FRONTEND=noninteractive
mount -t proc proc /proc
mount -t sysfs sysfs /sys
if /debootstrap/debootstrap --second-stage; then
    passwd -d root
    echo lathe > /etc/hostname
    echo '/dev/vda / ext4 errors=remount-ro 0 1' > /etc/fstab
    rm -rf /second-stage /var/cache/apt/archives/*.deb
    echo '@second-stage done'
else
    tail -n 20 /debootstrap/debootstrap.log
fi
sync
mount -t proc proc /proc        # debootstrap has taken it away
echo s > /proc/sysrq-trigger
echo u > /proc/sysrq-trigger
echo o > /proc/sysrq-trigger
sleep 100
GUEST
}

# In one process, so that fakeroot's owners last until mke2fs reads them.
export tree="$out/root" here packages arch out
trap 'rm -rf "$tree"' EXIT
rm -rf "$tree"
second_stage > "$out/second-stage"
mirror=$(sh "$here/fetch.sh" --mirror)
echo "fetching the packages of a Debian 12 system ($arch)" >&2
$as_root sh -eu -c '
    debootstrap --foreign --variant=minbase --arch=$arch --include=$packages bookworm "$tree" "$0" >&2
    install -m 755 "$out/second-stage" "$tree/second-stage"
    install -D -m 755 "$here/root-check" "$tree/usr/local/sbin/root-check"
    rm -f "$out/root.new"
    mke2fs -q -t ext4 -d "$tree" "$out/root.new" 2G' "$mirror" || fail "the packages could not be fetched and unpacked"

cat > "$out/second-stage.yaml" <<MACHINE
lathe: machine/v1
name: second-stage
board: $board
memory: 1GiB
boot:
  kernel: Image
  initrd: initrd.gz
  cmdline: console=$console panic=-1 lathe.do=root lathe.init=/second-stage
drives:
  root: { file: root.new, format: raw, cache: unsafe }
MACHINE
echo "installing them in the guest" >&2
"$lathe" run "$out/second-stage.yaml" < /dev/null > "$out/second-stage.log" 2>&1 &&
    grep -q '^@second-stage done' "$out/second-stage.log" || {
    tail -n 20 "$out/second-stage.log" >&2
    fail "the second stage failed; all of it is in $out/second-stage.log"
}
mv "$out/root.new" "$out/root.img"

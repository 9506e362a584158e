#!/bin/sh
# Programs that only tests use: judges of what lathe makes (qemu-img ...) and makers of guests. Installs
# what is missing when that needs no password; a test that lacks one all the same is skipped and says so.
set -u
tools='qemu-img:qemu-utils qemu-riscv64-static:qemu-user-static aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
riscv64-linux-gnu-gcc:gcc-riscv64-linux-gnu
debootstrap:debootstrap mcopy:mtools fiptool:arm-trusted-firmware-tools fsck.fat:dosfstools cryptsetup:cryptsetup-bin zsh:zsh fish:fish mandoc:mandoc python3:python3 strace:strace nbdinfo:libnbd-bin nbdkit:nbdkit tgtd:tgt
/usr/sbin/sshd:openssh-server socat:socat openssl:openssl ps:procps file:file mkfs.btrfs:btrfs-progs cpio:cpio virt-xml-validate:libvirt-clients'
modules='yaml:python3-yaml jsonschema:python3-jsonschema'

missing=$({
    for pair in $tools; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair##*:}"
    done
    for pair in $modules; do
        python3 -c "import ${pair%%:*}" 2>/dev/null || echo "${pair##*:}"
    done
} | sort -u | tr '\n' ' ')
[ -n "$missing" ] || exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root='sudo -n'
if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || $as_root true 2>/dev/null; }; then
    { $as_root apt-get update -qq &&
      $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
        > "${BUILD:-build}/tools.log" 2>&1 && exit 0
fi
echo "tests: some will be skipped; for all of them:  sudo apt-get install -y $missing"

#!/bin/sh
# What is wrong with a translation is said of the command line, with the option underlined.
#   sh tests/config/legacy/blame.test.sh
lathe=$PWD/${BUILD:-build}/lathe
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
truncate -s 1M d.img

says() {   # says UNDERLINED TEXT ARGUMENT...: the caret stands under that, the message has that text
    underlined=$1 text=$2
    shift 2
    timeout 20 "$lathe" run --qemu -- "$@" > said 2>&1 < /dev/null
    [ $? = 2 ] || { echo "accepted: $*"; failed=1; }
    place=$(grep -oE 'command line:1:[0-9]+: error' said | head -1 | cut -d: -f3)
    [ "$(echo "$*" | cut -c"${place:-1}"- | cut -c1-${#underlined})" = "$underlined" ] && grep -qF -- "$text" said ||
        { echo "not under \`$underlined\`, or no \`$text\`:"; cat said; failed=1; }
}

virt='qemu-system-riscv64 -M virt -bios none'
says '-smp 99' 'has room for 8 CPUs' $virt -smp 99 -kernel d.img
says '-kernel nosuch' 'no file `nosuch`' $virt -m 100 -kernel nosuch -smp 2
says '-initrd nosuch' 'no file `nosuch`' $virt -kernel d.img -initrd nosuch
says 'd.img,format=qcow2' 'not in qcow2 format' $virt -kernel d.img -drive if=none,id=d,file=d.img,format=qcow2
says 'qemu-system-sparc' 'needs the key `board`' qemu-system-sparc -hda d.img
exit $failed

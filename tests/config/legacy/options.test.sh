#!/bin/sh
# Every option that an installed QEMU lists is known, with an argument or without as there.
#   sh tests/config/legacy/options.test.sh
lathe=$PWD/${BUILD:-build}/lathe
failed=0
asked=0

for program in qemu-system-x86_64 qemu-system-aarch64 qemu-system-riscv64 qemu-system-ppc64 qemu-system-sparc \
    qemu-system-s390x qemu-system-m68k; do
    command -v $program > /dev/null || continue
    # "-fda/-fdb file", "-h or -help", "-S              freeze": the names, and whether something follows.
    for option in $($program -help | sed -nE 's/^(-[A-Za-z0-9_-]+)((\/| or )(-[A-Za-z0-9_-]+))?.*/\1 \4/p' | sort -u); do
        asked=$((asked + 1))
        "$lathe" translate qemu -- $program "$option" 2>&1 < /dev/null | grep -q 'is no option' &&
            { echo "$program: $option is not known"; failed=1; }
    done
done
[ $asked -gt 0 ] || { echo "options: no QEMU is installed"; exit 77; }

"$lathe" translate qemu -- qemu-system-x86_64 -drvie file=a 2>&1 | grep -q 'did you mean `-drive`' ||
    { echo "no \`did you mean\` for -drvie"; failed=1; }
exit $failed

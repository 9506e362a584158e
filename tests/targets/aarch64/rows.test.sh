# What random programs have at EL0 only, at EL1 (tests/guest/bare/arm64/rows.c): on both hosts as QEMU 7.2 does it, and as QEMU here.
. tests/guest/bare/arm64/lib.sh

compile rows 0x40080000 start.S -march=armv8.5-a
machine 1 max
on_lathe rows
on_qemu rows rows '' gic-version=3 max 1 -kernel "$work/program.elf"

#!/bin/sh
# Prints build/gen/tables.c: the lists of everything that is declared by a macro at the start of a line.
#   sh src/core/mktables.sh SOURCE...
# Each list ends with NULL and is in the order of the names, so that nothing depends on link order.
set -eu

# table MACRO TYPE SUFFIX LIST HEADER
table() {
    ids=$(sed -n "s/^$1(\([A-Za-z0-9_]*\)).*/\1/p" $sources | LC_ALL=C sort)
    [ -n "$ids" ] || [ -f "src/$5" ] || return 0
    printf '\n#include "%s"\n' "$5"
    for id in $ids; do echo "extern const $2 ${id}_$3;"; done
    echo "const $2 *const $4[] = {"
    for id in $ids; do echo "    &${id}_$3,"; done
    echo "    NULL,"
    echo "};"
}

sources=$*
echo "/* Made by src/core/mktables.sh from the sources; do not edit. */"
echo "#include <stddef.h>"
table DEVICE_CLASS DeviceClass device_class device_classes core/device.h
table BLOCK_DRIVER BlockDriver block_driver block_drivers block/block.h
table ISA          Isa         isa          isas           targets/isa.h
table HOST         Host        host         hosts          tcg/host.h
table VERB         Verb        verb         verbs          cli/cli.h

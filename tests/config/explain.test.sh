#!/bin/sh
# `lathe explain` knows every code, every key of a drive, and every device type.
lathe=$PWD/${BUILD:-build}/lathe
status=0

fail() {
    echo "$*"
    status=1
}

for code in $(sed -n 's/^E([A-Z_0-9]*, \([0-9]*\),.*/E\1/p' src/core/diag-codes.h); do
    "$lathe" explain "$code" | grep -q "^$code  [a-z-]*$" || fail "$code is not explained"
done
for type in $("$lathe" list devices | cut -d' ' -f1); do
    "$lathe" explain "$type" | grep -q "^$type    map$" || fail "$type is not explained"
done
"$lathe" explain drives.cache | grep -q '^drives.NAME.cache    writeback | none | writethrough' ||
    fail "the words of cache are not listed"
"$lathe" explain drives.root.cache | grep -q 'directsync   | no ' || fail "the table of promises is not shown"
"$lathe" explain drives.root.aio | grep -q 'The guest cannot tell' || fail "aio is not marked as hidden"
"$lathe" explain drives.root.serial | grep -q 'The guest cannot tell' && fail "serial is marked as hidden"
"$lathe" explain cpus.max | grep -q 'Most CPUs' || fail "a key of the board is taken for a name"
for cpu in $("$lathe" list cpus | cut -d' ' -f1); do
    "$lathe" explain "$cpu" | grep -q "^$cpu    CPU model$" || fail "$cpu is not explained"
done
for board in $("$lathe" list boards | cut -d' ' -f1); do
    "$lathe" explain "$board" | grep -q "^$board    board [0-9.]*, [a-z0-9]*$" || fail "$board is not explained"
done
"$lathe" explain arm-virt@1 | grep -q '^    levels  *el1 | el2 | el3 | el2-el3; default el1$' || fail "options of a board"
"$lathe" explain levels | grep -q '^levels    option of arm-virt    el1 ' || fail "an option alone"
"$lathe" explain lse | grep -q '^lse    feature of aarch64 CPUs$' || fail "a feature"
"$lathe" explain x-libvirt | grep -q 'lathe translate' || fail "x-libvirt is not explained"
"$lathe" explain slots.virtio.bus | grep -q 'no other value is right' || fail "a value that is said twice"
# Every path of the manual pages, which are made from the schemas.
for page in machine board; do
    for path in $("$lathe" explain --man $page | sed -n 's/^\.BR \([a-z][^ ]*\) ".*/\1/p' | sed 's/\\//g' | sort -u); do
        "$lathe" explain "$path" >/dev/null 2>&1 || fail "$path is not explained"
    done
done
"$lathe" explain drivse 2>&1 | grep -q 'did you mean `drives`' || fail "no suggestion for drivse"
"$lathe" explain nothing-like-this >/dev/null 2>&1
[ $? = 2 ] || fail "an unknown word must end with 2"
exit $status

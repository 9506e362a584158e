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
"$lathe" explain drivse 2>&1 | grep -q 'did you mean `drives`' || fail "no suggestion for drivse"
"$lathe" explain nothing-like-this >/dev/null 2>&1
[ $? = 2 ] || fail "an unknown word must end with 2"
exit $status

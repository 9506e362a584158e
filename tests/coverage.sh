#!/bin/sh
# make coverage: runs tests with a debug build, and says which rows of the decode tables, of the interpreter and of
# the host's table no test reached. ONLY=pattern picks tests, as for make check. tests/coverage.skip has the rows
# that no test can reach, with the reason.
# Exit status: 1 when a test failed or there are rows that nothing reached.
set -u
build=${BUILD:-build/debug}
log=$PWD/$build/coverage.log
: > "$log"
LATHE_COVERAGE=$log BUILD=$build sh tests/run.sh "$@"
passed=$?
awk '
FILENAME ~ /skip$/ { if ($1 !~ /^#/ && NF) skip[$1 " " $2] = 1; next }
{ key = $1 " " $2; table[key] = $1; name[key] = $3; if ($4) reached[key] = 1 }
END {
    for (key in name) {
        all[table[key]]++
        if (reached[key] || (table[key] " " name[key]) in skip) done[table[key]]++
        else print "not reached: " table[key] " " name[key] " (row " substr(key, index(key, " ") + 1) ")"
    }
    for (t in all) print t ": " done[t] " of " all[t] " rows"
}' tests/coverage.skip "$log" | sort > "$log.out"
cat "$log.out"
[ $passed = 0 ] && ! grep -q '^not reached' "$log.out"

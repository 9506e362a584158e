#!/bin/sh
# mkdecode says what is wrong with a table, and where: tests/tcg/mkdecode/NAME.decode + NAME.err. An empty .err:
# the table is right, and the decoder made of it compiles.
#   BLESS=1: writes the .err files anew
build=${BUILD:-build}
cases=$(dirname "$0")/mkdecode
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$cases"/*.rows "$work"
failed=0

for decode in "$cases"/*.decode; do
    name=$(basename "$decode" .decode)
    cp "$decode" "$work/$name.decode"
    (cd "$work" && "$OLDPWD/$build/mkdecode" "$name.decode" "$name.gen" 2>"$name.err")
    [ -z "${BLESS:-}" ] || cp "$work/$name.err" "$cases/$name.err"
    if ! diff -u "$cases/$name.err" "$work/$name.err"; then
        failed=1
    elif [ ! -s "$work/$name.err" ] && ! ${CC:-cc} -Isrc -fsyntax-only -Wall -Werror "$work/$name.gen.c"; then
        failed=1
    fi
done
exit $failed

#!/bin/sh
# mkdecode says what is wrong with a table, and where: tests/tcg/mkdecode/NAME.decode + NAME.err. An empty .err:
# the table is right, and the decoder made of it compiles, and finds what the table says (decode-rule.h).
#   BLESS=1: writes the .err files anew
build=${BUILD:-build}
cases=$(dirname "$0")/mkdecode
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$cases"/*.rows "$work"
failed=0

# Compiles and runs the decoder of a right table, with translate functions that nobody calls.
finds_rows() {
    prefix=$(sed -n 's/^isa \([a-z]*\) .*/\1/p' "$work/$1.decode")
    sed -n 's/^\(bool .*Translator \*t, const .*)\);$/\1 { return false; }/p' "$work/$1.gen.h" >"$work/translate.h"
    cat >"$work/main.c" <<END
#include "$work/$1.gen.h"
#include "$work/translate.h"
#include "tests/tcg/decode-rule.h"
extern const DecodeTable ${prefix}_decode_table;
int main(void) { return !decode_keeps_rule(&${prefix}_decode_table, 200000); }
END
    # shellcheck disable=SC2046
    ${CC:-cc} -I. -Isrc -Wall -Werror -o "$work/$1" "$work/$1.gen.c" \
        "$work/main.c" tests/tcg/decode-rule.c src/tcg/decode.c $(pkg-config --cflags --libs glib-2.0) &&
        "$work/$1"
}

for decode in "$cases"/*.decode; do
    name=$(basename "$decode" .decode)
    cp "$decode" "$work/$name.decode"
    (cd "$work" && "$OLDPWD/$build/mkdecode" "$name.decode" "$name.gen" 2>"$name.err")
    [ -z "${BLESS:-}" ] || cp "$work/$name.err" "$cases/$name.err"
    if ! diff -u "$cases/$name.err" "$work/$name.err"; then
        failed=1
    elif [ ! -s "$work/$name.err" ] && ! finds_rows "$name"; then
        failed=1
    fi
done
exit $failed

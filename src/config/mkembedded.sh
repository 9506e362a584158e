#!/bin/sh
# Writes the table of config/embedded.h: mkembedded.sh PACKED-FOLDER FILE...
# The assembler takes the files in; a compiler would need a second for so many numbers.
set -e
packed=$1
shift
echo '/* written by mkembedded.sh */'
echo '#include "config/embedded.h"'
printf '%s\n' '__asm__(".section .rodata\n"'
number=0
for file in "$@"; do
    cat <<END
    ".balign 16\nembedded_text_$number: .incbin \"$file\"\n.byte 0\n"
    ".balign 16\nembedded_packed_$number: .incbin \"$packed/$file\"\n"
END
    number=$((number + 1))
done
printf '%s\n' '    ".previous\n");'
number=0
for file in "$@"; do
    echo "extern const char embedded_text_$number[]; extern const uint8_t embedded_packed_$number[];"
    number=$((number + 1))
done
echo 'const Embedded embedded[] = {'
number=0
for file in "$@"; do
    echo "    { \"$file\", embedded_text_$number, $(($(wc -c < "$file"))), embedded_packed_$number },"
    number=$((number + 1))
done
echo '    { 0 },'
echo '};'

#!/bin/sh
# make lint: who may include whom, headers that compile alone, format; and the sizes, as a question.
#   BUILD=... CC=... FLAGS=... sh tests/lint.sh FILE...
# Exit status: 1 when a rule is broken; sizes never break it.
build=${BUILD:-build}
status=0

complain() {
    echo "lint: $*"
    status=1
}

# ---- includes: src/README.md, "Who may include whom" ---------------------------------------------------
may_include() {     # the folders, or single headers, that a file may include from
    case $1 in
    src/core/*)    echo core ;;
    src/config/*)  echo config core ;;
    src/tcg/*)     echo tcg core targets/isa.h ;;
    src/targets/*) echo targets tcg core ;;
    src/block/*)   echo block core ;;
    src/net/*)     echo net core ;;
    src/ui/*)      echo ui core ;;
    src/hw/*)      echo core block/drive.h net/net.h ui/char.h ui/surface.h hw ;;
    src/run/*)     echo run core config tcg block net ui ;;
    *)             echo cli run core config tcg targets block net ui hw tests ;;
    esac
}

for file in "$@"; do
    allowed=$(may_include "$file")
    for header in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file"); do
        fine=no
        for one in $allowed; do
            case $header in "$one" | "$one"/*) fine=yes ;; esac
        done
        [ $fine = yes ] || complain "$file includes $header; it may include: $allowed"
    done
done

# A device may include the header of a bus, never another device.
for file in "$@"; do
    case $file in
    src/hw/*.c)
        own=$(basename "$file" .c)
        for header in $(sed -n 's/^#include "hw\/\([^"]*\)\.h".*/\1/p' "$file"); do
            [ "$(basename "$header")" = "$own" ] || ! grep -q '^DEVICE_CLASS' "src/hw/$header.c" 2>/dev/null ||
                complain "$file includes another device, hw/$header.h"
        done ;;
    esac
done

# ---- headers compile alone; a list that is included many times (no include guard) is no header ------------
for file in "$@"; do
    case $file in
    *.h)
        grep -q '^#ifndef .*_H$' "$file" || continue
        $CC $FLAGS -x c -fsyntax-only "$file" 2>"$build/lint.err" ||
            { complain "$file does not compile alone"; head -n 5 "$build/lint.err"; } ;;
    esac
done

# ---- format ---------------------------------------------------------------------------------------------
if command -v clang-format >/dev/null 2>&1; then
    for file in "$@"; do
        case $file in *.h) grep -q '^#ifndef .*_H$' "$file" || continue ;; esac
        clang-format --dry-run -Werror "$file" 2>/dev/null || complain "$file: clang-format would change it"
    done
else
    echo "lint: clang-format is missing; format not checked"
fi

# ---- sizes: a question to ask when passed, not a wall ---------------------------------------------------
awk '
    FNR == 1 { if (name) files[name] = lines; name = FILENAME; lines = 0; opened = 0 }
    { lines++ }
    /^\{/ { opened = FNR }
    /^\}/ && opened { if (FNR - opened - 1 > 60) printf "size: %s:%d: a function of %d lines\n", FILENAME, opened, FNR - opened - 1; opened = 0 }
    length($0) > 100 { long[FILENAME]++ }
    END {
        files[name] = lines
        for (f in files) {
            limit = f ~ /\.h$/ ? 150 : f ~ /^src\/hw\// ? 400 : 900
            if (files[f] > limit) printf "size: %s: %d lines (%d)\n", f, files[f], limit
        }
        for (f in long) printf "size: %s: %d lines over 100 columns\n", f, long[f]
    }' "$@" | sort

[ $status = 0 ] && echo "lint: fine"
exit $status

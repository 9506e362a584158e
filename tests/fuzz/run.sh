#!/bin/sh
# Runs each fuzz entry (tests/fuzz/*.c) for FUZZ_SECONDS (60), from the corpus beside it and the cases
# of the tests. What it finds is left in build/fuzz/ENTRY/; make a test of it.
#   make fuzz [FUZZ_SECONDS=n] [ONLY=entry]
cd "$(dirname "$0")/../.." || exit 1
build=$PWD/${BUILD:-build}/fuzz
clang=$(command -v clang || ls /usr/bin/clang-[0-9]* 2>/dev/null | tail -1)
[ -n "$clang" ] || { echo "fuzz: clang is needed: apt-get install clang"; exit 1; }

status=0
for source in tests/fuzz/*.c; do
    entry=$(basename "$source" .c)
    case $entry in *"${ONLY:-}"*) ;; *) continue ;; esac
    mkdir -p "$build/$entry/corpus"
    # The folders it says it needs, once more, with coverage and the address sanitizer.
    objects=$build/obj/obj/gen/embedded.o
    for folder in $(sed -n 's/^ \* folders: //p' "$source"); do
        for file in src/"$folder"/*.c; do
            objects="$objects $build/obj/obj/${file#src/}"
        done
    done
    objects=$(echo "$objects" | sed 's/\.c\b/.o/g')
    # shellcheck disable=SC2086  # several words on purpose
    make -s -j2 BUILD="$build/obj" CC="$clang" CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' \
        $objects || exit 1
    rm -f "$build/$entry/all.a"
    # shellcheck disable=SC2086
    ar rcs "$build/$entry/all.a" $objects
    # shellcheck disable=SC2086
    $clang ${FLAGS:--Isrc} -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o "$build/$entry/run" "$source" \
        "$build/$entry/all.a" $LIBS || exit 1
    seeds=
    [ "$entry" = loader ] && seeds="tests/config/cases machines examples"
    [ -d "tests/fuzz/$entry" ] && seeds="$seeds tests/fuzz/$entry"
    echo "fuzz    $entry for ${FUZZ_SECONDS:-60} s"
    # shellcheck disable=SC2086
    ASAN_OPTIONS=detect_leaks=1 "$build/$entry/run" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=5 \
        -rss_limit_mb=1024 -max_len=8192 -print_final_stats=1 -artifact_prefix="$build/$entry/" \
        "$build/$entry/corpus" $seeds >"$build/$entry/log" 2>&1 || status=1
    grep -E 'number_of_executed_units|ERROR|SUMMARY' "$build/$entry/log"
done
exit $status

#!/bin/sh
# Runs each test program and script; prints what failed, and one line of sums at the end.
#   sh tests/run.sh PROGRAM... SCRIPT...      ONLY=pattern: those whose path matches
# A script ends with 0 (passed), 77 (skipped, its last line says why) or anything else (failed).
build=${BUILD:-build}
limit=900
passed=0 failed=0 skipped=0 broken=

# Under sanitizers every program of a test writes its reports here, whatever becomes of its output and its status; and
# what they slow down has one factor: tests/sanitized/timeout is in the way of timeout(1).
reports=
if [ -n "${SAN:-}" ]; then
    mkdir -p "$build/log/reports"
    reports=$(cd "$build/log/reports" && pwd)
    rm -f "$reports"/*
    export ASAN_OPTIONS="log_path=$reports/asan:exitcode=99${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
    export UBSAN_OPTIONS="log_path=$reports/ubsan:exitcode=99:halt_on_error=1:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
    export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
    export TSAN_OPTIONS="log_path=$reports/tsan:suppressions=$PWD/tests/tsan.supp${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
    export SLOW=10 PATH="$PWD/tests/sanitized:$PATH"
fi

# reported LOG: did a sanitizer say something during this test? It goes to the end of its log. Undefined behaviour beside
# `address` is said on stderr whatever its log_path; it ends the program with 99.
reported() {
    [ -n "$reports" ] || return 1
    [ -n "$(ls "$reports")" ] || { grep -q ': runtime error: ' "$1"; return; }
    cat "$reports"/* >> "$1"
    rm -f "$reports"/*
}

for test in "$@"; do
    case $test in *"${ONLY:-}"*) ;; *) continue ;; esac
    log=$build/log/$test.log
    mkdir -p "$(dirname "$log")"
    case $test in
    *.sh)
        CMOCKA_MESSAGE_OUTPUT=stdout timeout $limit sh "$test" >"$log" 2>&1
        status=$?
        ! reported "$log" || status=99
        case $status in
        0)  passed=$((passed + 1)); echo "ok      $test" ;;
        77) skipped=$((skipped + 1)); echo "skip    $test: $(tail -n 1 "$log")" ;;
        *)  failed=$((failed + 1)); broken="$broken $test"; echo "FAILED  $test"; tail -n 40 "$log" ;;
        esac ;;
    *)
        timeout $limit "$test" >"$log" 2>&1
        status=$?
        ! reported "$log" || status=99
        good=$(grep -cE '^\[       OK \]' "$log")
        bad=$(grep -cE '^\[  FAILED  \] [a-z]' "$log")
        skip=$(grep -cE '^\[  SKIPPED \] [a-z]' "$log")
        if [ $status != 0 ]; then
            [ "$bad" -gt 0 ] || bad=1
            broken="$broken $test"
            echo "FAILED  $test (exit status $status)"
            tail -n 60 "$log"
        else
            bad=0
            echo "ok      $test ($good)"
        fi
        passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip)) ;;
    esac
done

[ -z "$broken" ] || echo "failed:$broken"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]

#!/bin/sh
# Rewrites what the tests expect, and shows the difference. Every test that looks at BLESS does its
# own part.
cd "$(dirname "$0")/.." || exit 1
export BLESS=1
for test in $(grep -rlw --include='*.test.sh' --include='*.c' BLESS tests | sort); do
    echo "bless   $test"
    case $test in
    *.c) "${BUILD:-build}/${test%.c}" >/dev/null 2>&1 || echo "bless: $test failed" ;;
    *)   sh "$test" >/dev/null 2>&1 || echo "bless: $test failed" ;;
    esac
done
git --no-pager diff -- tests 2>/dev/null
exit 0

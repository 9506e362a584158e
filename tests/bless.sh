#!/bin/sh
# Rewrites what the tests expect, and shows the difference. Each *.test.sh that knows --bless does
# its own part.
cd "$(dirname "$0")/.." || exit 1
for script in $(grep -rl --include='*.test.sh' -- '--bless' tests | sort); do
    echo "bless   $script"
    sh "$script" --bless >/dev/null || exit 1
done
git --no-pager diff --stat -- tests 2>/dev/null
git --no-pager diff -- tests 2>/dev/null
exit 0

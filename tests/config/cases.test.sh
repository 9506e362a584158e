#!/bin/sh
# What `lathe validate` says of each case, exactly.
#   sh tests/config/cases.test.sh           compares with NAME.err
#   BLESS=1 sh tests/config/cases.test.sh   rewrites them
# A case may begin with a line `# args: ...`: more arguments.
lathe=$PWD/${BUILD:-build}/lathe
cd tests/config/cases || exit 1
failed=0 count=0

say() {     # say CASE: all that validate prints, and how it ends
    arguments=$(sed -n '1s/^# args: //p' "$1")
    set -f
    # shellcheck disable=SC2086  # several words on purpose
    timeout 20 env -u LATHE_PATH -u NO_COLOR "$lathe" validate "$1" $arguments 2>&1
    echo "[exit $?]"
    set +f
}

for case in *.yaml; do
    expected=${case%.yaml}.err
    count=$((count + 1))
    # What the host has is not the same everywhere.
    said=$(say "$case" | sed 's/the host has [0-9]*MiB/the host has NMiB/')
    if [ "${BLESS:-}" ]; then
        printf '%s\n' "$said" > "$expected"
    elif ! printf '%s\n' "$said" | diff -u "$expected" - ; then
        failed=$((failed + 1))
    fi
done
echo "$count cases, $failed differ"
[ $failed = 0 ]

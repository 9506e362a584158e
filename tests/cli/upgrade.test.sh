#!/bin/sh
# upgrade writes new names for old keys, in every file of a machine, and nothing else.
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/path/schemas"
# A schema in which `memory` was once called `ram`.
sed 's|^  memory:$|  ram: { type: string, deprecated: true, x-successor: memory }\n  memory:|' \
    schemas/machine.v1.yaml > "$dir/path/schemas/machine.v1.yaml"
cd "$dir" || exit 1
status=0
fail() { echo "FAILED: $1"; cat said; status=1; }

printf 'lathe: machine/v1\r\nname: m\r\nextends: [base.yaml]\r\n# how much\r\nram:   64MiB  # small\r\n' > m.yaml
printf 'board: riscv-virt@1\n' > base.yaml
sed 's/^ram:/memory:/' m.yaml > expected.yaml
"$lathe" validate --path path m.yaml >said 2>&1 || fail "an old name is refused"
grep -q 'm.yaml:5:1: warning\[W118\]: `ram` is called `memory` now' said || fail "no warning"
"$lathe" map --path path m.yaml 2>&1 | grep -q '^0x80000000  0x83ffffff  ram' || fail "the value is not read"
"$lathe" upgrade --path path m.yaml >said 2>&1 || fail "upgrade"
cmp m.yaml expected.yaml || fail "other bytes"
[ "$("$lathe" upgrade --path path m.yaml)" = "m.yaml is current" ] || fail "not idempotent"
printf 'lathe: machine/v1\n' > bad.yaml
"$lathe" upgrade bad.yaml >said 2>&1
[ $? = 2 ] || fail "a wrong file"
exit $status

#!/bin/sh
# fmt writes files in place, checks, and reads standard input; all files of ours are laid out so.
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
status=0
fail() { echo "$1"; status=1; }

"$lathe" fmt --check machines/*.yaml examples/*.yaml schemas/*.yaml schemas/*/*.yaml ||
    fail "files of the project are not tidy"
cd "$dir" || exit 1
printf 'a:   1\n' > m.yaml
chmod 640 m.yaml
"$lathe" fmt --check m.yaml >said && fail "--check gives 0 for an untidy file"
[ "$(cat said)" = m.yaml ] || fail "--check does not print the name"
[ "$(cat m.yaml)" = 'a:   1' ] || fail "--check wrote the file"
[ "$("$lathe" fmt m.yaml)" = m.yaml ] || fail "the name of a changed file is not printed"
[ "$(cat m.yaml)" = 'a: 1' ] || fail "the file was not written"
[ "$(stat -c %a m.yaml)" = 640 ] || fail "the permissions are others"
[ -z "$("$lathe" fmt m.yaml)" ] || fail "a tidy file was changed"
[ "$(printf 'b: {c: 1}' | "$lathe" fmt -)" = 'b: { c: 1 }' ] || fail "standard input"
printf 'a: [1\n' > bad.yaml
"$lathe" fmt bad.yaml 2>said
[ $? = 2 ] && grep -q '^bad.yaml:1:6: error\[E101\]' said || fail "not YAML: $(cat said)"
exit $status

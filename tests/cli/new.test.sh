#!/bin/sh
# new writes a file that is tidy and right once its kernel is there; doctor says what the host can.
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export XDG_CACHE_HOME="$dir/cache"
status=0
fail() { echo "FAILED: $1"; [ ! -f said ] || cat said; status=1; }

for board in $("$lathe" list boards | cut -d ' ' -f 1); do
    "$lathe" new "my-$board" --board "$board" </dev/null >said || fail "new on $board"
    "$lathe" fmt --check "my-$board.yaml" >said || fail "the file for $board is not tidy"
    printf flat > Image
    "$lathe" validate "my-$board.yaml" --set boot.firmware=null >said 2>&1 || fail "the file for $board is not right"
done
"$lathe" new my-riscv-virt </dev/null 2>said
[ $? = 2 ] && grep -q 'is there already' said || fail "an old file is written over"
"$lathe" new My.Machine </dev/null 2>said
[ $? = 2 ] || fail "a name that is none"
"$lathe" new x --board atari-st </dev/null 2>said
[ $? = 2 ] && grep -q 'no board `atari-st`' said || fail "a board that is none"

"$lathe" doctor >said 2>&1 || fail "doctor"
grep -q '^ok    the translator may make code' said || fail "doctor says nothing of the translator"
grep -q "^ok    the image cache is $dir/cache" said || fail "doctor says nothing of the cache"
"$lathe" doctor my-riscv-virt.yaml --set boot.firmware=null >said 2>&1 || fail "doctor for a machine"
grep -q 'its 1 drives keep what they promise' said || fail "doctor did not open the drive"
"$lathe" doctor my-riscv-virt.yaml --set boot.firmware=null --set boot.kernel=nothing >said 2>&1
[ $? = 3 ] && grep -q '^bad ' said || fail "doctor takes a machine without its kernel"
[ "$("$lathe" --version)" = "$("$lathe" version)" ] || fail "two versions"
exit $status

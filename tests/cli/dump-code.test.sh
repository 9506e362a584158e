# What the translator makes of a block is shown stage by stage: guest code, IR, host code.
build=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; cat "$work/out"; exit 1; }

# addi a0, zero, 5; add a0, a0, a1; j .
printf '\023\005\120\000\063\005\265\000\157\000\000\000' > "$work/code.bin"
cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: dump
board: riscv-virt@1
memory: 64MiB
boot: { firmware: $work/code.bin }
MACHINE

dump() { "$build/lathe" dump "$work/m.yaml" --stage="$@" > "$work/out" 2>&1; }

dump in || fail "--stage=in"
[ "$(awk '{print $2}' "$work/out" | tr '\n' ' ')" = "addi add jal " ] || fail "the guest's instructions"
dump ir || fail "--stage=ir"
grep -q 'const.i64 0x5' "$work/out" || fail "the constant in the IR"
grep -q '^goto check 0x80000008' "$work/out" || fail "the loop in the IR"
dump host || fail "--stage=host"
[ -s "$work/out" ] || fail "no host code"
dump in --at 0x80000008 || fail "--at"
[ "$(awk '{print $2}' "$work/out")" = jal ] || fail "the block at an address"
dump in --at 0x10
[ $? = 3 ] && grep -q 'no code' "$work/out" || fail "an address with nothing behind it"
dump nothing
[ $? = 2 ] || fail "a stage that there is none of"

# perf's map names every block by its guest address.
"$build/lathe" run "$work/m.yaml" --perf-map < /dev/null > "$work/out" 2>&1 &
pid=$!
map=/tmp/perf-$pid.map
tries=0
until grep -q 'guest:80000000' "$map" 2>/dev/null || [ $tries -ge 80 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill $pid
wait $pid 2>/dev/null
grep -q 'guest:80000000' "$map" || fail "perf's map"
rm -f "$map"

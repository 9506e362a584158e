#!/bin/sh
# plan tells what a guest sees of a change, against a revision and against another file.
lathe=$PWD/${BUILD:-build}/lathe
command -v git >/dev/null || { echo "git is missing"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
status=0
fail() { echo "FAILED: $1"; cat said; status=1; }

plan() {    # plan CODE ARGUMENT...
    code=$1
    shift
    TMPDIR=$dir/tmp "$lathe" plan "$@" >said 2>&1
    got=$?
    [ $got = "$code" ] || fail "plan $*: ended with $got, wanted $code"
}
has() { grep -q -e "$1" said || fail "no line with '$1'"; }

mkdir tmp sub
git init -q . && git config user.email nobody@example.org && git config user.name nobody
cat > sub/m.yaml <<'MACHINE'
lathe: machine/v1
name: m
extends: [base.yaml]
memory: 64MiB
boot: { kernel: not-in-git, cmdline: one }
drives:
  root: { size: 1MiB }
MACHINE
printf 'board: riscv-virt@1\n' > sub/base.yaml
"$lathe" lock sub/m.yaml >said || fail "the first lock"
git add -A && git commit -qm first

plan 0 sub/m.yaml
has '^hardware .*: the same, snapshots of HEAD load'

cp sub/m.yaml old.yaml
cp sub/base.yaml .
sed -i 's/^drives:/drives:\n  first: { size: 2MiB }/; s/one/two/; s/1MiB/1MiB, aio: native, cache: none/' sub/m.yaml
plan 1 sub/m.yaml
has '^+ drives.first  .* virtio-blk in virtio.1$'
has '^+ drives.first.disk  .* /dev/vdb in Linux$'
has '^= drives.root  .* stays virtio-blk in virtio.0, /dev/vda in Linux$'
has '^~ drives.root.aio  .* threads -> native    guest: nothing$'
has '^~ boot.cmdline  .* one -> two    guest: starts with it$'
has '^hardware .* -> .*: snapshots of HEAD will not load$'

plan 1 sub/m.yaml HEAD --set drives.first=null
has '^hardware .*: the same'
plan 1 old.yaml sub/m.yaml
has '^- drives.first'

sed 's/^drives:/drives:\n  first: { size: 2MiB, slot: virtio.0 }/; s/root: {/root: { slot: virtio.1,/' old.yaml >moved.yaml
plan 1 moved.yaml old.yaml
has '^~ drives.root.disk  .* /dev/vda in Linux -> /dev/vdb in Linux$'

cp old.yaml cpu.yaml
printf 'cpus: { model: max }\n' >>cpu.yaml
plan 1 cpu.yaml old.yaml
has '^~ cpus.model  .* rv64 -> max$'
has '^~ fdt /cpus/cpu@0  .* riscv,isa +svadu$'
has '^= drives.root  .* stays virtio-blk in virtio.0, /dev/vda in Linux$'
printf 'cpus: { model: max, count: 3, features: { c: false } }\n' | cat old.yaml - >cpus.yaml
plan 1 cpus.yaml old.yaml
has '^~ cpus.misa  .* 0x800000000014112d -> 0x8[0-9a-f]*    C 1 -> 0$'
has '^+ fdt /cpus/cpu@1  .* the node    and 1 alike$'

# Identification registers, with their fields; what the matrix does has a line for each of its machines.
arm() {
    printf 'lathe: machine/v1\nname: a\nboard: arm-virt@1\nmemory: 64MiB\n'
    printf 'cpus: { model: %s, features: { crc32: %s } }\nmatrix: { memory: [64MiB, 128MiB] }\n' "$1" "$2"
}
arm cortex-a53 true >a53.yaml
arm cortex-a57 false >a57.yaml
plan 1 a57.yaml a53.yaml
has '^~ cpus.MIDR_EL1  .* 0x410fd034 -> 0x411fd070$'
has '^~ cpus.ID_AA64MMFR0_EL1  .* -> 0x[0-9a-f]*    PARange 2 -> 4$'
has '^~ cpus.ID_AA64ISAR0_EL1  .* -> 0x[0-9a-f]*    CRC32 1 -> 0$'
has '^hardware [0-9a-f]* -> [0-9a-f]*: snapshots of a53.yaml will not load$'
has '^hardware (memory=128MiB) [0-9a-f]* -> [0-9a-f]*: snapshots of a53.yaml will not load$'

plan 2 sub/m.yaml nothing-like-this
has 'not a valid object name'
plan 2 sub/m.yaml -h
[ -z "$(ls tmp)" ] || fail "something is left in the folder for scratch files"
exit $status

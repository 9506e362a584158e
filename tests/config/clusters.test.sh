#!/bin/sh
# A board with several kinds of CPU: clusters by name, numbered one after the other.
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
status=0
fail() { echo "FAILED: $1"; cat said; status=1; }
has() { grep -q -e "$1" said || fail "no line with '$1'"; }

"$lathe" board export riscv-virt | awk '
    /^cpus:/ { print "cpus:"
        print "  app: { models: [rv64, max], default: rv64, max: 4, timebase: timebase }"
        print "  mcu: { models: [sifive-u54], default: sifive-u54, max: 2, timebase: timebase }"
        skip = 1; next }
    /^[a-z]/ { skip = 0 }
    !skip' > board.yaml
cat > m.yaml <<MACHINE
lathe: machine/v1
name: m
board: ./board.yaml
memory: 64MiB
cpus: { app: { count: 3, model: max }, mcu: { count: 2 } }
MACHINE
"$lathe" dump --stage=spec m.yaml >said 2>&1 || fail "a machine with two clusters"
has '^cpus app: 3 x riscv64 max from 0'
has '^cpus mcu: 2 x riscv64 sifive-u54 from 3'
"$lathe" fdt --dts m.yaml >said 2>&1 || fail "its tree"
has 'cpu@4 {'
"$lathe" map board.yaml >said 2>&1 || fail "the board alone"

wrong() {   # wrong TEXT ARGUMENT...
    text=$1
    shift
    "$lathe" validate m.yaml "$@" >said 2>&1
    [ $? = 2 ] || fail "$* is taken"
    has "$text"
}
wrong 'the board has no CPU cluster `ap`' --set cpus.ap.count=1
wrong 'which one has this `count`' --set cpus.count=2
wrong 'the board has room for 2 CPUs' --set cpus.mcu.count=3
wrong 'takes no CPU model `max`' --set cpus.mcu.model=max
wrong 'unknown key `cuont` in cpus' --set board=riscv-virt@1 --set cpus=null --set cpus.cuont=2
has 'did you mean `count`'
wrong 'no CPU cluster `app`' --set board=riscv-virt@1
sed -i 's/, max: 2,/,/' board.yaml
wrong 'cpus.mcu needs the key `max`'
exit $status

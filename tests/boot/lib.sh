# For the boot tests: sourced. Fetches the riscv64 guest, or skips the test; runs machines with a limit.
build=${BUILD:-build}
work=$(mktemp -d "${TMPDIR:-/tmp}/lathe-boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
guest=$PWD/build/guests/riscv64
log=$work/log

sh tests/guest/riscv64.sh || {
    echo "the riscv64 guest cannot be fetched here"
    exit 77
}

fail() {
    echo "FAILED: $*"
    [ ! -f "$log" ] || tail -n 40 "$log"
    exit 1
}

# machine TASK [KEY: VALUE lines on stdin]: writes $work/m.yaml; the task is the guest's lathe.do
machine() {
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: test
board: riscv-virt@1
memory: 256MiB
boot:
  firmware: $guest/fw_dynamic.bin
  kernel: $guest/Image
  initrd: $guest/initrd.gz
  cmdline: console=ttyS0 panic=-1 lathe.do=$1
MACHINE
    cat >> "$work/m.yaml"
}

# run SECONDS EXPECTED_STATUS ARGUMENT...: lathe run m.yaml ARGUMENT..., console and messages in $log
run() {
    limit=$1 expected=$2
    shift 2
    timeout -k 5 "$limit" "$build/lathe" run "$work/m.yaml" "$@" < /dev/null > "$log" 2>&1
    status=$?
    [ $status = "$expected" ] || fail "exit status $status, expected $expected: run $*"
}

# says LINE: a whole line of the console
says() {
    tr -d '\r' < "$log" | grep -qxF -- "$1" || fail "the guest did not say '$1'"
}

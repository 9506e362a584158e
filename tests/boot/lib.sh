# For the boot tests: sourced. Runs machines with a limit, their console and messages in $log.
build=${BUILD:-build}
work=$(mktemp -d "${TMPDIR:-/tmp}/lathe-boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log

skip() {
    echo "$*"
    exit 77
}

fail() {
    echo "FAILED: $*"
    [ ! -f "$log" ] || tail -n 40 "$log"
    exit 1
}

# guest NAME: the Debian guest of tests/guest/debian.sh that machine() is about; its files are in $guest.
guest() {
    sh tests/guest/debian.sh "$1" || skip "the guest $1 cannot be fetched here"
    guest=$PWD/build/guests/$1
    case $1 in
    riscv64*) board=riscv-virt@1 console=ttyS0 firmware="firmware: $guest/fw_dynamic.bin" ;;
    arm64*) board=arm-virt@1 console=ttyAMA0 firmware= ;;
    esac
}

# package ARCH SUITE PACKAGE: prints its folder
package() {
    sh tests/guest/fetch.sh "$@" || exit 1
}

# machine TASK [KEY: VALUE lines on stdin]: writes $work/m.yaml; the task is the guest's lathe.do
machine() {
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: test
board: $board
memory: 256MiB
boot:
  kernel: $guest/Image
  initrd: $guest/initrd.gz
  cmdline: console=$console panic=-1 lathe.do=$1
  $firmware
MACHINE
    cat >> "$work/m.yaml"
}

# run SECONDS EXPECTED_STATUS ARGUMENT...: lathe run m.yaml ARGUMENT...
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

# run_until SECONDS COUNT PATTERN: runs m.yaml until the pattern is on COUNT lines, then ends it; its input is ours
run_until() {
    limit=$1 count=$2 pattern=$3
    : > "$log"
    timeout -k 5 "$limit" "$build/lathe" run "$work/m.yaml" > "$log" 2>&1 &
    pid=$!
    while [ "$(grep -c "$pattern" "$log")" -lt "$count" ] && kill -0 $pid 2>/dev/null; do
        sleep 0.1
    done
    kill $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ "$(grep -c "$pattern" "$log")" -ge "$count" ] || fail "the console did not say '$pattern' $count times"
}

# guest_shell: runs m.yaml, whose task is `shell`, with its monitor at $work/m; the guest's keyboard is descriptor 3
guest_shell() {
    mkfifo "$work/keys"
    : > "$work/stops"
    timeout -k 5 180 "$build/lathe" run "$work/m.yaml" --monitor "$work/m" < "$work/keys" > "$log" 2>&1 &
    machine=$!
    exec 3> "$work/keys"
    await_line 'is /dev/vda'
}

ask() {
    timeout 10 "$build/lathe" monitor "$work/m" "$@"
}

# await_line TEXT [COMMAND...]: whenever a drive stops the machine meanwhile, $work/stops says why; then the
# command is run, if there is one, and the machine told to go on
await_line() {
    text=$1
    shift
    until tr -d '\r' < "$log" | grep -qF -- "$text"; do
        kill -0 $machine 2>/dev/null || fail "the machine ended before '$text'"
        if ask status 2>/dev/null | grep '^stopped' >> "$work/stops"; then
            [ $# = 0 ] || "$@"
            ask continue
        fi
        sleep 0.05
    done
}

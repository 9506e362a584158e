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
    printf '\157\0\0\0' > Image
    "$lathe" validate "my-$board.yaml" --set boot.firmware=null >said 2>&1 || fail "the file for $board is not right"
done
"$lathe" new my-riscv-virt </dev/null 2>said
[ $? = 2 ] && grep -q 'is there already' said || fail "an old file is written over"
"$lathe" new My.Machine </dev/null 2>said
[ $? = 2 ] || fail "a name that is none"
"$lathe" new x --board atari-st </dev/null 2>said
[ $? = 2 ] && grep -q 'no board `atari-st`' said || fail "a board that is none"

# On a terminal it asks; an empty answer takes what it offers.
cat >terminal.py <<'PYTHON'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "new", "asked"])
answers, said = [b"arm-virt\n", b"128MiB\n", b"\n", b"disk.qcow2\n"], b""
try:
    while piece := os.read(terminal, 4096):
        said += piece
        while answers and piece.rstrip(b" ").endswith((b"]:", b"?", b":")):
            os.write(terminal, answers.pop(0))
            break
except OSError:
    pass        # the other end is closed
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
if command -v python3 >/dev/null; then
    timeout 20 python3 terminal.py "$lathe" >said || fail "new on a terminal"
    for line in 'board: arm-virt@1 ' 'memory: 128MiB$' 'kernel: Image$' 'file: disk.qcow2$' 'format: qcow2 '; do
        grep -q "$line" asked.yaml || fail "no '$line' after these answers"
    done
fi

"$lathe" doctor >said 2>&1 || fail "doctor"
grep -q '^ok    the translator may make code' said || fail "doctor says nothing of the translator"
grep -q "^ok    the image cache is $dir/cache" said || fail "doctor says nothing of the cache"
"$lathe" doctor my-riscv-virt.yaml --set boot.firmware=null >said 2>&1 || fail "doctor for a machine"
grep -q 'its 1 drives keep what they promise' said || fail "doctor did not open the drive"
"$lathe" doctor my-riscv-virt.yaml --set boot.firmware=null --set boot.kernel=nothing >said 2>&1
[ $? = 3 ] && grep -q '^bad ' said || fail "doctor takes a machine without its kernel"
[ "$("$lathe" --version)" = "$("$lathe" version)" ] || fail "two versions"
exit $status

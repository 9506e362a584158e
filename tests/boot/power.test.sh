# How a run ends: the guest's reset starts over, its panic is reported, the terminal's bytes are clean.
. tests/boot/lib.sh
for name in riscv64 arm64; do
    guest $name

    # A reset boots the same machine again: the second init is there before the limit ends the run.
    machine reboot < /dev/null
    run_until 60 2 '^@init reboot' < /dev/null

    machine panic < /dev/null
    run 60 1
    grep -q '^lathe: the guest panicked: Kernel panic - not syncing' "$log" || fail "the panic is not reported"
done

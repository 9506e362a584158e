# OpenSBI starts all harts, each time: a small kernel that is over in a moment, booted again and again.
. tests/boot/lib.sh
guest riscv64
cc=riscv64-linux-gnu-gcc
command -v $cc > /dev/null || skip "no $cc"
times=${HARTS_TIMES:-5}
for harts in 2 4; do
    $cc -DHARTS=$harts -nostdlib -static -Wl,-Ttext=0x80200000,--build-id=none \
        -o "$work/harts.elf" tests/guest/harts.S
    cat > "$work/m.yaml" <<MACHINE
lathe: machine/v1
name: harts
board: $board
cpus: {count: $harts}
memory: 128MiB
boot:
  kernel: $work/harts.elf
  $firmware
MACHINE
    n=0
    while [ $n -lt "$times" ]; do
        run 20 0
        if grep -q '^!' "$log"; then
            fail "a hart of $harts did not start in boot $n"
        fi
        n=$((n + 1))
    done
done

# The kernel is an ELF file: traces name its functions.
run 20 0 --trace in
for name in _start start_next secondary; do
    grep -q "0x[0-9a-f]* <$name+0x0>:" "$log" || fail "no $name in the trace"
done

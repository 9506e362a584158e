# Bare-metal programs (tests/guest/bare/arm64) print what an AArch64 machine does with exceptions, translation,
# interrupts, timers and PSCI; those of the second part begin at EL2 or EL3. The expectations are QEMU 7.2's but for what
# NAME.qemu mends, and what comes behind a line `--`, which it does not do.
. tests/guest/bare/arm64/lib.sh

for program in mmu gic psci exceptions debug; do
    compile $program 0x40080000 start.S
    machine 3 cortex-a57
    on_lathe $program
    on_qemu $program $program '' gic-version=3 cortex-a57 3 -kernel "$work/program.elf"
done

# ---- EL2 and EL3 ----

# levels NAME MODEL LEVELS [GIC [EXPECTED]]
levels() {
    at=0x40080000 place=kernel gic=${4:-3}
    [ "$3" = el2 ] || at=0x40200000 place=firmware
    compile "$1" $at start-el.S
    machine 1 "$2" "levels: $3, gic: v$gic" $place
    on_lathe "${5:-$1}"
    case $3 in # QEMU answers PSCI itself unless there is firmware
    el2) set -- "$1" "${5:-$1}" virtualization=on "$2" -kernel "$work/program.elf" ;;
    el3) set -- "$1" "${5:-$1}" secure=on "$2" -bios "$work/bios" -device loader,file="$work/program.elf",cpu-num=0 ;;
    *)  set -- "$1" "${5:-$1}" virtualization=on,secure=on "$2" -bios "$work/bios" \
            -device loader,file="$work/program.elf",cpu-num=0 ;;
    esac
    program=$1 expected=$2 has=$3 model=$4
    shift 4
    on_qemu "$program" "$expected" '/^--$/,$d' "gic-version=$gic,$has" "$model" 1 "$@"
}

head -c 4096 /dev/zero > "$work/bios"
for program in hyp stage2 virq; do levels $program cortex-a57 el2; done
levels hyp2 cortex-a57 el2 2
levels vhe max el2
levels fwb max el2
levels monitor cortex-a57 el2-el3
levels monitor cortex-a57 el3 3 monitor-no-el2
levels sel2 max el2-el3
levels closed-el max el2-el3
levels secure cortex-a57 el2-el3
levels secure2 cortex-a57 el2-el3 2

# With EL3 nobody but firmware answers PSCI.
machine 1 cortex-a57 "levels: el3"
! timeout -k 5 60 "$build/lathe" run "$work/m.yaml" < /dev/null > "$work/out" 2>&1 ||
    fail "a kernel without firmware, with EL3"
grep -q '`boot.kernel` needs `boot.firmware` here' "$work/out" || fail "what is wrong is not said"

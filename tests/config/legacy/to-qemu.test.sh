#!/bin/sh
# arm-virt's options on QEMU's command line; there and back gives the same options.
#   sh tests/config/legacy/to-qemu.test.sh
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

while read -r options machine; do
    printf 'lathe: machine/v1\nname: m\nmemory: 64MiB\nboot: { firmware: f }\nboard: { use: arm-virt@1, options: { %s } }\n' \
        "$(echo "$options" | sed 's/:/: /g; s/,/, /g')" > m.yaml
    command=$("$lathe" translate to-qemu m.yaml 2>/dev/null)
    case $command in
    "qemu-system-aarch64 -M $machine "*) ;;
    *) echo "$options: $command"; failed=1 ;;
    esac
    echo "$command" > command
    "$lathe" translate qemu < command > back.yaml 2>/dev/null
    again=$("$lathe" translate to-qemu back.yaml 2>/dev/null)
    case $again in
    *" -M $machine "*) ;;
    *) echo "there and back, $options: $again"; failed=1 ;;
    esac
done <<'LIST'
levels:el1 virt,gic-version=3
levels:el2 virt,virtualization=on,gic-version=3
levels:el3,gic:v2 virt,secure=on,gic-version=2
levels:el2-el3,gic:v3-no-its virt,virtualization=on,secure=on,gic-version=3,its=off
LIST

# A block by its name is that block; a format directly on a file is that format; what one option cannot say is lost.
truncate -s 1M part.img
cat > blocks.yaml <<'END'
lathe: machine/v1
name: m
board: riscv-virt@1
memory: 64MiB
blocks: { shared: { driver: file, file: part.img } }
drives:
  named: { block: shared }
  packed: { block: { driver: qcow2, file: part.img } }
  slow: { block: { driver: throttle, child: { driver: file, file: part.img } } }
END
"$lathe" translate to-qemu blocks.yaml > command 2> said
for part in 'file=part.img,format=raw,[^ ]*id=named' 'file=part.img,format=qcow2,[^ ]*id=packed'; do
    grep -q -- "-drive $part" command || { echo "blocks, $part: $(cat command)"; failed=1; }
done
grep -q 'format=throttle' command && { echo "a filter is no format: $(cat command)"; failed=1; }
grep -q 'more than one -drive can say' said || { echo "a lost graph: $(cat said)"; failed=1; }

# A raw disk that is a part of its file stays one.
truncate -s 1M part.img
cat > part.yaml <<'END'
lathe: machine/v1
name: m
board: riscv-virt@1
memory: 64MiB
drives: { disk: { block: { driver: raw, offset: 64KiB, size: 128KiB, file: part.img } } }
END
"$lathe" translate to-qemu part.yaml > command 2>/dev/null
grep -q 'file=part.img,format=raw,offset=65536,size=131072' command || { echo "a part: $(cat command)"; failed=1; }
"$lathe" translate qemu < command > back.yaml 2>/dev/null
grep -q 'block: { driver: raw, offset: 65536B, size: 131072B, file: .*part.img }' back.yaml ||
    { echo "a part, back: $(cat back.yaml)"; failed=1; }
"$lathe" validate back.yaml > said 2>&1 || { cat said; failed=1; }
exit $failed

#!/bin/sh
# A board may start from parts that it shares with others; several machines live in one folder.
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
status=0
fail() { echo "FAILED: $1"; cat said; status=1; }

mkdir -p path/machines/parts machines
"$lathe" board export riscv-virt | sed 's/^name: .*/name: mine/; /^  virtio:/,/irq: { first: line.1 }/d; s/^lathe:/extends: [parts\/virtio.yaml]\nlathe:/' \
    > path/machines/mine.yaml
cat > path/machines/parts/virtio.yaml <<'PART'
devices:
  virtio:
    type: virtio-mmio
    count: 3
    at: { first: 0x10001000, stride: 0x1000 }
    irq: { first: line.1 }
PART
export LATHE_PATH="$dir/path"
"$lathe" list boards >said
grep -q '^mine ' said || fail "a board of LATHE_PATH is not listed"
"$lathe" map mine >said 2>&1 || fail "a board with a part"
grep -q 'virtio.2 ' said && ! grep -q 'virtio.3 ' said || fail "the part's devices"

for name in one two; do
    printf 'lathe: machine/v1\nname: %s\nboard: mine@1\nmemory: 64MiB\n' $name > machines/$name.yaml
    "$lathe" lock machines/$name.yaml >said 2>&1 || fail "the lock of $name"
done
[ -f machines/lathe.lock ] && [ -f machines/two.lock ] || fail "the locks of two machines in one folder"
"$lathe" validate machines >said 2>&1 || fail "a folder of machines"
printf 'devices: { virtio: { count: 3 } }\n' > path/machines/parts/virtio.yaml
"$lathe" validate machines/one.yaml >said 2>&1
[ $? = 2 ] && grep -q 'parts/virtio.yaml:1:12: error' said || fail "a mistake in a part"
exit $status

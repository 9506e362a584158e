#!/bin/sh
# map, fdt, list and dump: what they print, and how they end.
set -u
lathe=${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# says TEXT CODE ARGUMENT...: lathe prints a line with TEXT and ends with CODE.
says() {
    text=$1 code=$2
    shift 2
    "$lathe" "$@" >"$dir/out" 2>&1
    got=$?
    if [ $got != "$code" ] || ! grep -qe "$text" "$dir/out"; then
        echo "lathe $*: wanted '$text' and $code, got $got:"
        head -n 20 "$dir/out"
        failed=1
    fi
}

cat >"$dir/m.yaml" <<END
lathe: machine/v1
name: m
board: riscv-virt@1
cpus: { count: 4 }
memory: 256MiB
boot: { kernel: kernel }
drives:
  data: { size: 1MiB, format: raw }
END
printf '\157\0\0\0' >"$dir/kernel"

says '^riscv-virt  ' 0 list boards
says '^ns16550a ' 0 list devices
says '^riscv64/rv64 ' 0 list cpus
says 'wants boards, devices, cpus or formats' 2 list friends
says '^0x80000000  0x8fffffff  ram ' 0 map "$dir/m.yaml"
says 'virtio.0 .* line.1 .* drives.data' 0 map "$dir/m.yaml"
says '^0x80000000  0x9fffffff  ram ' 0 map "$dir/m.yaml" --set memory=512MiB
says '^0x80000000  0x8fffffff  ram+0x0  memory' 0 dump --stage=map "$dir/m.yaml"
says 'cpu@3 {' 0 fdt --dts "$dir/m.yaml"
says 'cpu@3 {' 0 dump --stage=fdt "$dir/m.yaml"
says '^device drives.data: virtio-blk in virtio.0' 0 dump --stage=spec "$dir/m.yaml"
says 'memory' 0 dump --stage=doc "$dir/m.yaml"
says 'wants doc, spec, map, fdt' 2 dump --stage=soup "$dir/m.yaml"
says 'wants one machine' 2 map
says 'no board' 2 map atari-st
says 'did you mean `lathe validate`' 2 valdiate
says 'lathe new --board riscv-virt' 2 run riscv-virt
says 'Begin with `lathe new`' 0
says 'cannot write' 3 fdt "$dir/m.yaml" -o "$dir/none/out.dtb"

"$lathe" fdt "$dir/m.yaml" -o "$dir/m.dtb" || failed=1
if command -v dtc >/dev/null && ! dtc -I dtb -O dts "$dir/m.dtb" >/dev/null 2>"$dir/said"; then
    failed=1
fi
[ ! -s "$dir/said" ] || { cat "$dir/said"; failed=1; }
exit $failed

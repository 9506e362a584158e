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
exit $failed

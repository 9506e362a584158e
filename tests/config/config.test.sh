#!/bin/sh
# `lathe config`: everything in force, as YAML that means the same, and with the place of each value.
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
status=0

is() {      # is NAME: standard input must be what out has
    diff - out || { echo "$1"; status=1; }
}

mkdir parts
cat > parts/base.yaml <<'END'
lathe: machine/v1
board: riscv-virt@1
memory: 64MiB
boot: { cmdline: "console=ttyS0" }
drives:
  root: { file: disk.img, format: raw }
END
cat > m.yaml <<'END'
lathe: machine/v1
extends: [parts/base.yaml]
name: m
params:
  cpus: { type: integer, default: 2, env: LATHE_TEST_CPUS }
cpus: { count: "${cpus}" }
profiles:
  fast: { drives: { root: { cache: unsafe } }, boot: null }
END
truncate -s 1M parts/disk.img

"$lathe" config --origin --profile fast --set drives.root.serial=x m.yaml > out
is "origins" <<'END'
lathe                      machine/v1    m.yaml:1
board                      riscv-virt@1  parts/base.yaml:2
memory                     64MiB         parts/base.yaml:3
drives.root.file           disk.img      parts/base.yaml:6
drives.root.format         raw           parts/base.yaml:6
drives.root.cache          unsafe        m.yaml:8  profile fast
drives.root.serial         x             --set:1  --set
drives.root.overlay        none          default
drives.root.aio            threads       default
drives.root.read-only      false         default
drives.root.discard        unmap         default
drives.root.detect-zeroes  ignore        default
drives.root.copy-on-read   false         default
name                       m             m.yaml:3
cpus.count                 2             m.yaml:5  parameter cpus
END

LATHE_TEST_CPUS=3 "$lathe" config m.yaml --origin | grep cpus > out
is "the environment" <<'END'
cpus.count                 3              $LATHE_TEST_CPUS:1  parameter cpus
END

"$lathe" config m.yaml > flat.yaml && "$lathe" config flat.yaml > out || status=1
is "as YAML, again" < flat.yaml

# A path in an extended file is relative to that file.
"$lathe" validate m.yaml || status=1
exit $status

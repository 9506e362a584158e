#!/bin/sh
# Each board of machines/: its map and its tree are what they were (BOARD.map, BOARD.dts beside this),
# and dtc finds nothing to say about the tree. BLESS=1 rewrites the two.
set -u
lathe=${BUILD:-build}/lathe
here=tests/boards
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
status=0

# same KIND BOARD: is what was just made what it was?
same() {
    if [ "${BLESS:-}" ]; then
        cp "$out/$2.$1" "$here/$2.$1"
    elif ! diff -u "$here/$2.$1" "$out/$2.$1"; then
        echo "$2: another $1 than before; if that is meant: make bless"
        status=1
    fi
}

for file in machines/*.yaml; do
    board=$(basename "$file" .yaml)
    "$lathe" map "$board" >"$out/$board.map" || status=1
    same map "$board"
    "$lathe" fdt "$board" --dts >"$out/$board.dts" || status=1
    same dts "$board"
    if command -v dtc >/dev/null; then
        "$lathe" fdt "$board" | dtc -q -q -I dtb -O dtb -o /dev/null || status=1
        said=$("$lathe" fdt "$board" | dtc -I dtb -O dtb -o /dev/null 2>&1)
        [ -z "$said" ] || { echo "$board: dtc: $said"; status=1; }
    fi
done
exit $status

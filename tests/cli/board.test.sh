#!/bin/sh
# board: lists, copies, and compares with a vendor's tree both ways.
lathe=$PWD/${BUILD:-build}/lathe trees=$PWD/${BUILD:-build}/guests
boards=$PWD/machines
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
status=0
fail() { echo "FAILED: $1"; cat said; status=1; }
has() { grep -q -e "$1" said || fail "no line with '$1'"; }

"$lathe" board list >said || fail "list"
has '^riscv-virt  .*1\.[0-9.]*  .*riscv64  .*up to 8 CPUs$'
"$lathe" board export riscv-virt -o mine.yaml || fail "export"
cmp mine.yaml "$boards/riscv-virt.yaml" || fail "another text than the board's"
"$lathe" board check mine.yaml >said || fail "a copy is not right"
sed -i 's/at: 0x00101000/at: 0x00100800/' mine.yaml
"$lathe" board check mine.yaml >said 2>&1
[ $? = 2 ] && has 'error\[E30[12]\]' || fail "an overlap is not found"

for board in $("$lathe" list boards | cut -d ' ' -f 1); do
    "$lathe" fdt "$board" -o own.dtb
    "$lathe" board check "$board" --dts own.dtb >said || fail "$board differs from its own tree"
    has ' the same, 0 different, 0 not modelled, 0 only here$'
done

# A vendor's tree: behind a bus with another view, one thing moved, one more, one less.
cat > vendor.dts <<'TREE'
/dts-v1/;
/ {
    #address-cells = <2>;
    #size-cells = <2>;
    soc {
        compatible = "simple-bus";
        #address-cells = <1>;
        #size-cells = <1>;
        ranges = <0x0 0x0 0x10000000 0x10000000>;
        serial@0 { compatible = "vendor,uart", "ns16550a"; reg = <0x0 0x100>; interrupts = <10>; };
        rtc@5000 { compatible = "google,goldfish-rtc"; reg = <0x5000 0x1000>; interrupts = <11>; };
        ethernet@6000 { compatible = "vendor,mac"; reg = <0x6000 0x1000>; };
        usb@7000 { compatible = "vendor,usb"; reg = <0x7000 0x1000>; status = "disabled"; };
    };
};
TREE
"$lathe" board check riscv-virt --dts vendor.dts >said
[ $? = 1 ] || fail "a difference must end with 1"
has '^= /soc/serial@0 '
has '^~ /soc/rtc@5000 .*at 0x10005000, here at 0x101000'
has '^- /soc/ethernet@6000 .* not modelled$'
has '^- /soc/usb@7000 .* disabled there too$'
has '^+ .*plic.* only here$'
cat > primecell.dts <<'TREE'
/dts-v1/;
/ {
    #address-cells = <1>;
    #size-cells = <1>;
    debug@9000 { compatible = "arm,coresight-cpu-debug", "arm,primecell"; reg = <0x9000 0x1000>; };
};
TREE
"$lathe" board check arm-virt --dts primecell.dts >said
has '^- /debug@9000 .* not modelled$'

# Real trees, from Debian's kernel packages where tests have fetched them; LONG=1: all of them.
find -L "$trees" -name '*.dtb' 2>/dev/null | sort >trees
[ "${LONG:-}" ] || awk -v all="$(wc -l <trees)" 'NR % (int(all / 24) + 1) == 0' trees >some
[ "${LONG:-}" ] && cp trees some
while read -r tree; do
    case $tree in *riscv*) board=riscv-virt ;; *) board=arm-virt ;; esac
    timeout 10 "$lathe" board check $board --dts "$tree" >said 2>&1
    code=$?
    [ $code = 1 ] || fail "$tree: ended with $code"
    listed=$(grep -c '^[-=~] ' said)
    has "^$(grep -c '^= ' said) the same, $(grep -c '^~ ' said) different, $(grep -c '^- ' said) not modelled, $(grep -c '^+ ' said) only here\$"
    [ "$listed" -gt 0 ] || fail "$tree: nothing is listed"
done <some

head -c 200 own.dtb > cut.dtb
"$lathe" board check riscv-virt --dts cut.dtb >said 2>&1
[ $? = 2 ] && has 'not a device tree' || fail "half a blob"
exit $status

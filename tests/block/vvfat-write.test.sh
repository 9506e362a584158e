#!/bin/sh
# A folder as a FAT disk that is written to: what mtools and hostile hands make of the disk comes to the
# folder, as far as it is a file system; nothing else does, and nothing outside of the folder.
. "$(dirname "$0")/judge.sh"
for program in fsck.fat mcopy python3; do
    command -v $program >/dev/null 2>&1 || { echo "$program is not installed"; exit 77; }
done
export MTOOLS_SKIP_CHECK=1 TMPDIR="$PWD/tmp"
mkdir tmp
fs=disk.img@@1048576

fresh() {   # the folder as it was, and its disk: fresh NAME
    rm -rf tree disk.img outside; mkdir -p tree/sub/deep "tree/some long name"
    echo hello >tree/hello.txt
    echo keep >tree/sub/keep.txt
    head -c 300000 /dev/urandom >tree/sub/deep/blob.bin
    chmod 750 tree/sub/deep/blob.bin
    cp tree/sub/deep/blob.bin blob
    echo text >"tree/some long name/Another Long Name.text"
    echo secret >outside
    ln -s ../outside tree/link
    name=${1:-fat:rw:tree}
    gives 0 "$lathe" img convert -f raw -O raw "$name" disk.img
}

commit() {  # the disk is written back: commit EXIT-CODE
    gives "$1" "$lathe" img convert -n -f raw -O raw disk.img "$name"
    [ "$(cat outside)" = secret ] || fail "something outside of the folder was changed"
    [ -L tree/link ] || fail "a symbolic link is gone"
}

same() {    # the folder is what the disk says
    rm -rf out; mkdir out
    mcopy -s -n -Q -m -i $fs ::/ out >said 2>&1 || { cat said; fail "mcopy"; }
    rm tree/link
    diff -r tree out >said || { cat said; fail "the folder is not what is on the disk"; }
    ln -s ../outside tree/link
}

python() {  # python CODE: with a floppy disk as `d`, where `fat`, `root` and the `first` cluster are
    python3 - "$@" <<'END' || fail "python: $1"
import struct, sys
d = bytearray(open("disk.img", "rb").read())
reserved, fat_sectors = struct.unpack_from("<H", d, 14)[0], struct.unpack_from("<H", d, 22)[0]
fat, size = reserved * 512, d[13] * 512
root = fat + 2 * fat_sectors * 512
first = root + 512 * 32
def entry(name):
    for at in range(root, first, 32):
        if d[at:at + 11] == name:
            return at
    raise SystemExit("no entry " + repr(name))
def link(cluster, next):
    for copy in range(2):
        at = fat + copy * fat_sectors * 512 + cluster // 2 * 3 + cluster % 2
        both, = struct.unpack_from("<H", d, at)
        both = both & 0xf | next << 4 if cluster % 2 else both & 0xf000 | next
        struct.pack_into("<H", d, at, both)
exec(sys.argv[1])
open("disk.img", "wb").write(d)
END
}

for kind in fat:rw:tree fat:32:rw:tree; do
    fresh $kind
    echo new >new
    mcopy -i $fs new "::/A new long name.text"
    mcopy -i $fs new "::/sub/Größe.text"
    mdel -i $fs ::/hello.txt
    mmd -i $fs ::/made ::/made/below
    mmove -i $fs ::/sub/deep/blob.bin ::/made/below/
    mren -i $fs "::/some long name" "::/shorter"
    head -c 70000 /dev/urandom >large
    mcopy -o -i $fs large ::/sub/keep.txt
    commit 0
    same
    cmp blob tree/made/below/BLOB.BIN || fail "what was moved is another file ($kind)"
    [ "$(stat -c %a tree/sub/keep.txt)" = 644 ] || fail "permissions ($kind)"
    [ ! -e tree/hello.txt ] && [ -d tree/sub/deep ] && [ ! -e "tree/some long name" ] || fail "$kind"
    [ -z "$(ls tmp)" ] || fail "a disk was saved though all of it was taken"
done

# A floppy disk.
rm -rf tree disk.img; mkdir tree; ln -s ../outside tree/link; echo a >tree/a
name=fat:floppy:label=FROM-US:rw:tree
gives 0 "$lathe" img convert -f raw -O raw $name disk.img
fs=disk.img
mlabel -s -i $fs :: | grep -q FROM-US || fail "the label of a floppy disk"
mcopy -i $fs large ::/large; mdel -i $fs ::/a
commit 0
cmp large tree/large && [ ! -e tree/a ] || fail "a floppy disk"

# A file becomes a folder, and a folder a file.
fresh fat:floppy:rw:tree
mdel -i $fs ::/hello.txt; mmd -i $fs ::/hello.txt; mcopy -i $fs new ::/hello.txt/inside
mdeltree -i $fs ::/sub; mcopy -i $fs new ::/sub
commit 0
same

# changes DISK...: what makes each of the one before, sector by sector, and a flush after it: a script for `lathe io`
changes() {
    python3 - "$@" <<'END'
import sys
names = sys.argv[1:]
disks = [open(name, "rb").read() for name in names]
for old, new, name in zip(disks, disks[1:], names[1:]):
    for at in range(0, len(new), 512):
        if old[at:at + 512] != new[at:at + 512]:
            open(f"sector-{name}-{at}", "wb").write(new[at:at + 512])
            print(f"write {at} 512 from=sector-{name}-{at}")
    print("flush")
END
}

# A flush takes what there is, more than once, and what is read meanwhile does not change.
fresh fat:floppy:rw:tree
cp disk.img before.img
mdel -i $fs ::/hello.txt; mcopy -i $fs new ::/one
cp disk.img middle.img
mcopy -i $fs new ::/two; mdel -i $fs ::/one
changes before.img middle.img disk.img >script
set --
while read -r line; do
    set -- "$@" -c "$line"
done <script
gives 0 "$lathe" io -f raw "$@" $name
[ ! -e tree/hello.txt ] && [ ! -e tree/one ] && cmp new tree/two || fail "two flushes"
rm -f sector-*

# A file that the guest writes in pieces, with a flush after each, is not written anew by each; and one that
# was there before is replaced by a whole one.
fresh fat:floppy:rw:tree
cp disk.img stage0
head -c 700000 /dev/urandom >whole
stage=0
for size in 100000 300000 300100 700000; do
    head -c $size whole >piece
    stage=$((stage + 1)) old=$(stat -c %i tree/hello.txt)
    mcopy -o -i $fs piece ::/large; cp disk.img stage$stage
done
printf 'in the middle' | dd of=whole bs=1 seek=222222 conv=notrunc 2>/dev/null
mcopy -o -i $fs whole ::/large; head -c 50 whole >small; mcopy -o -i $fs small ::/hello.txt; cp disk.img stage5
head -c 250000 whole >piece; mcopy -o -i $fs piece ::/large; cp disk.img stage6
changes stage0 stage1 stage2 stage3 stage4 stage5 stage6 >script
command -v strace >/dev/null && traced="strace -f -o trace -e trace=pwrite64,renameat,ftruncate" || traced=
gives 0 $traced "$lathe" io -f raw $name <script
cmp piece tree/large && cmp small tree/hello.txt || fail "a file in pieces"
[ "$old" != "$(stat -c %i tree/hello.txt)" ] || fail "a file that was there was changed in its place"
if [ -n "$traced" ]; then
    [ "$(grep -c renameat trace)" = 2 ] || fail "a file was replaced again and again: $(grep renameat trace)"
    sum=$(sed -n 's/.* = \([0-9]*\)$/\1/p' trace | awk '{ s += $1 } END { print s }')
    [ "$sum" -lt 3500000 ] || fail "so much was written for a file of 700000 bytes: $sum"
fi
rm -f sector-* stage*

# Hosts of names and places that are none.
hostile() { # hostile WHAT CODE: says no, saves the disk, and leaves the folder as it was
    fresh fat:floppy:rw:tree
    cp -a tree before
    python "$2"
    commit 3
    grep -q 'has not all that the guest wrote' said || { cat said; fail "$1: nothing was said"; }
    saved=$(sed -n 's/.*saved as `\(.*\)`.*/\1/p' said)
    cmp disk.img "$saved" || fail "$1: the disk was not saved"
    rm -f "$saved"
    diff -r --no-dereference before tree >said || { cat said; fail "$1: the folder is another"; }
    rm -rf before
}
hostile "a name with a slash" 'at = entry(b"HELLO~1 TXT"); d[at:at + 11] = b"A/B        "; d[at + 11] = 0x20'
hostile "the folder above" 'at = entry(b"HELLO~1 TXT"); d[at:at + 11] = b"..         "'
hostile "a name of nothing" 'at = entry(b"HELLO~1 TXT"); d[at:at + 11] = b"           "'
hostile "a name that is there twice" 'at = entry(b"SUB~1      "); d[at:at + 11] = b"HELLO   TXT"; at = entry(b"HELLO~1 TXT"); d[at:at + 11] = b"HELLO   TXT"'
hostile "a shared cluster" 'a, b = entry(b"HELLO~1 TXT"), entry(b"SUB~1      "); d[a + 26:a + 28] = d[b + 26:b + 28]'
hostile "a folder in itself" 'c = struct.unpack_from("<H", d, entry(b"SUB~1      ") + 26)[0]; at = first + (c - 2) * size; d[at + 64:at + 96] = d[entry(b"SUB~1      "):][:32]'
hostile "a chain in a ring" 'c = struct.unpack_from("<H", d, entry(b"HELLO~1 TXT") + 26)[0]; link(c, c)'
hostile "a chain that leaves the disk" 'c = struct.unpack_from("<H", d, entry(b"HELLO~1 TXT") + 26)[0]; link(c, 0xff0)'
hostile "a file longer than its chain" 'struct.pack_into("<I", d, entry(b"HELLO~1 TXT") + 28, 0xffffffff)'
hostile "two tables that differ" 'd[fat + 4000] ^= 1'
hostile "another file system" 'd[13] = 2'
hostile "the name of our own" 'at = entry(b"SOMELO~1   ") - 64
for i, c in enumerate(".lathe-is-writing\0"):
    part = at + (32 if i < 13 else 0)
    place = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30][i % 13]
    struct.pack_into("<H", d, part + place, ord(c))'

fs=disk.img@@1048576
fresh fat:12:rw:tree
printf '\1' | dd of=disk.img bs=1 seek=454 conv=notrunc 2>/dev/null
commit 3
grep -q 'another table of partitions' said || { cat said; fail "another partition"; }
rm -f tmp/*

# A link of the host is not seen by the guest, and is not what it makes of its name.
fs=disk.img
fresh fat:floppy:rw:tree
mcopy -i $fs new ::/link
commit 3
grep -q 'link.*File exists' said || { cat said; fail "a link of the host was replaced"; }
rm -f tmp/*

# Nor does a file go that somebody made meanwhile, and that the guest was not shown.
fresh fat:floppy:rw:tree
mcopy -i $fs new ::/meanwhile
(printf 'flush\n'; until [ -e go ]; do sleep 0.05; done; printf 'write 0 1474560 from=disk.img\nflush\n') |
    "$lathe" io -f raw $name >writer 2>&1 & writer=$!
until grep -q flush writer 2>/dev/null || ! kill -0 $writer 2>/dev/null; do sleep 0.02; done
echo mine >tree/meanwhile
touch go
wait $writer && { cat writer; fail "a file of the host was replaced"; }
grep -q 'meanwhile.*File exists' writer || { cat writer; fail "why a file of the host stays"; }
[ "$(cat tree/meanwhile)" = mine ] || fail "a file of the host was replaced"
rm -f tmp/*

# In a machine file, the folder is beside the file; and that is what QEMU's words become.
mkdir -p below/share
cat >below/m.yaml <<'END'
lathe: machine/v1
name: m
board: riscv-virt@1
memory: 64MiB
drives: { share: { file: "fat:16:rw:label=SHARE:share", format: raw } }
END
gives 0 "$lathe" validate below/m.yaml
gives 0 "$lathe" dump --stage=spec below/m.yaml
grep -q 'fat:16:rw:label=SHARE:below/share' said || { cat said; fail "a folder beside its machine"; }
gives 2 "$lathe" validate --set 'drives.share.file=fat:below/share' below/m.yaml
gives 0 "$lathe" validate --set 'drives.share.file=fat:below/share' --set drives.share.read-only=true below/m.yaml
gives 1 "$lathe" translate qemu -- qemu-system-riscv64 -M virt -drive file=fat:rw:floppy:share,format=raw,if=none
grep -q 'file: fat:floppy:rw:share' said || { cat said; fail "QEMU's name of a folder"; }
gives 0 "$lathe" translate qemu -- qemu-system-riscv64 -M virt \
    -blockdev vvfat,node-name=k,dir=share,label=OEMDRV,read-only=on -device virtio-blk-device,drive=k
grep -q 'file: fat:label=OEMDRV:share' said || { cat said; fail "a folder by its keys"; }

# What cannot be: a mode that promises more, names that differ in their case only.
gives 3 "$lathe" io -f raw -t writethrough -c 'read 0 512' $name
echo x >tree/HELLO.txt
gives 3 "$lathe" io -f raw -c 'write 0 512' $name
grep -q 'there twice' said || { cat said; fail "two names that are one"; }
exit 0

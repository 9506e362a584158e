#!/bin/sh
# A folder as a FAT disk: fsck.fat finds nothing wrong with it, and mtools copies out what is in it.
. "$(dirname "$0")/judge.sh"
for program in fsck.fat mcopy; do
    command -v $program >/dev/null 2>&1 || { echo "$program is not installed"; exit 77; }
done

mkdir -p tree/deep/deeper/deepest "tree/a folder with a long name" tree/empty
head -c 3000000 /dev/urandom >tree/deep/large.bin
head -c 2048 /dev/urandom >tree/deep/two.bin
echo hello >tree/README.TXT
echo bonjour >"tree/a folder with a long name/Déjà vu.text"
echo one >tree/longname-first.txt
echo two >tree/longname-second.txt
echo three >tree/longname.tar.gz
: >tree/nothing
echo x >tree/deep/deeper/deepest/x
echo secret >outside
ln -s ../outside tree/link
for i in $(seq 300); do echo "$i" >"tree/deep/deeper/file number $i"; done

check() {   # check NAME OFFSET: the file system in disk.img holds what the folder does
    tail -c +$(($2 + 1)) disk.img >fs.img
    fsck.fat -n fs.img >said 2>&1 || { cat said; fail "fsck.fat, $1"; }
    rm -rf out; mkdir out
    mcopy -s -n -Q -m -i fs.img ::/ out >said 2>&1 || { cat said; fail "mcopy, $1"; }
    [ ! -e out/link ] || fail "a symbolic link was followed"
    rm -f tree/link
    diff -r tree out >said || { cat said; fail "what is in it, $1"; }
    ln -s ../outside tree/link
}

for name in fat:tree fat:16:tree fat:32:tree; do
    rm -f disk.img
    gives 0 "$lathe" img convert -f raw -O raw $name disk.img
    check $name 1048576
    gives 0 "$lathe" img compare -f raw -F raw $name disk.img
done

rm -rf tree/deep disk.img; mkdir tree/deep
head -c 1000000 /dev/urandom >tree/deep/large.bin
gives 0 "$lathe" img convert -f raw -O raw fat:floppy:tree disk.img
[ "$(stat -c %s disk.img)" = 1474560 ] || fail "the size of a floppy disk"
check floppy 0
gives 0 "$lathe" img convert -f raw -O raw fat:12:tree twelve.img

# One that is too small becomes a larger one.
head -c 600000 /dev/urandom >tree/deep/more.bin
rm disk.img
gives 0 "$lathe" img convert -f raw -O raw fat:floppy:tree disk.img
[ "$(stat -c %s disk.img)" = 2949120 ] || fail "the size of a larger floppy disk"
check "a floppy disk of 2.88 MB" 0
minfo -i disk.img :: 2>/dev/null | grep -q 'sectors per track: 36' || fail "what a larger floppy disk is"

gives 3 "$lathe" io -f raw -c 'write 0 512' fat:tree
grep -q 'which is only read' said || { cat said; fail "a write is refused by its reason"; }
gives 3 "$lathe" img info -f raw fat:nowhere
head -c 2000000 /dev/zero >tree/too-much; rm -f disk.img
gives 3 "$lathe" img info -f raw fat:floppy:tree
grep -q 'than a floppy disk has room for' said || { cat said; fail "a floppy disk that is too full"; }
exit 0

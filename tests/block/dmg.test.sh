#!/bin/sh
# Images of macOS, made by a script, with qemu-img as a second reader.
command -v python3 >/dev/null 2>&1 || { echo "python3 is not installed"; exit 77; }
make=$(realpath "$(dirname "$0")/dmg.py")
. "$(dirname "$0")/judge.sh"

head -c 1000000 /dev/urandom >disk.raw
truncate -s 5M disk.raw
yes 'some text that can be packed' | head -c 1000000 | dd of=disk.raw bs=1000 seek=2000 conv=notrunc 2>/dev/null

for kinds in raw zlib raw,zlib; do
    python3 "$make" disk.raw disk.dmg $kinds
    qemu-img compare -q -f dmg disk.dmg -F raw disk.raw || fail "qemu-img does not read it, $kinds"
    gives 0 "$lathe" img compare -f dmg -F raw disk.dmg disk.raw
done
python3 "$make" disk.raw disk.dmg bzip2,zlib      # Debian's qemu-img needs a module for bzip2
gives 0 "$lathe" img compare -f dmg -F raw disk.dmg disk.raw
gives 0 "$lathe" io -r -f dmg -c 'read 1999999 3' disk.dmg

for kind in lzfse adc; do
    python3 "$make" disk.raw disk.dmg $kind
    gives 3 "$lathe" img info -f dmg disk.dmg
    grep -qi "is compressed by $kind" said || { cat said; fail "$kind is refused by name"; }
done
python3 "$make" disk.raw disk.dmg zlib
gives 3 "$lathe" io -f dmg -c 'write 0 512' disk.dmg
grep -q 'can only be read' said || fail "a write"
head -c 100000 disk.dmg >cut.dmg
gives 3 "$lathe" img info -f dmg cut.dmg
exit 0

#!/bin/sh
# What a name may lead to: a FIFO, links that go on or round, a block device, an image of somebody else; and
# where what is printed cannot go.
. "$(dirname "$0")/judge.sh"
says() { grep -q -- "$1" said || { cat said; fail "not '$1'"; }; }
img() { "$lathe" img "$@"; }

head -c 300000 /dev/urandom >disk.raw
truncate -s 1M disk.raw
img convert -q -f raw -O qcow2 disk.raw disk.qcow2

# ---- what is no disk: nothing waits for its other end ----
mkfifo fifo
for command in "img info -f raw" "img convert -f raw -O qcow2 disk.raw" "img create -f qcow2 -F raw new -b" \
        "io -f raw -r -c length" "nbd -f raw -r"; do
    gives 3 timeout 20 "$lathe" $command fifo
    says 'fifo` is neither a file nor a block device'
done
[ -p fifo ] || fail "a FIFO was replaced"
gives 3 img info -f raw /dev/zero
gives 3 img create -f raw fifo 1M

# ---- links stay, and what they lead to is made, or replaced ----
mkdir far
ln -s far/new.qcow2 link
gives 0 img create -f qcow2 link 1M
gives 0 img convert -f raw -O qcow2 disk.raw link
[ -L link ] && [ ! -L far/new.qcow2 ] || fail "a link was replaced"
gives 0 img compare -f qcow2 -F raw far/new.qcow2 disk.raw
ln -s round round
gives 3 img create -f qcow2 round 1M
says 'Too many levels'
[ -L round ] || fail "a link that goes round was replaced"
[ "$(ls far)" = new.qcow2 ] || fail "something was left: $(ls far)"

# ---- whoever could not read the old image cannot read the new one ----
touch secret
chmod 600 secret
gives 0 img convert -f raw -O qcow2 disk.raw secret
[ "$(stat -c %a secret)" = 600 ] || fail "others can read the new image: $(stat -c %a secret)"

# ---- the name in a message is the one that was said ----
gives 3 img create -f vmdk -o subformat=none new 1M
says '`new` cannot get the subformat'
gives 3 img create -f raw nowhere/new 1M
says '`nowhere/new` cannot be made: its folder does not exist'

# ---- what an image is based on is there, or nobody wants to know; it may be at a server ----
gives 3 img create -f qcow2 -b nowhere -F raw new 1M
says '`./nowhere` does not exist'
gives 3 img convert -f raw -O qcow2 -B nowhere -F raw disk.raw new
says '`./nowhere` does not exist'
[ ! -e new ] || fail "an image that is based on nothing"
gives 0 img create -u -f qcow2 -b nowhere -F raw new 1M
rm new
"$lathe" nbd -f raw -r -k server disk.raw >listens & server=$!
until grep -q listening listens; do kill -0 $server || fail "no server"; sleep 0.02; done
gives 0 img create -f qcow2 -b "nbd+unix:///?socket=$folder/server" -F raw far/new
gives 0 img compare -f qcow2 -F raw far/new disk.raw
cp disk.raw copy.raw
qemu-img compare -q -f qcow2 far/new -F raw copy.raw || fail "qemu-img does not see the server"
kill $server
wait $server || true

# ---- sizes, and options with a comma ----
for size in 1e3 1.2.3 0x 0x10k 1Q -5 '' 99999999999999999999; do
    gives 2 img create -f raw -- new "$size"
done
gives 0 img create -f raw new 0x100000
[ "$(stat -c %s new)" = 1048576 ] || fail "a size in hexadecimal: $(stat -c %s new)"
gives 0 img create -f raw new 1.5KiB
[ "$(stat -c %s new)" = 1536 ] || fail "a fraction"
gives 2 img resize -f raw new -512
gives 0 img resize -q --shrink -f raw new -512
gives 0 img resize -q --shrink -f raw new -- -512
[ "$(stat -c %s new)" = 512 ] || fail "a smaller size: $(stat -c %s new)"
gives 0 img create -f qcow2 -o 'data_file=a,,b.raw,cluster_size=4k' new 1M
[ -e a,b.raw ] || fail "a comma in an option: $(ls)"
gives 0 img info -f qcow2 new
says 'a,b.raw'

# ---- what is printed cannot be written, or there is nowhere to ----
for command in "info disk.qcow2" "map -J disk.qcow2" "check disk.qcow2" "convert --help" "measure -O qcow2 -s 1M"; do
    status=0; img $command >/dev/full 2>said || status=$?
    [ $status = 3 ] || fail "a full output: $command gave $status"
    says 'the output cannot be written: No space left on device'
done
for command in "create -f raw closed 1M" "create -f qcow2 closed 1M" "info closed" "convert -f raw -O raw disk.raw closed"; do
    img $command <&- >&- 2>&- || fail "no standard files: $command"
done
cmp disk.raw closed || fail "what was to be printed is in the image"
"$lathe" io -f raw -c 'write 0 512 3' -c 'read 0 512 dump' -c length closed <&- >&- 2>&- || fail "no standard files"
gives 0 "$lathe" io -f raw -r -c 'read 0 512 3' closed

# ---- a disk of the host is written to, not replaced ----
truncate -s 4M device
loop=$(losetup -f --show device 2>/dev/null) || exit 0
trap 'losetup -d $loop; rm -rf "$folder"' EXIT
gives 0 img convert -f raw -O raw disk.raw $loop
[ -b $loop ] && cmp -n 1048576 disk.raw $loop || fail "a disk to a device"
gives 0 img dd -f qcow2 -O raw if=disk.qcow2 of=$loop
for command in "convert -f raw -O qcow2 disk.raw" "create -f qcow2"; do
    size=1M
    case $command in convert*) size= ;; esac
    gives 3 img $command $loop $size
    says 'is a block device'
done
truncate -s 8M disk.raw
gives 3 img convert -f raw -O raw disk.raw $loop
says 'has only 4194304 bytes'
[ -b $loop ] || fail "a device was replaced"
exit 0

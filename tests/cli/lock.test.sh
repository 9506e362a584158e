#!/bin/sh
# lock pins images, slots and hardware; fetch brings what is pinned; run refuses what is neither.
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export XDG_CACHE_HOME="$dir/cache"
status=0
fail() { echo "FAILED: $1"; [ ! -f said ] || cat said; status=1; }

# wants CODE TEXT ARGUMENT...: lathe ends with the code and prints a line with the text.
wants() {
    code=$1 text=$2
    shift 2
    "$lathe" "$@" >said 2>&1
    got=$?
    [ $got = "$code" ] && { [ -z "$text" ] || grep -q -e "$text" said; } || fail "lathe $*: ended with $got, wanted $code and '$text'"
}

head -c 1048576 /dev/urandom > disk.raw
digest=sha256:$(sha256sum disk.raw | cut -d ' ' -f 1)
cat > m.yaml <<MACHINE
lathe: machine/v1
name: m
board: riscv-virt@1
memory: 64MiB
images:
  disk: { url: "file://$dir/disk.raw", format: raw }
drives:
  root: { image: disk, overlay: ephemeral }
MACHINE

# Before: neither pinned nor there. Looking at the machine needs neither.
wants 2 'error\[E222\]: images.disk is not pinned' validate m.yaml
wants 2 'not pinned' fetch m.yaml
wants 1 'there is no lathe.lock' lock --check m.yaml
wants 0 'drives.root' map m.yaml

wants 0 'wrote lathe.lock' lock m.yaml
grep -q "digest: $digest" lathe.lock || fail "the digest is not in the lock"
grep -q '^  drives.root: virtio.0$' lathe.lock || fail "the slot is not in the lock"
grep -q '^  drives.root.aio: threads$' lathe.lock || fail "the default is not in the lock"
wants 0 'up to date' lock m.yaml
[ "$(wc -l < said)" = 1 ] || fail "lock says it more than once"
wants 0 '' lock --check m.yaml
"$lathe" fmt --check lathe.lock || fail "the lock is not tidy"
rm -f said
"$lathe" validate m.yaml || fail "a machine with its image is not valid"

# The image at the URL changes: the lock still says what it was.
cp disk.raw old.raw
head -c 1048576 /dev/urandom > disk.raw
wants 0 'up to date' lock m.yaml
rm -rf cache
wants 3 'error\[E406\]: images.disk is not in the cache' validate m.yaml
wants 3 'is not what was pinned' fetch m.yaml
cp old.raw disk.raw
wants 0 'fetched' fetch m.yaml
wants 0 'there' fetch m.yaml
[ "$(find cache -type f -perm 444 | wc -l)" = 1 ] || fail "the cache has not exactly one image"
head -c 1000 /dev/urandom > disk.raw
wants 0 'wrote lathe.lock' lock m.yaml --update disk
grep -q 'size: 1000$' lathe.lock || fail "--update did not ask again"
wants 2 'no image `dsik`' lock m.yaml --update dsik

# Comments, blank lines and line ends of a lock are kept; a comment is no difference.
cp lathe.lock plain.lock
sed -i 's/^images:/\n# a note\nimages: # here/; s/$/\r/' lathe.lock
printf '# the end' >> lathe.lock
cp lathe.lock noted.lock
wants 0 'up to date' lock m.yaml
wants 0 '' lock --check m.yaml
head -c 2000 /dev/urandom > disk.raw
wants 0 'wrote lathe.lock' lock m.yaml --update disk
grep -v 'digest\|size' lathe.lock > got
grep -v 'digest\|size' noted.lock | cmp - got || fail "other bytes than those of the image have changed"
grep -q '^    size: 2000.$' lathe.lock || fail "the size has its line end no more"
cp plain.lock lathe.lock
head -c 1000 /dev/urandom > disk.raw
wants 0 'wrote lathe.lock' lock m.yaml --update disk

# Slots are sticky: a drive that comes first in the file takes the next free one.
sed -i 's/^drives:/drives:\n  first: { size: 1MiB }/' m.yaml
wants 0 'virtio.0 .*drives.root' map m.yaml
wants 0 'virtio.1 .*drives.first' map m.yaml
wants 1 '^+   drives.first: virtio.1' lock --check m.yaml

# A second machine in the folder has a lock of its own.
sed 's/^name: m/name: second/' m.yaml > n.yaml
wants 0 'wrote n.lock' lock n.yaml
wants 0 'wrote lathe.lock' lock m.yaml

# A drive never writes to what others share.
wants 2 'error\[E221\]' validate m.yaml --set drives.root.overlay=none

# A digest in the machine is a pin as well, and is checked.
wants 3 'not what was pinned' fetch m.yaml --set images.disk.digest="sha256:$(printf '%064d' 0)"

# What the guest cannot tell does not change the hardware; what it can does.
hardware() { "$lathe" lock --check n.yaml "$@" | sed -n 's/^+   hardware: //p'; }
"$lathe" lock n.yaml >/dev/null
for hidden in doc=x drives.first.aio=native drives.first.cache=unsafe boot.cmdline=quiet; do
    set="$hidden"
    [ "$hidden" = drives.first.aio=native ] && more='--set drives.first.cache=none' || more=
    # shellcheck disable=SC2086  # two words on purpose
    [ -z "$(hardware --set "$set" $more)" ] || fail "$hidden changes the hardware"
done
for visible in cpus.count=2 memory=128MiB drives.first.cache=writethrough drives.first.serial=abc \
    drives.first.size=2MiB drives.first.read-only=true drives.first.slot=virtio.7 cpus.model=max \
    drives.first.discard=ignore; do
    [ -n "$(hardware --set "$visible")" ] || fail "$visible does not change the hardware"
done
exit $status

#!/bin/sh
# Encrypted images, with qemu-img and cryptsetup as the judges: theirs are read and written here, ours
# there.
. "$(dirname "$0")/judge.sh"
"$lathe" img create -f luks --key-file nothing none.luks 1M 2>&1 | grep -q "without libgcrypt" &&
    { echo "built without libgcrypt"; exit 77; }

head -c 300000 /dev/urandom >disk.raw
truncate -s 9M disk.raw
printf 'a b c d' | dd of=disk.raw bs=1 seek=8388000 conv=notrunc 2>/dev/null
printf 'open sesame' >key
printf 'open sesame\n' >wrong
secret="--object secret,id=s,file=key"

image() {   # image FORMAT FILE: as qemu-img wants it named
    case $1 in
    luks) echo "driver=luks,key-secret=s,file.filename=$2" ;;
    *) echo "driver=$1,encrypt.key-secret=s,file.filename=$2" ;;
    esac
}
same() { # same FORMAT FILE: qemu-img finds disk.raw in it
    qemu-img compare -q $secret --image-opts "$(image "$1" "$2")" driver=raw,file.filename="${3:-disk.raw}"
}

# FORMAT THEIR-OPTIONS OUR-OPTIONS
rows() {
    cat <<END
luks key-secret=s,iter-time=10 iter-time=10
luks key-secret=s,iter-time=10,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256 iter-time=10,cipher-mode=cbc,ivgen-alg=essiv
qcow2 encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 encrypt.format=luks,encrypt.iter-time=10
END
    [ "${LONG:-}" = 1 ] || return 0
    cat <<END
luks key-secret=s,iter-time=10,cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=plain64,hash-alg=sha1 iter-time=10,cipher-alg=aes-128,cipher-mode=cbc,hash-alg=sha1
luks key-secret=s,iter-time=10,cipher-alg=aes-128,hash-alg=sha512 iter-time=10,cipher-alg=aes-128,hash-alg=sha512
qcow2 encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10,cluster_size=512 encrypt.format=luks,encrypt.iter-time=10,cluster_size=512
qcow2 encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10,encrypt.cipher-alg=aes-128,extended_l2=on encrypt.format=luks,encrypt.iter-time=10,encrypt.hash-alg=sha512,extended_l2=on
END
}
while read -r format theirs ours; do
    rm -f t.* o.*
    last=$format
    # It measures its own time for the key, and gives up on a host that is too busy.
    for try in 1 2 3 4 5; do
        qemu-img convert -q $secret -O "$format" -o "$theirs" disk.raw t.img 2>said && break
        grep -q "accurate CPU usage" said && [ $try -lt 5 ] || { cat said; fail "qemu-img: $theirs"; }
    done
    gives 0 "$lathe" img compare -f "$format" -F raw --key-file key t.img disk.raw
    gives 3 "$lathe" img compare -f "$format" -F raw --key-file wrong t.img disk.raw
    grep -q 'not opened by this key' said || fail "a wrong key, $format $theirs"
    gives 3 "$lathe" img compare -f "$format" -F raw t.img disk.raw
    grep -q 'give its key' said || fail "no key, $format $theirs"
    gives 0 "$lathe" img info -f "$format" t.img      # what needs none of its data needs no key
    grep -q "t.img: $format" said || fail "facts without a key, $format $theirs"
    [ "$format" = luks ] || gives 0 "$lathe" img check -f "$format" t.img
    gives 0 "$lathe" img map -f "$format" t.img
    gives 0 "$lathe" io -f "$format" --key-file key -c 'write 100000 70000 0x5a' \
        -c 'write 5000001 513 0x11' -c 'zero 1M 64k' t.img
    cp disk.raw w.raw
    gives 0 "$lathe" io -f raw -c 'write 100000 70000 0x5a' -c 'write 5000001 513 0x11' \
        -c 'zero 1M 64k' w.raw
    same "$format" t.img w.raw || fail "what was written here, $format $theirs"

    gives 0 "$lathe" img convert -f raw -O "$format" -o "$ours" --new-key-file key disk.raw o.img
    same "$format" o.img || fail "ours, $format $ours"
    gives 0 "$lathe" img compare -f "$format" -F raw --key-file key o.img disk.raw
    [ "$format" = luks ] || qemu-img check -q $secret --image-opts "$(image "$format" o.img)" ||
        fail "check of ours, $ours"
    [ "$format" = luks ] || gives 0 "$lathe" img check -f "$format" --key-file key o.img
    grep -q 'a b c d' o.img && fail "text in the clear, $format $ours"
    qemu-io $secret -c 'write -P 7 64k 70k' --image-opts "$(image "$format" o.img)" >/dev/null
    gives 0 "$lathe" io -f "$format" --key-file key -c 'read 64k 70k 7' o.img
done <<END
$(rows)
END

# The old scheme is read.
for format in qcow qcow2; do
    for compat in '' $([ $format = qcow2 ] && echo ,compat=0.10); do
        rm -f t.img
        qemu-img create -q $secret -f $format -o encrypt.format=aes,encrypt.key-secret=s$compat t.img 9M \
            2>/dev/null || continue
        qemu-img convert -q $secret -n --target-image-opts disk.raw "$(image $format t.img)"
        gives 0 "$lathe" img compare -f $format -F raw --key-file key t.img disk.raw
        gives 1 "$lathe" img compare -f $format -F raw --key-file wrong t.img disk.raw
        gives 0 "$lathe" img map --json -f $format --key-file key t.img
        ! grep -q '"compressed": true' said || { cat said; fail "what is encrypted is called compressed"; }
        grep -q '"data": true.*"offset": ' said || { cat said; fail "where encrypted data are"; }
        gives 3 "$lathe" io -f $format --key-file key -c 'write 0 512' t.img
        gives 0 "$lathe" io -r -f $format --key-file key -c 'read 8387999 9' t.img
        echo "$format$compat" >>old
    done
done
[ -s old ] || fail "nothing of the old scheme was tried"

# An overlay and its base, encrypted.
gives 0 "$lathe" img convert -f raw -O qcow2 -o encrypt.format=luks,encrypt.iter-time=10 --new-key-file key \
    disk.raw base.qcow2
gives 0 "$lathe" img create -f qcow2 -b base.qcow2 -F qcow2 -o encrypt.format=luks,encrypt.iter-time=10 \
    --key-file key top.qcow2
gives 0 "$lathe" img compare -f qcow2 -F raw --key-file key top.qcow2 disk.raw
gives 0 "$lathe" img snapshot -c one --key-file key top.qcow2
gives 0 "$lathe" io -f qcow2 --key-file key -c 'write 0 100k 1' top.qcow2
gives 0 "$lathe" img check -f qcow2 --key-file key top.qcow2
gives 0 "$lathe" img resize -f qcow2 --key-file key top.qcow2 20M
gives 0 "$lathe" img check -f qcow2 --key-file key top.qcow2

# cryptsetup: all of its key slots, and our header in its eyes.
if command -v cryptsetup >/dev/null 2>&1; then
    truncate -s 12M c.img
    if cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 --key-file key c.img 2>log; then
        printf 'another' >key2
        cryptsetup luksAddKey -q --pbkdf-force-iterations 1000 --key-file key c.img key2
        cryptsetup luksKillSlot -q --key-file key2 c.img 0
        gives 0 "$lathe" io -f luks --key-file key2 -c 'write 1M 1M 3' -c 'read 1M 1M 3' c.img
        gives 3 "$lathe" io -f luks --key-file key -c 'read 1M 1M' c.img
        cryptsetup luksAddKey -q --pbkdf-force-iterations 1000 --key-file key2 c.img key
        same luks c.img 2>/dev/null && fail "two disks that differ are the same"
        qemu-io $secret -r -c 'read -P 3 1M 1M' --image-opts "$(image luks c.img)" | grep -q 'verification failed' &&
            fail "a disk of cryptsetup"
    else
        cat log
    fi
    gives 0 "$lathe" img create -f luks -o iter-time=10 --key-file key l.img 3M
    cryptsetup luksDump l.img >said || fail "luksDump of ours"
    grep -q '^Cipher mode:.*xts-plain64' said || { cat said; fail "luksDump of ours"; }
    cryptsetup luksOpen --test-passphrase --key-file key l.img || fail "our key in the eyes of cryptsetup"
    cryptsetup luksOpen --test-passphrase --key-file wrong l.img 2>/dev/null && fail "a wrong key is taken"
    truncate -s 20M two.img
    if cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file key two.img; then
        gives 3 "$lathe" img info -f luks --key-file key two.img
        grep -q 'is LUKS2; only LUKS1' said || { cat said; fail "LUKS2 is refused by name"; }
    fi
fi

# A drive says where its key is, or has it from the environment.
printf '\157\0\0\0' >code
cat >m.yaml <<END
lathe: machine/v1
name: m
board: arm-virt@1
cpus: { count: 1 }
memory: 64MiB
params: { pass: { type: string, default: nothing, env: DISK_KEY } }
boot: { kernel: code }
drives:
  one: { file: o.img, format: $last, encryption: { key-file: key } }
  two: { file: l.img, format: luks, encryption: { key: "\${pass}" } }
  wrong: { file: k.img, format: luks, encryption: { key-file: wrong } }
END
gives 0 "$lathe" img create -f luks -o iter-time=10 --key-file key k.img 3M
DISK_KEY='open sesame' timeout 60 "$lathe" run m.yaml >said 2>&1 && fail "a wrong key starts a machine"
grep -q 'm.yaml:11:.*drive `wrong`: `.*k.img` is not opened by this key' said || { cat said; fail "no word of the wrong key"; }
grep -q 'drive `[ot]' said && { cat said; fail "the key of a drive"; }

# A header asks for the work of hours, or is of a cipher that is not known.
cp o.img bad.img 2>/dev/null || true
gives 0 "$lathe" img create -f luks -o iter-time=10 --key-file key bad.img 1M
printf '\377\377\377\377' | dd of=bad.img bs=1 seek=212 conv=notrunc 2>/dev/null
gives 3 "$lathe" img info -f luks --key-file key bad.img
grep -q 'of 4294967295 iterations' said || fail "iterations without bound"
printf '\0\0\3\350' | dd of=bad.img bs=1 seek=212 conv=notrunc 2>/dev/null
printf 'serpent\0' | dd of=bad.img bs=1 seek=8 conv=notrunc 2>/dev/null
gives 3 "$lathe" img info -f luks --key-file key bad.img
grep -q 'by serpent-xts-plain64' said || fail "an unknown cipher"
exit 0

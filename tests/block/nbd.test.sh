#!/bin/sh
# `lathe nbd`: clients that others wrote see the disk, and change it.
lathe=$(cd "$(dirname "$0")/../.." && pwd)/${BUILD:-build}/lathe
. "$(dirname "$0")/writes.sh"
tests=$(cd "$(dirname "$0")" && pwd)
for program in nbdinfo nbdcopy qemu-img qemu-io python3 ps socat; do
    command -v $program >/dev/null || { echo "$program is missing"; exit 77; }
done
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1

fail() { echo "FAILED: $*"; exit 1; }

serve() {           # serve OPTION... IMAGE...
    : > said            # not what the last one said
    timeout 60 "$lathe" nbd --socket "$dir/s" "$@" > said 2>&1 &
    server=$!
    tries=0
    until grep -q '^listening' said; do
        kill -0 $server 2>/dev/null || fail "the server ended: $(cat said)"
        tries=$((tries + 1)); [ $tries -lt 1000 ] || fail "no server"
        sleep 0.01
    done
}
end() {             # its exit status is 0, and the socket is gone
    kill -TERM $server
    wait $server || fail "the server ended with $?: $(cat said)"
    server=
    [ ! -e s ] || fail "the socket is still there"
}
uri="nbd+unix:///?socket=$dir/s"

head -c 3000000 /dev/urandom > a.img
truncate -s 8M a.img
cp a.img before
"$lathe" img create -q -f qcow2 b.qcow2 4MiB || fail "create"

# ---- what cannot be served ----
for address in 127.0.0.1:99999 127.0.0.1:0 127.0.0.1:65536; do
    timeout 20 "$lathe" nbd -f raw -l $address a.img > said 2>&1 && fail "it listens on $address"
    grep -q 'a port is from 1 to 65535' said || fail "$address: $(cat said)"
done
timeout 20 "$lathe" nbd -k s -f raw same=a.img same=before > said 2>&1 && fail "two images of one name"
grep -q 'two images of one name' said || fail "two of a name: $(cat said)"
timeout 20 "$lathe" nbd -k b.qcow2 -f raw a.img > said 2>&1 && fail "a socket in the place of a file"

# ---- facts, holes and bytes ----
serve a.img --format raw
timeout 20 nbdinfo --json "$uri" > info || fail "nbdinfo"
grep -q '"export-size": 8388608' info || fail "size"
grep -q '"can_multi_conn": true' info || fail "multi-conn"
timeout 20 nbdinfo --map --totals "$uri" | grep -q 'hole,zero' || fail "no holes"
timeout 60 nbdcopy "$uri" copy || fail "nbdcopy"
cmp copy before || fail "other bytes"

if command -v nbdkit >/dev/null; then      # and by way of a server that is a client of ours
    timeout 60 nbdkit -U - nbd socket="$dir/s" --run 'nbdinfo --map --totals "$uri" | grep -q hole && nbdcopy "$uri" via' ||
        fail "nbdkit"
    cmp via before || fail "other bytes by way of nbdkit"
fi

# ---- changes, through several connections ----
timeout 20 qemu-io -f raw -c 'write -P 0x5a 4096 8192' -c 'write -z 1M 64k' -c 'discard 2M 64k' -c flush "$uri" \
    > io || fail "qemu-io: $(cat io)"
timeout 20 qemu-io -f raw -c 'read -P 0x5a 4096 8192' -c 'read -P 0 1M 64k' "$uri" > io || fail "reading back"
grep -q 'verification failed' io && fail "other bytes read back"
timeout 60 nbdcopy --connections=4 --requests=32 before "$uri" || fail "nbdcopy to the server"
end
cmp a.img before || fail "other bytes written"

# ---- a disk that becomes longer, and shorter, while it is served ----
cp a.img longer.img
serve --format raw longer.img
truncate -s 12M longer.img
timeout 20 nbdinfo --size "$uri" | grep -qx 8388608 || fail "longer before it was told"
resized() {
    kill -HUP $(ps -o pid= --ppid $server)      # timeout passes it on once only
    tries=0
    until timeout 20 nbdinfo --size "$uri" | grep -qx "$1"; do
        tries=$((tries + 1)); [ $tries -lt 100 ] || fail "the size is not $1"
    done
}
resized 12582912
timeout 20 qemu-io -f raw -c 'write -P 3 11M 64k' -c 'read -P 3 11M 64k' "$uri" > io || fail "beyond the old end: $(cat io)"
truncate -s 4M longer.img
resized 4194304
timeout 20 qemu-io -f raw -c 'read 5M 64k' "$uri" > io 2>&1 && fail "read beyond the new end"
end

# ---- the extension RESIZE: no client that others wrote sends it yet, but QEMU says whether it is offered ----
raw() { timeout 60 python3 "$tests/nbd-raw.py" "$dir/s" "$@"; }
said_no() { [ "$(raw "$@")" = "$error" ] || fail "resize $*: not error $error"; }
cp a.img longer.img
serve --format raw longer.img
timeout 20 qemu-nbd --list --socket "$dir/s" | grep -q resize && fail "sizes may change unasked"
error=22 said_no resize 12582912
end
serve --read-only --resize --format raw longer.img
error=1 said_no resize 12582912
[ "$(raw change 0)" = "1 1 1" ] || fail "a read-only disk was changed"
end
serve --resize --format raw longer.img
timeout 20 qemu-nbd --list --socket "$dir/s" | grep -q resize || fail "no resize offered"
[ "$(raw resize 12582912 fua)" = 0 ] || fail "longer by a client"
timeout 20 nbdinfo --size "$uri" | grep -qx 12582912 || fail "the new size"
[ "$(raw resize 4194304)" = 0 ] && [ "$(stat -c %s longer.img)" = 4194304 ] || fail "shorter by a client"
[ "$(raw resize 8388608)" = 0 ] || fail "longer again"
timeout 20 qemu-io -f raw -c 'read -P 0 4M 4M' "$uri" > io || fail "what was cut off is there again"
for size in 0 1000000 18446744073709551615 9223372036854775807; do error=22 said_no resize $size; done
error=22 said_no resize 4194304 length
raw busy 8388608 || fail "requests while the size changes"
end
"$lathe" img create -q -f qcow2 c.qcow2 4MiB || fail "create"
serve --resize c.qcow2
timeout 20 qemu-io -f raw -c 'write -P 5 0 4M' "$uri" > io || fail "filling"
[ "$(raw resize 9437184)" = 0 ] || fail "a longer qcow2"
timeout 20 qemu-io -f raw -c 'write -P 6 8M 1M' -c 'read -P 5 0 4M' -c 'read -P 0 4M 4M' "$uri" > io || fail "qcow2: $(cat io)"
raw busy 4194304 || fail "qcow2: requests while the size changes"
end
qemu-img check -q c.qcow2 || fail "qcow2 after resizes"

# ---- several exports; a format; read-only ----
serve --read-only --format raw one=a.img two=b.qcow2
timeout 20 nbdinfo --list "$uri" | grep -q 'export="two"' || fail "no second export"
timeout 20 nbdinfo "nbd+unix:///one?socket=$dir/s" | grep -q 'is_read_only: true' || fail "not read-only"
timeout 20 nbdinfo "nbd+unix:///three?socket=$dir/s" 2>/dev/null && fail "an export that is not there"
timeout 20 qemu-io -f raw -c 'write 0 512' "nbd+unix:///one?socket=$dir/s" >/dev/null 2>&1 && fail "written"
end
serve b.qcow2
timeout 20 nbdinfo --size "$uri" | grep -qx 4194304 || fail "the size of the disk in qcow2"
end

# ---- our own client: bytes, holes, a read-only server, a server that goes and comes back ----
serve --format raw a.img
timeout 20 "$lathe" img convert -q -f raw -O raw "$uri" copy2 || fail "our client"
cmp copy2 before || fail "other bytes by our client"
begin_writes "$uri" 20000 8
end
serve --format raw a.img
end_writes
end
cp before a.img
serve --read-only --format raw a.img
timeout 20 "$lathe" img bench -f raw -w -n 1 "$uri" 2>&1 | grep -q 'is read-only' || fail "written"
end

# ---- nonsense ends a connection, not the server ----
serve --format raw a.img
for bytes in 'x' '\0\0\0\1IHAVEOPT\0\0\0\7\377\377\377\377' '\0\0\0\1IHAVEOPT\0\0\0\7\0\0\0\4\377\377\377\377' \
        '\0\0\0\3IHAVEOPT\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'; do
    printf "$bytes" | timeout 2 socat - "UNIX-CONNECT:$dir/s" >/dev/null 2>&1
done
timeout 20 nbdinfo --size "$uri" | grep -qx 8388608 || fail "nonsense ended the server"
end

# ---- TLS ----
command -v openssl >/dev/null || { echo "no openssl: TLS is not tested"; exit 0; }
mkdir keys client
{
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out keys/ca-cert.pem -days 1 -subj /CN=ca
    for who in server client; do
        openssl req -newkey rsa:2048 -nodes -keyout $who-key.pem -out $who.csr -subj /CN=localhost
        openssl x509 -req -in $who.csr -CA keys/ca-cert.pem -CAkey ca.key -CAcreateserial -days 1 -out $who-cert.pem
    done
} 2>/dev/null || fail "openssl"
mv server-key.pem server-cert.pem keys
mv client-key.pem client-cert.pem client
cp keys/ca-cert.pem client
serve --tls keys --format raw a.img
timeout 20 nbdinfo "$uri" 2>/dev/null && fail "served without TLS"
timeout 60 nbdcopy "nbds+unix://localhost/?socket=$dir/s&tls-certificates=$dir/client" over-tls || fail "TLS"
cmp over-tls before || fail "other bytes over TLS"
timeout 60 "$lathe" img convert -q -f raw -O raw \
    "nbds+unix://localhost/?socket=$dir/s&tls-certificates=$dir/client" over-ours || fail "TLS, our client"
cmp over-ours before || fail "other bytes over TLS, our client"
mv client/client-cert.pem client/other.pem
timeout 20 "$lathe" img info -f raw "nbds+unix://localhost/?socket=$dir/s&tls-certificates=$dir/client" \
    > said2 2>&1 && fail "our client was served without a certificate"
timeout 20 nbdinfo "nbds+unix://localhost/?socket=$dir/s&tls-certificates=$dir/client" 2>/dev/null &&
    fail "served to somebody without a certificate"
end
exit 0

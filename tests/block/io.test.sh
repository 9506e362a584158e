#!/bin/sh
# `lathe io`: requests by hand, in every engine; and an image that a web server has.
lathe=$(realpath "${BUILD:-build}/lathe")
dir=$(mktemp -d -p "${TMPDIR:-/var/tmp}")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir" || exit 1

fail() { echo "FAILED: $*"; [ ! -s said ] || cat said; exit 1; }

truncate -s 4M disk
echo one > text
for engine in "writeback threads" "none native" "none io_uring" "directsync io_uring"; do
    rm -f disk && truncate -s 4M disk
    timeout 20 "$lathe" io -f raw -t ${engine% *} -i ${engine#* } --skewed disk > said <<'END' || fail "$engine"
write 4KiB 8KiB 0x5a
start write 100000 5000 17      # of any alignment, at once
start write 105000 5000 18
start read 0 1MiB
wait
read 4KiB 8KiB 0x5a
read 100000 5000 17
read 105000 5000 18
zero 6KiB 1KiB
read 6KiB 1KiB 0
read 4KiB 2KiB 0x5a
discard 2MiB 1MiB
flush
write 1MiB 64KiB 33 pieces=7 durable
read 1MiB 64KiB 33 pieces=128
write 1536KiB 64KiB from=text
read 1536KiB 16 dump
zero 1MiB 4KiB unmap
map 1MiB 64KiB
fails read 4MiB 512
length
END
grep -q '^00180000: 6f 6e 65 0a 6f 6e 65 0a' said || fail "what a file holds"
grep -q '^4194304 bytes' said || fail "the length"
done
timeout 20 "$lathe" io -f raw -c 'read 4KiB 4KiB 0' disk > said && fail "other bytes are no failure"
grep -q 'byte 4096 is 0x5a, not 0x00' said || fail "what differs"
timeout 20 "$lathe" io -f raw -c 'read 4MiB 512' disk > said && fail "beyond the end"
timeout 20 "$lathe" io -f raw -c 'write 1 2 3 4' disk 2> said; [ $? = 2 ] || fail "too many words"
timeout 20 "$lathe" io -f raw -r -c 'write 0 512' disk > said && fail "written to a disk opened for reading"

timeout 20 "$lathe" io -f raw -c 'fails read 0 512' disk > said && fail "what should have failed did not"
timeout 20 "$lathe" io -f raw -c 'resize 5MiB' -c 'read 4MiB 1MiB 0' disk > said || fail "resize"
timeout 20 "$lathe" io -f raw -c 'zero 0 512 packed' disk 2> said; [ $? = 2 ] || fail "a word that does not belong there"
timeout 20 "$lathe" img create -q -f qcow2 packed 1MiB
timeout 20 "$lathe" io -f qcow2 -c 'write 0 64KiB 5 packed' -c 'read 0 64KiB 5' -c 'map 0 64KiB' packed > said || fail "packed"
grep -q '^0 65536 packed' said || fail "what is compressed"

timeout 20 "$lathe" io -f raw -c flush gopher://host/disk 2> said && fail "a protocol that is not there"
grep -q 'there is no such protocol' said || fail "why not"

# ---- a web server with ranges ----
command -v python3 >/dev/null || exit 0
head -c 1500000 /dev/urandom > web
cat > serve.py <<'END'
import http.server, os, re
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def do_HEAD(self): self.answer(False)
    def do_GET(self): self.answer(True)
    def answer(self, body):
        data = open("web", "rb").read()
        ask = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        ranges = ask and self.path != "/whole"
        part = data[int(ask[1]):int(ask[2]) + 1] if ranges else data
        if self.path == "/gone" and body:
            self.close_connection = True
            return
        self.send_response(206 if ranges else 200)
        if ranges and self.path != "/unsaid":
            start = int(ask[1]) + 512 * (self.path == "/other")
            length = len(data) * (2 if self.path == "/longer" else 1)
            self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{length}")
        self.send_header("ETag", f"one-{body}" if self.path == "/replaced" else "one")
        self.send_header("Content-Length", len(part))
        self.end_headers()
        if body: self.wfile.write(part[:1000] if self.path == "/short" else part)
        self.close_connection = self.path == "/short"
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port.new", "w").write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
END
timeout 60 python3 serve.py 2>/dev/null &
server=$!
tries=0
until [ -e port ]; do tries=$((tries + 1)); [ $tries -lt 1000 ] || fail "no web server"; sleep 0.01; done
url=http://127.0.0.1:$(cat port)
timeout 20 "$lathe" img convert -q -f raw -O raw "$url/web" copy 2> said || fail "convert"
cmp copy web || fail "other bytes from the web"
for path in whole other longer replaced unsaid short gone; do
    timeout 20 "$lathe" img convert -q -f raw -O raw "$url/$path" copy2 2>said && fail "a server's wrong answer: $path"
    grep -q 'Input/output error' said || fail "$path: $(cat said)"
done
timeout 20 "$lathe" io -f raw -c flush "$url/web" 2> said && fail "opened for writing"
grep -q 'only reads' said || fail "why not"
exit 0

#!/bin/sh
# fetch over HTTP: redirects, a transfer that broke off, a server without ranges, two at a time.
lathe=$PWD/${BUILD:-build}/lathe
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
dir=$(mktemp -d) || exit 1
cd "$dir" || exit 1
export XDG_CACHE_HOME="$dir/cache" no_proxy=127.0.0.1
status=0
fail() { echo "FAILED: $1"; [ ! -f said ] || cat said; status=1; }

head -c 300000 /dev/urandom > image
digest=sha256:$(sha256sum image | cut -d ' ' -f 1)
cat > server.py <<'END_OF_SERVER'
import http.server, os, socketserver
data = open("image", "rb").read()
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_GET(self):
        asked = self.headers.get("Range")
        with open("requests", "a") as log: log.write(f"{self.path} {asked}\n")
        if self.path == "/moved":
            self.send_response(302); self.send_header("Location", "/image"); self.end_headers(); return
        if self.path == "/evil":
            self.send_response(302); self.send_header("Location", "file:///etc/passwd"); self.end_headers(); return
        if self.path == "/missing":
            self.send_error(404); return
        start = int(asked[6:].split("-")[0]) if asked and self.path != "/plain" else 0
        broken = self.path == "/broken" and not asked
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start: self.send_header("Content-Range", f"bytes {start}-{len(data)-1}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[start:100000] if broken else data[start:])
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
server = Server(("127.0.0.1", 0), Handler)
open("port.new", "w").write(str(server.server_address[1])); os.rename("port.new", "port")
server.serve_forever()
END_OF_SERVER
timeout 60 python3 server.py &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
tries=0
while [ ! -f port ] && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
url=http://127.0.0.1:$(cat port)

machine() {     # machine PATH
    cat <<MACHINE
lathe: machine/v1
name: m
board: riscv-virt@1
memory: 64MiB
images: { disk: { url: "$url$1", format: raw, digest: "$digest" } }
drives: { root: { image: disk, overlay: ephemeral } }
MACHINE
}

machine /moved > m.yaml
timeout 20 "$lathe" lock m.yaml >said 2>&1 || fail "a redirect"
grep -q "got: $url/image" lathe.lock || fail "where the redirect led is not in the lock"
cmp image "$(find cache -type f -perm 444)" || fail "other bytes than the server's"

rm -r cache
machine /broken > m.yaml
timeout 20 "$lathe" fetch m.yaml >said 2>&1
[ $? = 3 ] || fail "a transfer that breaks off must end with 3"
timeout 20 "$lathe" fetch m.yaml >said 2>&1 || fail "going on"
grep -q '/broken bytes=100000-' requests || fail "it did not go on where it broke off: $(cat requests)"

# The same, with a server that always sends all of it.
rm -r cache
machine /plain > m.yaml
mkdir -p cache/lathe/images/partial
head -c 5000 image > "cache/lathe/images/partial/$(printf %s "$url/plain" | sha256sum | cut -d ' ' -f 1)"
timeout 20 "$lathe" fetch m.yaml >said 2>&1 || fail "a server without ranges"

# What was left from another file is not kept.
rm -r cache
machine /image > m.yaml
mkdir -p cache/lathe/images/partial
head -c 5000 /dev/zero > "cache/lathe/images/partial/$(printf %s "$url/image" | sha256sum | cut -d ' ' -f 1)"
timeout 20 "$lathe" fetch m.yaml >said 2>&1 || fail "another file's rest"

# Two at a time: one asks the server, the other waits.
rm -r cache requests
timeout 20 "$lathe" fetch m.yaml >said 2>&1 & one=$!
timeout 20 "$lathe" fetch m.yaml >said2 2>&1 & two=$!
wait $one || fail "the first of two"
wait $two || fail "the second of two"
[ "$(wc -l < requests)" = 1 ] || fail "both asked the server: $(cat requests)"

machine /missing > m.yaml
rm -r cache
timeout 20 "$lathe" fetch m.yaml >said 2>&1
[ $? = 3 ] && grep -q 'the server says 404' said || fail "a missing file"
machine /evil > m.yaml
timeout 20 "$lathe" fetch m.yaml >said 2>&1
[ $? = 3 ] || fail "a redirect to a file of the host"
exit $status

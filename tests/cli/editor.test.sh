#!/bin/sh
# The YAML language server, over its protocol, with the schemas that we export: completion lists the
# keys of a drive, hover shows the text of `cache`, and a mistake is on the line where we see it.
#   YAML_LANGUAGE_SERVER   the program; else one in PATH, else one that npm puts into the build folder, once
build=$PWD/${BUILD:-build}
lathe=$build/lathe
server=${YAML_LANGUAGE_SERVER:-$(command -v yaml-language-server)}
if [ -z "$server" ] && command -v npm >/dev/null; then
    server=$build/npm/node_modules/.bin/yaml-language-server
    [ -x "$server" ] || timeout 120 npm install --silent --no-audit --no-fund --prefix "$build/npm" \
        yaml-language-server >"$build/npm.log" 2>&1 || rm -rf "$build/npm"
fi
[ -n "$server" ] && [ -x "$server" ] ||
    { echo "yaml-language-server is missing: install nodejs and npm, or name it in YAML_LANGUAGE_SERVER"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
"$lathe" schema > machine.schema.json || exit 1
"$lathe" schema --draft 7 > machine7.schema.json || exit 1
cat > client.py <<'PYTHON'
import json, os, subprocess, sys

class Server:
    def __init__(self, program):
        self.pipe = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number, self.diagnostics = 0, {}

    def send(self, message):
        text = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.pipe.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.pipe.stdin.flush()

    def receive(self):
        length = 0
        while (line := self.pipe.stdout.readline().strip()):
            if line.lower().startswith(b"content-length:"): length = int(line.split(b":")[1])
        message = json.loads(self.pipe.stdout.read(length))
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif method and "id" in message:    # it asks us: settings, and what it may register
            items = message["params"].get("items", []) if method == "workspace/configuration" else []
            answer = [{"hover": True, "completion": True, "validate": True, "schemaStore": {"enable": False}}
                      if item.get("section") == "yaml" else {} for item in items]
            self.send({"id": message["id"], "result": answer if items else None})
        return message

    def ask(self, method, params):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == self.number and "method" not in message: return message.get("result")

    def open(self, name, text):
        uri = "file://" + os.path.abspath(name)
        with open(name, "w") as file: file.write(text)
        self.send({"method": "textDocument/didOpen", "params": {"textDocument":
            {"uri": uri, "languageId": "yaml", "version": 1, "text": text}}})
        return uri

    def wait_for_diagnostics(self, uri):
        while uri not in self.diagnostics: self.receive()
        return self.diagnostics[uri]

def at(uri, line, character):
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}

HEAD = "# yaml-language-server: $schema=%s\nlathe: machine/v1\nname: m\nboard: riscv-virt@1\nmemory: %s\ndrives:\n  root:\n"
server = Server(sys.argv[1])
root = "file://" + os.getcwd()
server.ask("initialize", {"processId": os.getpid(), "rootUri": root, "capabilities": {
    "textDocument": {"hover": {"contentFormat": ["markdown"]}, "completion": {"completionItem": {}}},
    "workspace": {"configuration": True}}})
server.send({"method": "initialized", "params": {}})
server.send({"method": "workspace/didChangeConfiguration", "params": {"settings": {
    "yaml": {"hover": True, "completion": True, "validate": True, "schemaStore": {"enable": False}}}}})

for schema in ("machine.schema.json", "machine7.schema.json"):
    good = server.open("good-" + schema + ".yaml", HEAD % (schema, "64MiB") + "    size: 1MiB\n    cache: none\n    \n")
    items = server.ask("textDocument/completion", at(good, 9, 4))
    labels = {item["label"] for item in (items["items"] if isinstance(items, dict) else items)}
    assert {"file", "image", "format", "overlay", "aio", "serial"} <= labels, (schema, sorted(labels))
    hover = server.ask("textDocument/hover", at(good, 8, 5))
    assert hover and "What a completed write means" in json.dumps(hover), (schema, hover)
    bad = server.open("bad-" + schema + ".yaml", HEAD % (schema, "1G") + "    size: 1MiB\n    chache: none\n")
    lines = {d["range"]["start"]["line"] + 1 for d in server.wait_for_diagnostics(bad)}
    ours = subprocess.run([sys.argv[2], "validate", "--json", "bad-" + schema + ".yaml"], capture_output=True)
    assert lines == {json.loads(line)["line"] for line in ours.stdout.splitlines()} == {5, 9}, (schema, lines)
    texts = json.dumps(server.diagnostics[bad])
    assert "binary unit" in texts, texts
server.pipe.kill()
PYTHON
timeout 60 python3 client.py "$server" "$lathe"

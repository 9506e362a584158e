#!/bin/sh
# `validate --fix` mends what can be mended without asking and keeps every other byte; reports for programs.
lathe=$PWD/${BUILD:-build}/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
status=0

check() {   # check NAME: m.yaml must be expected.yaml, byte for byte
    cmp m.yaml expected.yaml || { echo "$1: differs"; diff expected.yaml m.yaml; status=1; }
}

printf '\357\273\277lathe: machine/v1\r\nname: m   # \303\251t\303\251\r\n\r\nboard: riscv-virt@1\r\nmemory: 64M    # small\r\ndoc: 2026-01-01\r\n' > m.yaml
printf '\357\273\277lathe: machine/v1\r\nname: m   # \303\251t\303\251\r\n\r\nboard: riscv-virt@1\r\nmemory: 64MiB    # small\r\ndoc: "2026-01-01"\r\n' > expected.yaml
"$lathe" validate --fix m.yaml || { echo "still wrong after --fix"; status=1; }
check "byte order mark, CRLF and comments"

"$lathe" validate --fix m.yaml 2>&1 | grep . && { echo "said something of a right file"; status=1; }
check "a right file"

printf 'lathe: machine/v1\nname: m\nboard: riscv-virt@1\nmemory: 1G\ncpus: [\n' > m.yaml
cp m.yaml expected.yaml
"$lathe" validate --fix m.yaml 2>/dev/null && { echo "not YAML, and called right"; status=1; }
check "a file that is not YAML"

# Reports for programs.
printf 'lathe: machine/v1\nname: m\nboard: riscv-virt@1\nmemory: 1G\n' > m.yaml
cat > expected.yaml <<'END'
{ "severity": "error", "code": "E110", "line": 4, "column": 9, "width": 2, "slug": "unit", "file": "m.yaml", "message": "`1G` is not a size", "hint": "write 1GiB (1073741824 bytes)", "fix": "1GiB" }
::error file=m.yaml,line=4,col=9,title=E110::`1G` is not a size: write 1GiB (1073741824 bytes)
END
{ "$lathe" validate --json m.yaml; "$lathe" validate --github m.yaml; } > out 2>&1
mv out m.yaml
check "reports for programs"

# SARIF: what a scanner needs, and JSON to the last bracket.
if command -v python3 >/dev/null; then
    printf 'lathe: machine/v1\nname: m\nboard: riscv-virt@1\nmemory: 1G\n' > m.yaml
    "$lathe" validate --sarif m.yaml > log.sarif
    python3 - <<'END' || { echo "SARIF"; cat log.sarif; status=1; }
import json
log = json.load(open("log.sarif"))
run = log["runs"][0]
[result] = run["results"]
assert log["version"] == "2.1.0" and result["level"] == "error"
assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "E110"
place = result["locations"][0]["physicalLocation"]
assert place["artifactLocation"]["uri"] == "m.yaml"
assert place["region"] == {"startLine": 4, "startColumn": 9, "endColumn": 11}
assert result["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == "1GiB"
END
    "$lathe" validate --sarif m.yaml m.yaml | python3 -m json.tool >/dev/null || { echo "SARIF of two"; status=1; }
fi

# A folder; profiles and combinations that nobody has chosen.
mkdir many
cat > many/a.yaml <<'END'
lathe: machine/v1
name: a
board: riscv-virt@1
memory: 64MiB
cpus: { model: rv64 }
matrix: { cpus.model: [rv64, rv65], cpus.count: [1, 2] }
profiles:
  big: { memory: 1000TiB }
  fine: { memory: 128MiB }
END
printf 'not: ours\n' > many/other.yaml
"$lathe" validate many 2>said
[ $? = 2 ] || { echo "a folder with a mistake must end with 2"; status=1; }
grep -q '^many/a.yaml, with the profile big:$' said || { echo "a profile that is wrong"; cat said; status=1; }
grep -q '^many/a.yaml, with the matrix at cpus.model=rv65 cpus.count=2:$' said ||
    { echo "a combination"; cat said; status=1; }
grep -q fine said && { echo "a profile that is right"; cat said; status=1; }
exit $status

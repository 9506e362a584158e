#!/bin/sh
# The scripts are ones that their shells take; each option they offer is one that the verb knows.
bin=$PWD/${BUILD:-build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
PATH=$bin:$PATH
status=0
fail() { echo "$1"; status=1; }

for shell in bash zsh fish; do
    lathe completion $shell > $shell || fail "no script for $shell"
    ! command -v $shell >/dev/null || $shell -n $shell || fail "$shell does not take its script"
done
lathe completion csh 2>/dev/null
[ $? = 2 ] || fail "an unknown shell must end with 2"

# offers WORD... : what bash offers for the last word
offers() {
    bash -c '. ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lathe; echo "${COMPREPLY[*]}"' lathe "$@"
}
[ "$(offers lathe val)" = validate ] || fail "verbs: $(offers lathe val)"
[ "$(offers lathe validate --g)" = --github ] || fail "options: $(offers lathe validate --g)"
[ "$(offers lathe dump --stage = ho)" = host ] || fail "values: $(offers lathe dump --stage = ho)"
[ "$(offers lathe map riscv-v)" = riscv-virt ] || fail "boards: $(offers lathe map riscv-v)"
: > mine.yaml
[ "$(offers lathe run mi)" = mine.yaml ] || fail "files: $(offers lathe run mi)"
[ "$(offers lathe img cre)" = create ] || fail "commands: $(offers lathe img cre)"
[ "$(offers lathe io --format qcow)" = "qcow qcow2" ] || fail "formats: $(offers lathe io --format qcow)"
for command in $(lathe help img | sed -n '1s/usage: lathe img \([^ ]*\) .*/\1/p' | tr '|' ' '); do
    lathe img "$command" --help >said || fail "lathe img has no $command"
    sed -n 1p said | grep -q "^usage: lathe img $command " && grep -q '^  -[a-zA-Z], --[a-z]' said &&
        grep -q '^Exit status: 0 fine' said || fail "the help of lathe img $command: $(cat said)"
done

sed -n "s/^    \([a-z]*\),\*) fixed='\([^']*\)'.*/\1 \2/p" bash > table
[ -s table ] || fail "no verbs in the script"
while read -r verb words; do
    for word in $words; do
        case $word in --*) ;; *) continue ;; esac
        said=$(lathe "$verb" "$word" </dev/null 2>&1 | grep -i 'unknown option')
        [ -z "$said" ] || fail "$verb $word: $said"
    done
done < table

# What each shell makes of a line: LINE => RESULT. zsh completes it at a terminal, fish is asked for its offers.
mkdir folder
cat > lines <<'LINES'
lathe valid => lathe validate
lathe validate --gith => lathe validate --github
lathe dump --stage=ho => lathe dump --stage=host
lathe dump --stage ho => lathe dump --stage host
lathe map riscv-v => lathe map riscv-virt
lathe run mi => lathe run mine.yaml
lathe list dev => lathe list devices
lathe img cre => lathe img create
lathe nbd --socket mi => lathe nbd --socket mine.yaml
lathe translate q => lathe translate qemu
lathe board ch => lathe board check
lathe validate --path fol => lathe validate --path folder
lathe help vali => lathe help validate
lathe explain pl01 => lathe explain pl011
LINES
sed 's/ => .*//' lines > typed
sed 's/.* => //' lines > wanted

cat > zsh.py <<'PYTHON'
import os, pty, re, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", ZDOTDIR=os.getcwd())
    os.execvp("zsh", ["zsh", "-f", "-i"])
def until(mark):
    said, end = b"", time.monotonic() + 20
    while mark not in said and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            said += os.read(terminal, 4096)
    return said.decode(errors="replace")
os.write(terminal, b"PS1='' RPS1=''; autoload -U compinit; compinit -u -D; source ./zsh; bindkey -e; echo READ''Y\n")
until(b"READY")
for line in sys.stdin.read().splitlines():     # Tab; then the line becomes what print prints
    os.write(terminal, line.encode() + b"\t\x01print -r -- 'GOT:\x05:EN''D'\n")
    got = re.findall(r"GOT:(.*?):END", until(b":END"))
    print(got[-1].strip() if got else "nothing")
os.close(terminal)
PYTHON
if command -v zsh >/dev/null && command -v python3 >/dev/null; then
    timeout 120 python3 zsh.py < typed > got || fail "zsh"
    diff wanted got || fail "zsh completes in another way"
fi
if command -v fish >/dev/null; then
    fish -c 'source fish
        while read line
            echo (string replace -r "[^ ]*\$" "" -- $line)(complete -C $line | string split -f 1 \t | string trim -r -c /)
        end' < typed > got 2>&1 || fail "fish"
    diff wanted got || fail "fish completes in another way"
fi
exit $status

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

sed -n "s/^    \([a-z]*\),\*) fixed='\([^']*\)'.*/\1 \2/p" bash > table
[ -s table ] || fail "no verbs in the script"
while read -r verb words; do
    for word in $words; do
        case $word in --*) ;; *) continue ;; esac
        said=$(lathe "$verb" "$word" </dev/null 2>&1 | grep -i 'unknown option')
        [ -z "$said" ] || fail "$verb $word: $said"
    done
done < table

if command -v fish >/dev/null; then
    [ "$(fish -c 'source fish; complete -C "lathe validate --gi"' | cut -f 1)" = --github ] || fail "fish"
fi
exit $status

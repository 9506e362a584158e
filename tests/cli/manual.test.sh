#!/bin/sh
# Every verb has a page, which lists all its options, and so does completion; mandoc finds no mistake.
build=$PWD/${BUILD:-build}
lathe=$build/lathe
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
status=0
fail() { echo "FAILED: $1"; status=1; }

"$lathe" completion bash >"$dir/bash" || fail "completion"
for verb in $("$lathe" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    "$lathe" "$verb" one --help </dev/null 2>&1 | grep -qE "^(usage: lathe $verb|lathe img: there is no)" ||
        fail "$verb has no help behind an argument"
    page=man/lathe-$verb.1
    grep -q "^$verb  " man/lathe.1 || fail "man/lathe.1 does not list $verb"
    [ -f "$page" ] || { fail "$verb has no page"; continue; }
    sed 's/\\-/-/g; s/\\f[BIPR]//g' "$page" >"$dir/page"
    grep -qE "^lathe-$verb(,.*)? - " "$dir/page" || fail "$page has another name"
    for option in $("$lathe" help "$verb" | grep -oE -e '(^|[^a-z-])--[a-z][a-z-]*' | grep -oE -e '--[a-z-]*' | sort -u | grep -vxE -e "--(help|version)"); do
        grep -qE -e "$option([^a-z-]|\$)" "$dir/page" || fail "$page does not have $option"
        grep -qE -e "$option([^a-z-]|\$)" "$dir/bash" || fail "completion does not have $option of $verb"
    done
done

# As they are installed: with what the schemas say in them.
for page in man/*.[157]; do
    while IFS= read -r line; do
        case $line in
        '.\" made: '*) "$lathe" explain --man "${line#*made: }" || fail "$page: ${line#*made: }" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done <"$page" >"$dir/${page#man/}"
done
sed -i 's/\\-/-/g' "$dir/lathe-formats.7"
for format in $("$lathe" list formats | cut -d ' ' -f 1); do
    grep -q "^\.SS $format" "$dir/lathe-formats.7" || grep -q 'kind: internal' "schemas/formats/$format.yaml" ||
        fail "lathe-formats(7) does not have $format"
done
command -v mandoc >/dev/null || { echo "mandoc is missing"; [ $status = 0 ] && exit 77; exit 1; }
(cd "$dir" && mandoc -T lint -W warning ./*.[157]) >"$dir/said" 2>&1
# A date of a year is no mistake, nor is a macro in a table, which mandoc does not know and groff does.
grep -vE 'cannot parse date|missing date|STYLE|UNSUPP' "$dir/said" && fail "mandoc has something to say"
exit $status

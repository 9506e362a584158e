#!/bin/sh
# Downloads Debian packages of another architecture or suite and unpacks them; needs apt, but not root.
#   sh tests/guest/fetch.sh ARCH SUITE PACKAGE...
#   sh tests/guest/fetch.sh source SUITE PACKAGE...      their sources, unpacked as they came (no patches of Debian's)
#   sh tests/guest/fetch.sh --mirror        prints the Debian mirror that this machine uses
# Each is unpacked to $GUESTS/ARCH-SUITE/PACKAGE (GUESTS: build/guests) and kept; the folders' names are
# printed, one a line. A name with a * in it (any characters but '-') stands for the newest package it fits.
# apt's state is its own (lists, cache, keys of the machine): the machine's packages are not touched.
# Exit status: 0 all there; 3 could not be fetched (said on stderr).
set -eu
fail() {
    echo "fetch: $*" >&2
    exit 3
}

command -v apt-get >/dev/null 2>&1 || fail "needs apt-get (a Debian host)"

# The mirror this machine is configured for, from either form of sources.
mirror() {
    files=$(ls /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null || true)
    { [ -z "$files" ] || cat $files; } |
        sed -n -e 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p' \
               -e 's/^deb[[:space:]]\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\).*/\2/p' |
        grep '/debian/*$' | head -n 1
}

if [ "$1" = --mirror ]; then
    url=$(mirror)
    [ -n "$url" ] || fail "no Debian mirror in /etc/apt"
    echo "$url"
    exit
fi
guests=${GUESTS:-build/guests}
arch=$1 suite=$2
shift 2
root=$guests/$arch-$suite
state=$root/.apt
mkdir -p "$root"
root=$(cd "$root" && pwd)
state=$root/.apt

machine=$arch kind=deb
[ "$arch" != source ] || machine=amd64 kind=deb-src
apt() {
    command=$1
    shift
    "$command" -q -q -o Dir::State="$state/state" -o Dir::Cache="$state/cache" -o Dir::Etc="$state/etc" \
        -o Dir::Etc::trusted=/etc/apt/trusted.gpg -o Dir::Etc::trustedparts=/etc/apt/trusted.gpg.d \
        -o APT::Architecture="$machine" -o APT::Architectures="$machine" -o Dir::State::status="$state/status" \
        -o APT::Sandbox::User= -o Acquire::Languages=none "$@"
}

prepare() {
    url=$(mirror)
    [ -n "$url" ] || fail "no Debian mirror in /etc/apt"
    mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial" "$state/etc/sources.list.d" \
        "$state/etc/preferences.d" "$state/etc/apt.conf.d"
    [ -f /etc/apt/apt.conf ] && cp /etc/apt/apt.conf "$state/etc/" || true
    cp /etc/apt/apt.conf.d/*proxy* "$state/etc/apt.conf.d/" 2>/dev/null || true
    : > "$state/status"
    echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $url $suite main" > "$state/etc/sources.list"
    apt apt-get update >&2 || fail "cannot read the package lists of $suite/$arch"
}

newest() {      # newest PATTERN: the newest package whose name fits
    apt apt-cache pkgnames | grep -E "^$(echo "$1" | sed 's/[+.]/\\&/g; s/\*/[^-]*/g')\$" | sort -V | tail -n 1
}

for wanted in "$@"; do
    if [ -f "$root/$wanted.unpacked" ]; then
        echo "$root/$(cat "$root/$wanted.unpacked")"
        continue
    fi
    [ -d "$state/state/lists/partial" ] && [ -n "$(ls "$state/state/lists" | grep -E 'Packages|Sources')" ] || prepare
    package=$wanted
    case $wanted in *\**) package=$(newest "$wanted") ;; esac
    [ -n "$package" ] || fail "no package fits '$wanted' in $suite/$arch"
    echo "fetching $package ($suite/$arch)" >&2
    rm -rf "${root:?}/$package"
    if [ "$arch" = source ]; then
        (cd "$root" && apt apt-get source --download-only "$package") >&2 || fail "cannot download $package"
        mkdir "$root/$package"
        tar -xf "$(ls "$root/${package}"_*.orig.tar.*z* | head -n 1)" -C "$root/$package" --strip-components=1 ||
            fail "cannot unpack $package"
        rm -f "$root/${package}"_*
        echo "$package" > "$root/$wanted.unpacked"
        echo "$root/$package"
        continue
    fi
    (cd "$root" && apt apt-get download "$package") >&2 || fail "cannot download $package"
    for deb in "$root/${package}"_*.deb; do
        dpkg-deb -x "$deb" "$root/$package" || fail "cannot unpack $deb"
        rm -f "$deb"
    done
    echo "$package" > "$root/$wanted.unpacked"
    echo "$root/$package"
done

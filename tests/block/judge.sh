# For scripts that let qemu-img judge what `lathe img` makes: a folder to work in, and helpers.
set -eu
lathe=$(realpath "${BUILD:-build}/lathe")
command -v qemu-img >/dev/null 2>&1 || { echo "qemu-img is not installed"; exit 77; }
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "FAILED: $*"; exit 1; }
gives() {   # gives STATUS COMMAND...
    wanted=$1; shift
    status=0; "$@" >said 2>&1 || status=$?
    [ $status = "$wanted" ] || { cat said; fail "$* gave $status, not $wanted"; }
}

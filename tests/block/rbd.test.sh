#!/bin/sh
# The protocol rbd. There is no cluster here: what is shown is what is said without the libraries, and that
# requests arrive at libraries of the same calls which keep an image in a file.
lathe=$(cd "$(dirname "$0")/../.." && pwd)/${BUILD:-build}/lathe
cc=${CC:-cc}
command -v "${cc%% *}" >/dev/null || { echo "no compiler"; exit 77; }
case $(file -L "$lathe" 2>/dev/null)${SAN:-} in *asan*|*address*) echo "not with sanitizers"; exit 77 ;; esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
fail() { echo "FAILED: $*"; exit 1; }
run() { LD_LIBRARY_PATH="$dir" timeout 30 "$lathe" "$@"; }

: > librados.so.2
run img info -f raw rbd://pool/disk > said 2>&1 && fail "opened without librados"
grep -q 'librados.so.2 is missing: install librados2' said || fail "no package named: $(cat said)"

cat > rados.c <<'END'
#include <errno.h>
#include <string.h>
static int cluster;
static const char *user;
int rados_create(void **c, const char *id) { *c = &cluster; user = id; return 0; }
int rados_conf_read_file(void *c, const char *path) { return path && strcmp(path, "/conf") ? -ENOENT : 0; }
int rados_conf_set(void *c, const char *option, const char *value) { return 0; }
int rados_connect(void *c) { return user && strcmp(user, "bob") == 0 ? -EACCES : 0; }
void rados_shutdown(void *c) { }
int rados_ioctx_create(void *c, const char *pool, void **out)
{ *out = c; return strcmp(pool, "pool") == 0 ? 0 : -ENOENT; }
void rados_ioctx_destroy(void *io) { }
END
cat > rbd.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
typedef struct { void (*done)(void *, void *); void *data; ssize_t result; int flush; } Completion;
static int fd;
static int open_it(const char *name, void **out, int flags)
{ fd = open(name, flags); *out = &fd; return fd < 0 ? -errno : 0; }
int rbd_open(void *io, const char *name, void **out, const char *snap) { return open_it(name, out, O_RDWR); }
int rbd_open_read_only(void *io, const char *name, void **out, const char *snap)
{ return snap && strcmp(snap, "then") ? -ENOENT : open_it(name, out, O_RDONLY); }
int rbd_close(void *image) { return close(fd); }
int rbd_get_size(void *image, uint64_t *size) { struct stat s; fstat(fd, &s); *size = s.st_size; return 0; }
int rbd_resize(void *image, uint64_t size) { return ftruncate(fd, size) ? -errno : 0; }
int rbd_aio_create_completion(void *data, void (*done)(void *, void *), void **out)
{ Completion *c = calloc(1, sizeof(*c)); c->done = done; c->data = data; *out = c; return 0; }
ssize_t rbd_aio_get_return_value(void *c) { return ((Completion *)c)->result; }
void rbd_aio_release(void *c) { free(c); }
static void *end_main(void *data) { Completion *c = data; c->done(c, c->data); return NULL; }
static int end(Completion *c, ssize_t result)
{   /* on another thread, as the library does */
    pthread_t t; c->result = result < 0 ? -errno : result;
    pthread_create(&t, NULL, end_main, c); pthread_detach(t); return 0; }
int rbd_aio_readv(void *i, const struct iovec *v, int n, uint64_t at, void *c)
{ return end(c, preadv(fd, v, n, at)); }
int rbd_aio_writev(void *i, const struct iovec *v, int n, uint64_t at, void *c)
{ return end(c, pwritev(fd, v, n, at) < 0 ? -1 : 0); }
int rbd_aio_discard(void *i, uint64_t at, uint64_t length, void *c) { return end(c, 0); }
int rbd_aio_flush(void *i, void *c)
{ int log = open("flushes", O_WRONLY | O_CREAT | O_APPEND, 0644); write(log, "x", 1); close(log); return end(c, 0); }
END
rm librados.so.2
for name in rados:2 rbd:1; do
    $cc -shared -fPIC -pthread -w -o "lib${name%:*}.so.${name#*:}" "${name%:*}.c" || fail "compiling"
done

head -c 3000000 /dev/urandom > disk
truncate -s 16M disk
cp disk before
run img convert -q -f raw -O raw 'rbd://pool/disk?conf=/conf&user=ann' copy > said 2>&1 || fail "reading: $(cat said)"
cmp copy before || fail "other bytes"
run img info -f raw rbd:pool/disk > /dev/null || fail "the form without slashes"
for mode in writeback none writethrough directsync unsafe; do
    rm -f flushes
    run io -f raw -t $mode -c 'write 4097 70000 0x5a' -c 'write 1M 9M 7' -c 'read 4097 70000 0x5a' -c 'read 1M 9M 7' \
        -c 'zero 1M 64k' -c 'read 1M 64k 0' rbd://pool/disk > said 2>&1 || fail "$mode: $(cat said)"
    flushes=$(cat flushes 2>/dev/null | wc -c)
    case $mode in
    unsafe) [ "$flushes" = 0 ] || fail "$mode flushed" ;;
    writethrough|directsync) [ "$flushes" -ge 3 ] || fail "$mode: $flushes flushes for three writes" ;;
    *) [ "$flushes" -ge 1 ] || fail "$mode: not flushed at the end" ;;
    esac
done
run img resize -f raw rbd://pool/disk 20M > said 2>&1 || fail "resize: $(cat said)"
[ "$(stat -c %s disk)" = 20971520 ] || fail "not resized"

refused() { text=$1; shift; run "$@" > said 2>&1 && fail "not refused: $*"; grep -q -- "$text" said || fail "not '$text': $(cat said)"; }
refused 'cannot be opened: Permission denied' img info -f raw 'rbd://pool/disk?user=bob'
refused 'does not\|cannot be opened: No such' img info -f raw rbd://pool/other
refused 'not of the form rbd://POOL/IMAGE' img info -f raw rbd://pool
refused 'no parameter .pwd.' img info -f raw 'rbd://pool/disk?pwd=1'
refused 'is a snapshot, read-only' io -f raw -c 'write 0 512' rbd://pool/disk@then
run img info -f raw rbd://pool/disk@then > /dev/null || fail "a snapshot"
exit 0

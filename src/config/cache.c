/* Downloads go to partial/ under the hash of their URL, with a lock file beside them. */
#include "config/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "config/curl.h"

#define DIGEST_PREFIX "sha256:"

enum {
    DIGEST_LENGTH = 64,
    MOST_REDIRECTS = 8,
    STALLED_SECONDS = 60, /* without a byte */
    CONNECT_SECONDS = 30,
};

/* ---- places ---- */

static char *cache_folder(const char *name)
{
    return g_build_filename(g_get_user_cache_dir(), "lathe", "images", name, NULL);
}

static bool is_digest(const char *digest)
{
    const char *hex = digest ? digest + strlen(DIGEST_PREFIX) : NULL;

    return digest && g_str_has_prefix(digest, DIGEST_PREFIX) && strlen(hex) == DIGEST_LENGTH &&
        strspn(hex, "0123456789abcdef") == DIGEST_LENGTH;
}

char *cache_path(const char *digest)
{
    return is_digest(digest) ? cache_folder(digest + strlen(DIGEST_PREFIX)) : NULL;
}

static bool fail(GError **error, const char *what, const char *about)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot %s `%s`: %s", what,
        about, g_strerror(errno));
    return false;
}

void cache_entry_clear(CacheEntry *entry)
{
    g_clear_pointer(&entry->digest, g_free);
    g_clear_pointer(&entry->url, g_free);
}

/* ---- digests ---- */

static bool sum_file(GChecksum *sum, int fd, uint64_t *size)
{
    g_autofree unsigned char *buffer = g_malloc(1 << 16);
    ssize_t got;

    *size = 0;
    while ((got = read(fd, buffer, 1 << 16)) > 0) {
        g_checksum_update(sum, buffer, got);
        *size += got;
    }
    return got == 0;
}

static char *digest_of(GChecksum *sum)
{
    return g_strconcat(DIGEST_PREFIX, g_checksum_get_string(sum), NULL);
}

char *cache_digest_file(const char *path, uint64_t *size, GError **error)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    bool fine = fd >= 0 && sum_file(sum, fd, size);

    if (!fine) {
        fail(error, "read", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return fine ? digest_of(sum) : NULL;
}

static bool is_there(const char *digest, CacheEntry *out)
{
    g_autofree char *path = cache_path(digest);
    GStatBuf info;

    if (!path || g_stat(path, &info) != 0) {
        return false;
    }
    *out = (CacheEntry){ .digest = g_strdup(digest), .size = info.st_size };
    return true;
}

#ifdef HAVE_LIBCURL

/* ---- a transfer ---- */

/* One download. */
typedef struct Download {
    const CacheWish *wish;
    const Curl *lib;
    CURL *curl;
    char *part; /* where it is collected */
    int lock;   /* a file descriptor */
    int fd;
    GChecksum *sum;
    uint64_t start, size; /* bytes there when the transfer began, and now */
    bool too_long;
    int write_error;
} Download;

static size_t take_bytes(char *bytes, size_t size, size_t count, void *data)
{
    Download *d = data;
    size_t length = size * count;

    if (d->wish->size && d->size + length > d->wish->size) {
        d->too_long = true;
        return 0;
    }
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(d->fd, bytes + done, length - done);

        if (wrote < 0 && errno != EINTR) {
            d->write_error = errno;
            return 0;
        }
        done += MAX(wrote, 0);
    }
    g_checksum_update(d->sum, (const guchar *)bytes, length);
    d->size += length;
    return length;
}

static int show_progress(
    void *data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
    Download *d = data;

    if (d->wish->progress) {
        d->wish->progress(d->wish->data, d->start + now, total ? d->start + total : 0);
    }
    return 0;
}

static void set_options(Download *d)
{
    d->lib->easy_setopt(d->curl, CURLOPT_URL, d->wish->url);
    d->lib->easy_setopt(d->curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
    d->lib->easy_setopt(d->curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    d->lib->easy_setopt(d->curl, CURLOPT_FOLLOWLOCATION, 1L);
    d->lib->easy_setopt(d->curl, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
    d->lib->easy_setopt(d->curl, CURLOPT_FAILONERROR, 1L);
    d->lib->easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
    d->lib->easy_setopt(d->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    d->lib->easy_setopt(d->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    d->lib->easy_setopt(d->curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
    d->lib->easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    d->lib->easy_setopt(d->curl, CURLOPT_WRITEDATA, d);
    d->lib->easy_setopt(d->curl, CURLOPT_NOPROGRESS, 0L);
    d->lib->easy_setopt(d->curl, CURLOPT_XFERINFOFUNCTION, show_progress);
    d->lib->easy_setopt(d->curl, CURLOPT_XFERINFODATA, d);
    d->lib->easy_setopt(d->curl, CURLOPT_USERAGENT, "lathe");
}

static bool start_over(Download *d)
{
    g_checksum_reset(d->sum);
    d->size = 0;
    return ftruncate(d->fd, 0) == 0 && lseek(d->fd, 0, SEEK_SET) == 0;
}

static CURLcode transfer(Download *d)
{
    d->start = d->size;
    d->lib->easy_setopt(d->curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)d->size);
    return d->lib->easy_perform(d->curl);
}

static bool report_transfer(const Download *d, CURLcode code, GError **error)
{
    long status = 0;

    d->lib->easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    if (d->write_error) {
        errno = d->write_error;
        return fail(error, "write", d->part);
    }
    if (d->too_long) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
            "`%s` is longer than the %" G_GUINT64_FORMAT " bytes it must have", d->wish->url,
            d->wish->size);
    } else if (code == CURLE_HTTP_RETURNED_ERROR) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
            "cannot fetch `%s`: the server says %ld", d->wish->url, status);
    } else {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot fetch `%s`: %s", d->wish->url,
            d->lib->easy_strerror(code));
    }
    return false;
}

/* Whether what is there now is what is wanted. */
static bool fits(const Download *d, char **digest)
{
    g_autoptr(GChecksum) copy = g_checksum_copy(d->sum);

    *digest = digest_of(copy);
    return !d->wish->digest || strcmp(d->wish->digest, *digest) == 0;
}

/*
 * The rest of the bytes. A server that cannot go on in the middle, or that has another file by
 * now, is asked for all of it, once.
 */
static bool collect(Download *d, char **digest, GError **error)
{
    bool resumed = d->size > 0;
    CURLcode code = transfer(d);

    if (resumed && (code != CURLE_OK || !fits(d, digest)) && !d->write_error) {
        g_clear_pointer(digest, g_free);
        d->too_long = false;
        code = start_over(d) ? transfer(d) : CURLE_WRITE_ERROR;
    }
    if (code != CURLE_OK) {
        return report_transfer(d, code, error);
    }
    g_clear_pointer(digest, g_free);
    if (!fits(d, digest)) {
        start_over(d);
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
            "`%s` is not what was pinned: it is %s, not %s", d->wish->url, *digest,
            d->wish->digest);
        return false;
    }
    return true;
}

/* ---- around it ---- */

/* The lock is let go when its file is closed, whatever becomes of us. */
static bool open_part(Download *d, GError **error)
{
    g_autofree char *folder = cache_folder("partial");
    g_autofree char *name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, d->wish->url, -1);
    g_autofree char *lock = g_strdup_printf("%s/%s.lock", folder, name);

    d->part = g_build_filename(folder, name, NULL);
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        return fail(error, "make the folder", folder);
    }
    d->lock = g_open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (d->lock < 0 || flock(d->lock, LOCK_EX) != 0) {
        return fail(error, "lock", lock);
    }
    d->fd = g_open(d->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (d->fd < 0 || !sum_file(d->sum, d->fd, &d->size)) {
        return fail(error, "read", d->part);
    }
    return true;
}

/* Under its final name, once it is on the disk. */
static bool keep(const Download *d, const char *digest, GError **error)
{
    g_autofree char *path = cache_path(digest);

    if (fsync(d->fd) != 0 || fchmod(d->fd, 0444) != 0 || g_rename(d->part, path) != 0) {
        return fail(error, "keep", path);
    }
    return true;
}

static bool fetch(Download *d, CacheEntry *out, GError **error)
{
    g_autofree char *digest = NULL;
    char *url = NULL;

    if (!open_part(d, error)) {
        return false;
    }
    if (is_there(d->wish->digest, out)) {
        return true; /* another process was faster */
    }
    set_options(d);
    if (!collect(d, &digest, error) || !keep(d, digest, error)) {
        return false;
    }
    d->lib->easy_getinfo(d->curl, CURLINFO_EFFECTIVE_URL, &url);
    *out = (CacheEntry){ g_steal_pointer(&digest), g_strdup(url), d->size, true };
    return true;
}

static void download_clear(Download *d)
{
    if (d->fd >= 0) {
        close(d->fd);
    }
    if (d->lock >= 0) {
        close(d->lock);
    }
    g_free(d->part);
    g_checksum_free(d->sum);
    d->lib->easy_cleanup(d->curl);
}

static bool download(const CacheWish *wish, CacheEntry *out, GError **error)
{
    Download d = { .wish = wish, .lock = -1, .fd = -1, .lib = curl_load(error) };
    bool fine;

    if (!d.lib) {
        return false;
    }
    d.curl = d.lib->easy_init();
    d.sum = g_checksum_new(G_CHECKSUM_SHA256);
    fine = fetch(&d, out, error);
    download_clear(&d);
    return fine;
}

#else

static bool download(const CacheWish *wish, CacheEntry *out, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
        "lathe was built without libcurl, which fetches images");
    return false;
}

#endif

bool cache_fetch(const CacheWish *wish, CacheEntry *out, GError **error)
{
    return is_there(wish->digest, out) || download(wish, out, error);
}

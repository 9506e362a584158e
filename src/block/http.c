/*
 * The protocols `http` and `https`: a disk that a web server has, read-only, in ranges, by libcurl.
 * Pieces that were read are kept, as guests read near to where they have read before.
 */
#include "block/block.h"
#include "core/dynamic.h"
#include "core/have.h"

static const char *const schemes[] = { "http", "https", NULL };

#ifdef HAVE_LIBCURL
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "block/co-mutex.h"
#include "block/engine.h"

enum { PIECE = 256 * 1024, PIECES = 32, CONNECT_SECONDS = 10, STALL_SECONDS = 30, TRIES = 3 };

#define CALLS(C)                                                                                   \
    C(curl_easy_init)                                                                              \
    C(curl_easy_cleanup)                                                                           \
    C(curl_easy_perform)                                                                           \
    C(curl_easy_setopt)                                                                            \
    C(curl_easy_getinfo)                                                                           \
    C(curl_easy_strerror)

static struct {
    CALLS(DYNAMIC_POINTER)
} lib;
static const DynamicCall calls[] = { CALLS(DYNAMIC_CALL){} };

typedef struct Piece {
    uint64_t number, used; /* when it was asked for last; 0: holds nothing */
    uint8_t *bytes;
} Piece;

typedef struct Http {
    CURL *curl;
    Engine *threads; /* curl waits: on one of these */
    CoMutex mutex;   /* of all below, and of curl */
    Piece pieces[PIECES];
    uint64_t clock;
    /* What the last answer said; `tag` and `changed` also when it was opened. NULL: nothing. */
    char *range, *tag, *changed, *first_tag, *first_changed;
} Http;

/* One range, while it is fetched. */
typedef struct Fetch {
    Http *http;
    uint64_t at, length, got;
    uint64_t size; /* of the whole file */
    uint8_t *out;
} Fetch;

/* "Name: value\r\n" */
static char *header_value(const char *line, size_t length, const char *name)
{
    size_t skip = strlen(name);

    return length > skip && g_ascii_strncasecmp(line, name, skip) == 0
        ? g_strstrip(g_strndup(line + skip, length - skip))
        : NULL;
}

static void keep_header(char **place, char *value)
{
    if (value) {
        g_free(*place);
        *place = value;
    }
}

static size_t take_header(char *line, size_t size, size_t count, void *to)
{
    Http *h = to;

    if (count > 5 && memcmp(line, "HTTP/", 5) == 0) { /* of a redirection before, perhaps */
        g_clear_pointer(&h->range, g_free);
        g_clear_pointer(&h->tag, g_free);
        g_clear_pointer(&h->changed, g_free);
    }
    keep_header(&h->range, header_value(line, count, "Content-Range:"));
    keep_header(&h->tag, header_value(line, count, "ETag:"));
    keep_header(&h->changed, header_value(line, count, "Last-Modified:"));
    return count;
}

static bool differ(const char *one, const char *other)
{
    return one && other && strcmp(one, other) != 0;
}

/* RFC 9110, 14.4: what was asked for, of a file that is still as long, and is the same. */
static bool is_answer(const Fetch *f)
{
    const Http *h = f->http;
    g_autofree char *wanted = g_strdup_printf(
        "bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/", f->at, f->at + f->length - 1);
    const char *total = h->range && g_str_has_prefix(h->range, wanted) ? h->range + strlen(wanted)
                                                                       : NULL;

    return total && (strcmp(total, "*") == 0 || g_ascii_strtoull(total, NULL, 10) == f->size) &&
        !differ(h->tag, h->first_tag) && !differ(h->changed, h->first_changed);
}

static size_t take_bytes(char *data, size_t size, size_t count, void *to)
{
    Fetch *f = to;

    if (count > f->length - f->got) {
        return 0; /* more than was asked for: an error to curl */
    }
    memcpy(f->out + f->got, data, count);
    f->got += count;
    return count;
}

/* On a worker. A server that does not know ranges answers 200, with the whole file. */
static int64_t fetch_call(void *data)
{
    Fetch *f = data;
    CURL *curl = f->http->curl;
    g_autofree char *range = g_strdup_printf(
        "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, f->at, f->at + f->length - 1);
    long status = 0;

    lib.curl_easy_setopt(curl, CURLOPT_RANGE, range);
    lib.curl_easy_setopt(curl, CURLOPT_WRITEDATA, f);
    for (unsigned i = 0; i < TRIES; i++) {
        f->got = 0;
        if (lib.curl_easy_perform(curl) == CURLE_OK && f->got == f->length) {
            lib.curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
            return status == 206 && is_answer(f) ? 0 : -EIO;
        }
    }
    return -EIO;
}

/* [co] */
static int fetch(BlockNode *node, uint64_t at, uint64_t length, uint8_t *out)
{
    Http *h = node->state;
    Fetch f = { .http = h, .at = at, .length = length, .size = node->length, .out = out };
    EngineOp op = { .kind = ENGINE_CALL, .call = fetch_call, .data = &f };

    return engine_run(h->threads, &op);
}

/* The piece of this number if it is kept, or the one that was not asked for the longest. */
static Piece *find_piece(Http *h, uint64_t number)
{
    Piece *oldest = &h->pieces[0];

    for (unsigned i = 0; i < PIECES; i++) {
        Piece *piece = &h->pieces[i];

        if (piece->used && piece->number == number) {
            return piece;
        }
        oldest = piece->used < oldest->used ? piece : oldest;
    }
    return oldest;
}

static int get_piece(BlockNode *node, uint64_t number, Piece **out)
{
    Http *h = node->state;
    Piece *piece = find_piece(h, number);
    int result = 0;

    *out = piece;
    if (!piece->used || piece->number != number) {
        piece->bytes = piece->bytes ? piece->bytes : g_malloc(PIECE);
        piece->number = number;
        piece->used = 0;
        result = fetch(
            node, number * PIECE, MIN(PIECE, node->length - number * PIECE), piece->bytes);
    }
    piece->used = result == 0 ? ++h->clock : 0;
    return result;
}

static int http_transfer(BlockNode *node, const BlockIo *io)
{
    Http *h = node->state;
    int result = 0;

    if (io->op != BLOCK_READ) {
        return io->op == BLOCK_FLUSH ? 0 : -EROFS;
    }
    co_mutex_lock(&h->mutex);
    for (uint64_t done = 0; done < io->length && result == 0;) {
        uint64_t at = io->at + done, part = MIN(io->length - done, PIECE - at % PIECE);
        Piece *piece;

        result = get_piece(node, at / PIECE, &piece);
        if (result == 0) {
            block_memory_store(
                block_memory_after(io->memory, done), piece->bytes + at % PIECE, part);
        }
        done += part;
    }
    co_mutex_unlock(&h->mutex);
    return result;
}

/* ---- opening ---- */

static int64_t head_call(void *data)
{
    return lib.curl_easy_perform(data);
}

/* [co] */
static bool find_length(BlockNode *node, GError **error)
{
    Http *h = node->state;
    EngineOp op = { .kind = ENGINE_CALL, .call = head_call, .data = h->curl };
    curl_off_t length = -1;
    CURLcode code;

    lib.curl_easy_setopt(h->curl, CURLOPT_NOBODY, 1L);
    code = engine_run(h->threads, &op);
    lib.curl_easy_setopt(h->curl, CURLOPT_NOBODY, 0L);
    lib.curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L);
    if (code == CURLE_OK) {
        lib.curl_easy_getinfo(h->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    }
    if (length < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_MISSING, "`%s` cannot be read: %s", node->name,
            code == CURLE_OK ? "the server does not say how long it is"
                             : lib.curl_easy_strerror(code));
        return false;
    }
    node->length = length;
    h->first_tag = g_steal_pointer(&h->tag);
    h->first_changed = g_steal_pointer(&h->changed);
    return true;
}

static void set_up(Http *h, const char *url)
{
    CURL *curl = h->curl;

    lib.curl_easy_setopt(curl, CURLOPT_URL, url);
    lib.curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    lib.curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    lib.curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    lib.curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 8L);
    lib.curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    lib.curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    lib.curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    lib.curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    lib.curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    lib.curl_easy_setopt(curl, CURLOPT_HEADERDATA, h);
#if LIBCURL_VERSION_NUM >= 0x075500
    lib.curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    lib.curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#endif
}

static bool http_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Http *h = node->state;

    if (!node->read_only) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION,
            "`%s` cannot be opened for writing: the protocol only reads", node->name);
        return false;
    }
    if (!dynamic_load("libcurl-gnutls.so.4", "libcurl3-gnutls", calls, &lib, error)) {
        return false;
    }
    h->threads = engine_get(AIO_THREADS, node->loop, error);
    if (!h->threads) {
        return false;
    }
    h->curl = lib.curl_easy_init();
    if (!h->curl) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "libcurl does not start");
        return false;
    }
    set_up(h, node->name);
    return find_length(node, error);
}

static void http_close(BlockNode *node)
{
    Http *h = node->state;

    if (h->curl) {
        lib.curl_easy_cleanup(h->curl);
    }
    engine_unref(h->threads);
    g_free(h->range);
    g_free(h->tag);
    g_free(h->changed);
    g_free(h->first_tag);
    g_free(h->first_changed);
    for (unsigned i = 0; i < PIECES; i++) {
        g_free(h->pieces[i].bytes);
    }
}

#else

static bool http_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
        "`%s`: lathe was built without http: install libcurl4-gnutls-dev and build it again",
        node->name);
    return false;
}

#define http_close NULL
#define http_transfer NULL
typedef char Http;

#endif

BLOCK_DRIVER(http) = {
    .name = "http",
    .protocol = true,
    .schemes = schemes,
    .state_size = sizeof(Http),
    .open = http_open,
    .close = http_close,
    .transfer = http_transfer,
};

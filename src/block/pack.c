#include "block/pack.h"

#include <errno.h>
#include <zlib.h>

#include "block/engine.h"
#include "core/dynamic.h"
#include "core/have.h"

#ifdef HAVE_LIBZSTD
#include <zstd.h>
#endif

enum { DEFLATE_WINDOW = 12, DEFLATE_MEMORY = 9 };

static int window_of(PackMethod method)
{
    return method == PACK_DEFLATE ? -DEFLATE_WINDOW : MAX_WBITS;
}

/* ---- deflate ---- */

static int64_t deflate_pack(const Packing *p)
{
    z_stream stream = { .next_in = (void *)p->from,
        .avail_in = p->from_size,
        .next_out = p->to,
        .avail_out = p->to_size };
    int result;

    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_of(p->method),
            DEFLATE_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        return -ENOMEM;
    }
    result = deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return result == Z_STREAM_END ? (int64_t)(p->to_size - stream.avail_out) : -EMSGSIZE;
}

static int64_t deflate_unpack(const Packing *p)
{
    z_stream stream = { .next_in = (void *)p->from,
        .avail_in = p->from_size,
        .next_out = p->to,
        .avail_out = p->to_size };
    int result;

    if (inflateInit2(&stream, window_of(p->method)) != Z_OK) {
        return -ENOMEM;
    }
    result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    /* Z_BUF_ERROR: the end of the stream was not reached, because the output is full. */
    return result == Z_STREAM_END || (result == Z_BUF_ERROR && stream.avail_out == 0)
        ? (int64_t)(p->to_size - stream.avail_out)
        : -EIO;
}

/* ---- zstd, if the library was there when this was built ---- */

#ifdef HAVE_LIBZSTD
static int64_t zstd_pack(const Packing *p)
{
    size_t size = ZSTD_compress(p->to, p->to_size, p->from, p->from_size, ZSTD_CLEVEL_DEFAULT);

    return ZSTD_isError(size) ? -EMSGSIZE : (int64_t)size;
}

/* As a stream, since the frame may say neither how long it is nor what it holds. */
static int64_t zstd_unpack(const Packing *p)
{
    ZSTD_inBuffer in = { p->from, p->from_size, 0 };
    ZSTD_outBuffer out = { p->to, p->to_size, 0 };
    ZSTD_DStream *stream = ZSTD_createDStream();
    size_t left = 1;

    while (stream && left > 0 && !ZSTD_isError(left) && in.pos < in.size && out.pos < out.size) {
        left = ZSTD_decompressStream(stream, &out, &in);
    }
    ZSTD_freeDStream(stream);
    return !stream ? -ENOMEM : ZSTD_isError(left) ? -EIO : (int64_t)out.pos;
}
#else
static int64_t zstd_pack(const Packing *p)
{
    return -ENOTSUP;
}

static int64_t zstd_unpack(const Packing *p)
{
    return -ENOTSUP;
}
#endif

/* ---- bzip2, of which nothing is needed but this ---- */

int BZ2_bzBuffToBuffDecompress(
    char *to, unsigned *to_size, char *from, unsigned from_size, int small, int verbosity);

#define BZIP2_CALLS(C) C(BZ2_bzBuffToBuffDecompress)

static int64_t bzip2_pack(const Packing *p)
{
    return -ENOTSUP;
}

static int64_t bzip2_unpack(const Packing *p)
{
    static struct {
        BZIP2_CALLS(DYNAMIC_POINTER)
    } bzip2;
    static const DynamicCall calls[] = { BZIP2_CALLS(DYNAMIC_CALL){} };
    unsigned size = MIN(p->to_size, INT32_MAX);

    if (!dynamic_load("libbz2.so.1.0", "libbz2-1.0", calls, &bzip2, NULL)) {
        return -ENOTSUP;
    }
    return bzip2.BZ2_bzBuffToBuffDecompress(p->to, &size, (char *)p->from, p->from_size, 0, 0) == 0
        ? (int64_t)size
        : -EIO;
}

/* ---- all of them ---- */

static const struct {
    int64_t (*pack)(const Packing *packing);
    int64_t (*unpack)(const Packing *packing);
} methods[] = {
    [PACK_DEFLATE] = { deflate_pack, deflate_unpack },
    [PACK_ZLIB] = { deflate_pack, deflate_unpack },
    [PACK_ZSTD] = { zstd_pack, zstd_unpack },
    [PACK_BZIP2] = { bzip2_pack, bzip2_unpack },
};

int64_t pack(const Packing *packing)
{
    return methods[packing->method].pack(packing);
}

int64_t unpack(const Packing *packing)
{
    return methods[packing->method].unpack(packing);
}

static int64_t pack_call(void *data)
{
    return pack(data);
}

int64_t pack_on_thread(IoLoop *loop, Packing *packing)
{
    g_autoptr(Engine) engine = engine_get(AIO_THREADS, loop, NULL);
    EngineOp op = { .kind = ENGINE_CALL, .call = pack_call, .data = packing };

    return engine_run(engine, &op);
}

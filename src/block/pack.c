#include "block/pack.h"

#include <errno.h>
#include <zlib.h>

#include "block/engine.h"
#include "core/dynamic.h"
#include "core/have.h"

#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif
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

/* ---- deflate by libdeflate, which takes half the time, where it is ---- */

#ifdef HAVE_LIBDEFLATE
enum { DEFLATE_LEVEL = 6 }; /* zlib's own choice */

/* clang-format off */
#define DEFLATE_CALLS(C) \
    C(libdeflate_alloc_compressor) C(libdeflate_free_compressor) \
    C(libdeflate_deflate_compress) C(libdeflate_zlib_compress) \
    C(libdeflate_alloc_decompressor) C(libdeflate_free_decompressor) \
    C(libdeflate_deflate_decompress_ex) C(libdeflate_zlib_decompress_ex)
/* clang-format on */

static struct {
    DEFLATE_CALLS(DYNAMIC_POINTER)
} quick;
static const DynamicCall quick_calls[] = { DEFLATE_CALLS(DYNAMIC_CALL){} };
static DynamicLibrary quick_library = { "libdeflate.so.0", "libdeflate0", quick_calls, &quick };

static void free_compressor(void *it)
{
    quick.libdeflate_free_compressor(it);
}

static void free_decompressor(void *it)
{
    quick.libdeflate_free_decompressor(it);
}

static GPrivate compressors = G_PRIVATE_INIT(free_compressor);
static GPrivate decompressors = G_PRIVATE_INIT(free_decompressor);

/* One for each thread that packs. */
static struct libdeflate_compressor *compressor(void)
{
    struct libdeflate_compressor *it = g_private_get(&compressors);

    if (!it && dynamic_ready(&quick_library)) {
        it = quick.libdeflate_alloc_compressor(DEFLATE_LEVEL);
        g_private_set(&compressors, it);
    }
    return it;
}

static struct libdeflate_decompressor *decompressor(void)
{
    struct libdeflate_decompressor *it = g_private_get(&decompressors);

    if (!it && dynamic_ready(&quick_library)) {
        it = quick.libdeflate_alloc_decompressor();
        g_private_set(&decompressors, it);
    }
    return it;
}

/*
 * Distances may be longer than the window that others write with: whoever unpacks a cluster into
 * one buffer, as all do, does not need a window.
 */
static int64_t quick_pack(const Packing *p)
{
    struct libdeflate_compressor *with = compressor();
    size_t size = !with ? 0
        : p->method == PACK_DEFLATE
        ? quick.libdeflate_deflate_compress(with, p->from, p->from_size, p->to, p->to_size)
        : quick.libdeflate_zlib_compress(with, p->from, p->from_size, p->to, p->to_size);

    return with ? size > 0 ? (int64_t)size : -EMSGSIZE : deflate_pack(p);
}

/* What it does not like, a stream without an end for one, may still be fine for zlib. */
static int64_t quick_unpack(const Packing *p)
{
    struct libdeflate_decompressor *with = decompressor();
    size_t from, size = 0;
    enum libdeflate_result result = !with ? LIBDEFLATE_BAD_DATA
        : p->method == PACK_DEFLATE       ? quick.libdeflate_deflate_decompress_ex(with, p->from,
                                                p->from_size, p->to, p->to_size, &from, &size)
                                          : quick.libdeflate_zlib_decompress_ex(with, p->from,
                                                p->from_size, p->to, p->to_size, &from, &size);

    return result == LIBDEFLATE_SUCCESS ? (int64_t)size : deflate_unpack(p);
}
#else
#define quick_pack deflate_pack
#define quick_unpack deflate_unpack
#endif

/* ---- zstd ---- */

#ifdef HAVE_LIBZSTD
/* clang-format off */
#define ZSTD_CALLS(C) \
    C(ZSTD_createCCtx) C(ZSTD_freeCCtx) C(ZSTD_compressCCtx) C(ZSTD_createDStream) \
    C(ZSTD_freeDStream) C(ZSTD_decompressStream) C(ZSTD_isError)
/* clang-format on */

static struct {
    ZSTD_CALLS(DYNAMIC_POINTER)
} zstd;
static const DynamicCall zstd_calls[] = { ZSTD_CALLS(DYNAMIC_CALL){} };
static DynamicLibrary zstd_library = { "libzstd.so.1", "libzstd1", zstd_calls, &zstd };

static void free_context(void *context)
{
    zstd.ZSTD_freeCCtx(context);
}

static GPrivate zstd_contexts = G_PRIVATE_INIT(free_context);

static int64_t zstd_pack(const Packing *p)
{
    ZSTD_CCtx *context = g_private_get(&zstd_contexts);
    size_t size;

    if (!dynamic_ready(&zstd_library)) {
        return -ENOTSUP;
    }
    if (!context) {
        context = zstd.ZSTD_createCCtx();
        g_private_set(&zstd_contexts, context);
    }
    if (!context) {
        return -ENOMEM;
    }
    size = zstd.ZSTD_compressCCtx(
        context, p->to, p->to_size, p->from, p->from_size, ZSTD_CLEVEL_DEFAULT);

    return zstd.ZSTD_isError(size) ? -EMSGSIZE : (int64_t)size;
}

/* As a stream, since the frame may say neither how long it is nor what it holds. */
static int64_t zstd_unpack(const Packing *p)
{
    ZSTD_inBuffer in = { p->from, p->from_size, 0 };
    ZSTD_outBuffer out = { p->to, p->to_size, 0 };
    ZSTD_DStream *stream;
    size_t left = 1;

    if (!dynamic_ready(&zstd_library)) {
        return -ENOTSUP;
    }
    stream = zstd.ZSTD_createDStream();
    while (
        stream && left > 0 && !zstd.ZSTD_isError(left) && in.pos < in.size && out.pos < out.size) {
        left = zstd.ZSTD_decompressStream(stream, &out, &in);
    }
    zstd.ZSTD_freeDStream(stream);
    return !stream ? -ENOMEM : zstd.ZSTD_isError(left) ? -EIO : (int64_t)out.pos;
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
    static DynamicLibrary library = { "libbz2.so.1.0", "libbz2-1.0", calls, &bzip2 };
    unsigned size = MIN(p->to_size, INT32_MAX);

    if (!dynamic_ready(&library)) {
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
    [PACK_DEFLATE] = { quick_pack, quick_unpack },
    [PACK_ZLIB] = { quick_pack, quick_unpack },
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

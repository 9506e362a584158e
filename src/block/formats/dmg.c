/*
 * The format `dmg`: disk images of macOS (UDIF), to be read. A trailer says where a property list
 * is; that holds tables of chunks, each of which is zeroes, plain or compressed sectors. Numbers
 * are big endian.
 */
#include <errno.h>
#include <string.h>

#include "block/formats/sparse.h"
#include "block/pack.h"

/* Offsets in the trailer, the last bytes of the file. */
enum {
    TRAILER = 512,
    SEGMENTS = 60,
    XML_OFFSET = 216,
    XML_LENGTH = 224,
    SECTORS = 492,
};

/* Offsets in a table, and in a chunk of it. */
enum {
    TABLE_SECTOR = 8,
    TABLE_DATA = 24,
    TABLE_CHUNKS = 200,
    TABLE_HEAD = 204,
    CHUNK_SECTOR = 8,
    CHUNK_SECTORS = 16,
    CHUNK_OFFSET = 24,
    CHUNK_LENGTH = 32,
    CHUNK_SIZE = 40,
};

enum {
    SECTOR = 512,
    XML_MOST = 32 << 20,
    CHUNKS_MOST = 1 << 20,
    UNPACKED_MOST = 64 << 20, /* bytes of a chunk */
};

/* What chunks are. */
enum {
    KIND_ZERO = 0,
    KIND_PLAIN = 1,
    KIND_UNUSED = 2,
    KIND_ZLIB = (int)0x80000005,
    KIND_BZIP2 = (int)0x80000006,
    KIND_COMMENT = 0x7ffffffe,
    KIND_END = -1,
};

static const struct {
    int kind;
    const char *name;
} refused[] = { { (int)0x80000004, "ADC" }, { (int)0x80000007, "LZFSE" },
    { (int)0x80000008, "LZMA" } };

typedef struct Chunk {
    uint64_t at, length;    /* bytes of the disk */
    uint64_t offset, bytes; /* in the file */
    int kind;
} Chunk;

typedef struct Dmg {
    GArray *chunks; /* of Chunk, in the order of the disk */
    uint8_t *unpacked;
    uint64_t unpacked_chunk; /* its number + 1; 0: none */
} Dmg;

/* ---- tables ---- */

static bool take_chunk(BlockNode *node, const uint8_t *table, const uint8_t *at, GError **error)
{
    Dmg *d = node->state;
    uint64_t first = load_be(table + TABLE_SECTOR, 8), sector = load_be(at + CHUNK_SECTOR, 8),
             sectors = load_be(at + CHUNK_SECTORS, 8), base = load_be(table + TABLE_DATA, 8);
    Chunk chunk = {
        .kind = load_be(at, 4),
        .offset = load_be(at + CHUNK_OFFSET, 8) + base,
        .bytes = load_be(at + CHUNK_LENGTH, 8),
    };
    bool packed = chunk.kind == KIND_ZLIB || chunk.kind == KIND_BZIP2;

    if (chunk.kind == KIND_COMMENT || chunk.kind == KIND_END || sectors == 0) {
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
        if (chunk.kind == refused[i].kind) {
            return block_refuse(node, error,
                "is compressed by %s; known are zlib and bzip2: convert it by `hdiutil convert "
                "-format UDZO`",
                refused[i].name);
        }
    }
    if ((!packed && (chunk.kind < KIND_ZERO || chunk.kind > KIND_UNUSED)) ||
        first > INT64_MAX / SECTOR || sector > INT64_MAX / SECTOR - first ||
        sectors > INT64_MAX / SECTOR - first - sector || base > INT64_MAX ||
        (packed && (sectors > UNPACKED_MOST / SECTOR || chunk.bytes > UNPACKED_MOST)) ||
        (chunk.kind == KIND_PLAIN && chunk.bytes / SECTOR < sectors) ||
        d->chunks->len == CHUNKS_MOST) {
        return block_refuse(node, error, "has a chunk that cannot be right");
    }
    chunk.at = (first + sector) * SECTOR;
    chunk.length = sectors * SECTOR;
    g_array_append_val(d->chunks, chunk);
    return true;
}

static bool take_table(BlockNode *node, const uint8_t *table, size_t length, GError **error)
{
    uint64_t count;

    if (length < TABLE_HEAD || memcmp(table, "mish", 4) != 0) {
        return block_refuse(node, error, "has a table of chunks that cannot be right");
    }
    count = load_be(table + TABLE_CHUNKS, 4);
    if (count > (length - TABLE_HEAD) / CHUNK_SIZE) {
        return block_refuse(node, error, "has a table with fewer chunks than it says");
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!take_chunk(node, table, table + TABLE_HEAD + i * CHUNK_SIZE, error)) {
            return false;
        }
    }
    return true;
}

/* All <data> of the array behind the key `blkx`. */
static bool take_list(BlockNode *node, const char *xml, GError **error)
{
    const char *at = strstr(xml, "<key>blkx</key>");
    const char *end = at ? strstr(at, "</array>") : NULL;

    if (!end) {
        return block_refuse(node, error, "has no list of chunks");
    }
    while ((at = strstr(at, "<data>")) != NULL && at < end) {
        const char *close = strstr(at, "</data>");
        g_autofree char *text = close ? g_strndup(at + 6, close - at - 6) : NULL;
        g_autofree uint8_t *table = NULL;
        gsize length = 0;

        if (!text) {
            break;
        }
        table = g_base64_decode(text, &length);
        if (!take_table(node, table, length, error)) {
            return false;
        }
        at = close;
    }
    return true;
}

static int compare_chunks(const void *a, const void *b)
{
    const Chunk *left = a, *right = b;

    return left->at < right->at ? -1 : left->at > right->at;
}

static bool check_chunks(BlockNode *node, uint64_t sectors, GError **error)
{
    Dmg *d = node->state;
    uint64_t end = 0;

    g_array_sort(d->chunks, compare_chunks);
    for (unsigned i = 0; i < d->chunks->len; i++) {
        const Chunk *chunk = &g_array_index(d->chunks, Chunk, i);

        if (chunk->at < end) {
            return block_refuse(node, error, "has two chunks for one sector");
        }
        end = chunk->at + chunk->length;
    }
    node->length = MAX(end, MIN(sectors, INT64_MAX / SECTOR) * SECTOR);
    return true;
}

/* ---- opening ---- */

static bool is_trailer(const uint8_t *trailer)
{
    return memcmp(trailer, "koly", 4) == 0;
}

static bool dmg_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Dmg *d = node->state;
    BlockNode *file = node->children[0];
    uint8_t trailer[TRAILER];
    g_autofree char *xml = NULL;
    uint64_t offset, length;

    d->chunks = g_array_new(false, false, sizeof(Chunk));
    if (file->length < TRAILER ||
        !format_read(node, file->length - TRAILER, trailer, TRAILER, error)) {
        return error && *error ? false : block_refuse(node, error, "is too short for a dmg image");
    }
    if (!is_trailer(trailer)) {
        return block_refuse(node, error, "is not a dmg image (UDIF)");
    }
    if (!node->read_only) {
        return block_refuse(node, error, "is a dmg image, which can only be read");
    }
    offset = load_be(trailer + XML_OFFSET, 8);
    length = load_be(trailer + XML_LENGTH, 8);
    if (load_be(trailer + SEGMENTS, 4) > 1) {
        return block_refuse(node, error, "is one of several segments, which are not put together");
    }
    if (length == 0 || length > XML_MOST || offset > file->length) {
        return block_refuse(node, error, "has no list of chunks in its place");
    }
    xml = g_malloc0(length + 1);
    return format_read(node, offset, xml, length, error) && take_list(node, xml, error) &&
        check_chunks(node, load_be(trailer + SECTORS, 8), error);
}

static void dmg_close(BlockNode *node)
{
    Dmg *d = node->state;

    g_clear_pointer(&d->chunks, g_array_unref);
    g_free(d->unpacked);
}

/* ---- reading ---- */

/* The last chunk that begins at or before `at`; -1: none. */
static int find_chunk(const Dmg *d, uint64_t at)
{
    int low = 0, high = d->chunks->len;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (g_array_index(d->chunks, Chunk, middle).at <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - 1;
}

static int dmg_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Dmg *d = node->state;
    int index = find_chunk(d, at);
    const Chunk *chunk = index >= 0 ? &g_array_index(d->chunks, Chunk, index) : NULL;
    uint64_t skip = chunk ? at - chunk->at : 0;

    if (!chunk || skip >= chunk->length) {
        return -EIO; /* no chunk has it */
    }
    *out = (Extent){ .kind = EXTENT_ZERO, .length = MIN(length, chunk->length - skip) };
    if (chunk->kind == KIND_PLAIN) {
        out->kind = EXTENT_DATA;
        out->offset = chunk->offset + skip;
        return out->offset < node->children[0]->length ? 0 : -EIO;
    }
    if (chunk->kind == KIND_ZLIB || chunk->kind == KIND_BZIP2) {
        out->kind = EXTENT_PACKED;
        out->cookie = index;
        out->skip = skip;
    }
    return 0;
}

static int unpack_chunk(BlockNode *node, uint64_t index)
{
    Dmg *d = node->state;
    const Chunk *chunk = &g_array_index(d->chunks, Chunk, index);
    const BlockNode *file = node->children[0];
    g_autofree uint8_t *packed = NULL;
    int64_t size;
    int result;

    if (chunk->offset > file->length || chunk->bytes > file->length - chunk->offset) {
        return -EIO;
    }
    packed = g_malloc(chunk->bytes + 1);
    result = block_read(node->children[0], chunk->offset, packed, chunk->bytes);
    if (result < 0) {
        return result;
    }
    d->unpacked_chunk = 0;
    d->unpacked = g_realloc(d->unpacked, chunk->length);
    size = unpack(&(Packing){ chunk->kind == KIND_ZLIB ? PACK_ZLIB : PACK_BZIP2, packed,
        chunk->bytes, d->unpacked, chunk->length });
    if (size != (int64_t)chunk->length) {
        return size < 0 ? size : -EIO;
    }
    d->unpacked_chunk = index + 1;
    return 0;
}

static int dmg_unpack(BlockNode *node, const Extent *from, void *out)
{
    Dmg *d = node->state;
    int result = d->unpacked_chunk == from->cookie + 1 ? 0 : unpack_chunk(node, from->cookie);

    if (result == 0) {
        memcpy(out, d->unpacked + from->skip, from->length);
    }
    return result;
}

BLOCK_DRIVER(dmg) = {
    .name = "dmg",
    .state_size = sizeof(Dmg),
    .open = dmg_open,
    .close = dmg_close,
    .map = dmg_map,
    .unpack = dmg_unpack,
};

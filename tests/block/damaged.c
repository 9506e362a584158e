/*
 * Images of every format, built in memory: read as they are, and then with bits of them changed.
 * Nothing may crash, hang or take memory without bound, whatever an image says.
 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "block/block.h"
#include "block/bytes.h"
#include "block/cache.h"
#include "block/pack.h"
#include "block/qcow2/qcow2.h"

enum { KIB = 1024, MIB = 1024 * KIB, DISK = 4 * MIB, CHUNK = 64 * KIB, ROUNDS = 60 };

static BlockNode *open_bytes(IoLoop *loop, GByteArray *bytes)
{
    BlockOptions options = { .memory = bytes };

    assert_true(cache_from_word("writeback", &options.cache));
    return block_open(loop, block_driver_find("memory"), &options, NULL, NULL, NULL);
}

static BlockNode *open_image(IoLoop *loop, const char *format, GByteArray *bytes, bool writable)
{
    BlockNode *file = open_bytes(loop, bytes);
    BlockOptions options = {
        .cache = file->cache, .key = { .text = "key" }, .read_only = !writable, .repair = writable
    };

    return block_open(loop, block_driver_find(format), &options, file, NULL, NULL);
}

/* ---- images of formats that are only read ---- */

/* Two extents of 4 KiB, of which the second is there with its first and third sector. */
static GByteArray *build_bochs(void)
{
    GByteArray *bytes = g_byte_array_new();
    uint8_t *head;

    g_byte_array_set_size(bytes, 512 + 8 + 512 + 4096);
    head = memset(bytes->data, 0, bytes->len);
    strcpy((char *)head, "Bochs Virtual HD Image");
    strcpy((char *)head + 32, "Redolog");
    strcpy((char *)head + 48, "Growing");
    store_le(head + 64, 4, 0x00020000);
    store_le(head + 68, 4, 512);
    store_le(head + 72, 4, 2);
    store_le(head + 76, 4, 512);
    store_le(head + 80, 4, 4096);
    store_le(head + 88, 8, 8192);
    store_le(head + 512, 4, UINT32_MAX);
    head[520] = 5;
    memset(head + 520 + 512, 7, 4096);
    return bytes;
}

/* Blocks of 4 KiB filled with 1, 2 and 3. */
static GByteArray *build_cloop(void)
{
    static const char script[] = "#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0";
    GByteArray *bytes = g_byte_array_new();
    uint64_t at = 136 + 4 * 8;

    g_byte_array_set_size(bytes, at);
    memset(bytes->data, 0, at);
    memcpy(bytes->data, script, sizeof(script));
    store_be(bytes->data + 128, 4, 4096);
    store_be(bytes->data + 132, 4, 3);
    store_be(bytes->data + 136, 8, at);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t plain[4096], packed[4096];
        int64_t size;

        memset(plain, i + 1, sizeof(plain));
        size = pack(&(Packing){ PACK_ZLIB, plain, sizeof(plain), packed, sizeof(packed) });
        assert_true(size > 0);
        g_byte_array_append(bytes, packed, size);
        store_be(bytes->data + 136 + (i + 1) * 8, 8, bytes->len);
    }
    return bytes;
}

/* Clusters of 512 bytes: the first one is plain, the second compressed, the third not there. */
static GByteArray *build_qcow(void)
{
    enum { L1 = 512, L2 = 1024, DATA = 2048, PACKED = 2560 };
    GByteArray *bytes = g_byte_array_new();
    uint8_t plain[512], *head;
    int64_t size;

    g_byte_array_set_size(bytes, 4096);
    head = memset(bytes->data, 0, bytes->len);
    memcpy(head, "QFI\xfb\0\0\0\1", 8);
    store_be(head + 24, 8, 64 * 512);
    head[32] = 9;
    head[33] = 6;
    store_be(head + 40, 8, L1);
    store_be(head + L1, 8, L2);
    store_be(head + L2, 8, DATA);
    memset(head + DATA, 1, 512);
    memset(plain, 2, sizeof(plain));
    size = pack(&(Packing){ PACK_DEFLATE, plain, sizeof(plain), head + PACKED, 512 });
    store_be(head + L2 + 8, 8, UINT64_C(1) << 63 | (uint64_t)size << (63 - 9) | PACKED);
    return bytes;
}

/* Its chunks: 4 KiB of 1, plain; 4 KiB of 2, by zlib; 4 KiB of zeroes. The list comes first. */
static GByteArray *build_dmg(void)
{
    enum { PLAIN = 2 * KIB, PACKED = 6 * KIB, TABLE = 204, CHUNK_BYTES = 40 };
    GByteArray *bytes = g_byte_array_new();
    uint8_t plain[4096], packed[4096], table[TABLE + 3 * CHUNK_BYTES] = "mish", *trailer;
    static const uint32_t kinds[] = { 1, 0x80000005, 0 };
    g_autofree char *base64 = NULL, *xml = NULL;
    int64_t size;

    memset(plain, 2, sizeof(plain));
    size = pack(&(Packing){ PACK_ZLIB, plain, sizeof(plain), packed, sizeof(packed) });
    store_be(table + 200, 4, 3);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *chunk = table + TABLE + i * CHUNK_BYTES;

        store_be(chunk, 4, kinds[i]);
        store_be(chunk + 8, 8, i * 8);
        store_be(chunk + 16, 8, 8);
        store_be(chunk + 24, 8, i ? PACKED : PLAIN);
        store_be(chunk + 32, 8, i == 0 ? 4096 : i == 1 ? size : 0);
    }
    base64 = g_base64_encode(table, sizeof(table));
    xml = g_strdup_printf("<key>blkx</key><array><data>%s</data></array>", base64);
    g_byte_array_set_size(bytes, PACKED + size + 512);
    memset(bytes->data, 0, bytes->len);
    strcpy((char *)bytes->data, xml);
    memset(bytes->data + PLAIN, 1, 4096);
    memcpy(bytes->data + PACKED, packed, size);
    trailer = bytes->data + PACKED + size;
    memcpy(trailer, "koly", 4);
    store_be(trailer + 216, 8, 0);
    store_be(trailer + 224, 8, strlen(xml));
    store_be(trailer + 492, 8, 24);
    return bytes;
}

typedef struct ReadCase {
    const char *format;
    GByteArray *(*build)(void);
    unsigned unit, length;
    uint8_t expected[16]; /* the first byte of each unit */
} ReadCase;

static const ReadCase read_cases[] = {
    { "bochs", build_bochs, 512, 8192, { 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 7 } },
    { "cloop", build_cloop, 4096, 12288, { 1, 2, 3 } },
    { "qcow", build_qcow, 512, 64 * 512, { 1, 2, 0 } },
    { "dmg", build_dmg, 4096, 12288, { 1, 2, 0 } },
};

static void read_main(void *data)
{
    IoLoop *loop = data;

    for (unsigned i = 0; i < G_N_ELEMENTS(read_cases); i++) {
        const ReadCase *c = &read_cases[i];
        g_autoptr(GByteArray) bytes = c->build();
        g_autofree uint8_t *disk = g_malloc(c->length);
        BlockNode *node = open_image(loop, c->format, bytes, false);

        print_message("%s\n", c->format);
        assert_non_null(node);
        assert_int_equal(node->length, c->length);
        assert_int_equal(block_read(node, 0, disk, c->length), 0);
        for (unsigned at = 0; at < MIN(16 * c->unit, c->length); at++) {
            assert_int_equal(disk[at], c->expected[at / c->unit]);
        }
        block_unref(node);
        assert_null(open_image(loop, c->format, bytes, true));
    }
}

static void formats_that_are_only_read_are_read(void **state)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);

    io_loop_run(loop, read_main, loop);
}

/* ---- damage ---- */

typedef struct DamageCase {
    const char *format, *options;
    GByteArray *(*build)(void); /* NULL: made by the format itself */
    uint32_t reach;             /* bytes at the start that are worth changing */
} DamageCase;

static const DamageCase damage_cases[] = {
    { "qcow2", "cluster_size=4k", .reach = 64 * KIB },
    { "qcow2", "cluster_size=16k,extended_l2=on", .reach = 128 * KIB },
    { "vdi", "static=off", .reach = 1 * KIB },
    { "vpc", "subformat=dynamic", .reach = 2 * KIB },
    { "vmdk", "subformat=monolithicSparse", .reach = 24 * KIB },
    { "vmdk", "subformat=streamOptimized", .reach = 80 * KIB },
    { "vhdx", "block_size=1M", .reach = 3 * MIB + 4 * KIB },
    { "qed", "cluster_size=4k,table_size=2", .reach = 32 * KIB },
    { "parallels", "cluster_size=64k", .reach = 1 * KIB },
    { "bochs", .build = build_bochs, .reach = 1 * KIB },
    { "cloop", .build = build_cloop, .reach = 256 },
    { "qcow", .build = build_qcow, .reach = 4 * KIB },
    { "dmg", .build = build_dmg, .reach = 4 * KIB },
    { "luks", "iter-time=1", .reach = 592 },
    { "qcow2", "encrypt.format=luks,encrypt.iter-time=1", .reach = 8 * KIB },
};

/* Some data at the start, in the middle and at the end of the disk. */
static void fill(BlockNode *node)
{
    g_autofree uint8_t *data = g_malloc(CHUNK);
    unsigned flags = node->packs_only ? BLOCK_PACK : 0;

    memset(data, 0x5a, CHUNK);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(block_write(node, i * (DISK / 2 - CHUNK), data, CHUNK, flags), 0);
    }
}

static GByteArray *build(IoLoop *loop, const DamageCase *c)
{
    g_autoptr(GHashTable) options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    BlockCreate create = {
        .size = DISK, .path = "disk", .key = { .text = "key" }, .options = options
    };
    GByteArray *bytes = g_byte_array_new();
    BlockNode *node;

    if (c->build) {
        g_byte_array_unref(bytes);
        return c->build();
    }
    assert_true(block_parse_options(c->options, options, NULL));
    node = open_bytes(loop, bytes);
    assert_true(block_driver_find(c->format)->create(node, &create, NULL));
    block_unref(node);
    node = open_image(loop, c->format, bytes, true);
    assert_non_null(node);
    fill(node);
    block_unref(node);
    return bytes;
}

/* Numbers that are often wrong somewhere. */
static void change(GByteArray *bytes, uint32_t reach, GRand *rand)
{
    static const uint64_t numbers[] = { 0, 1, 0xff, 0x7fffffff, 0xffffffff, UINT64_MAX,
        UINT64_C(1) << 63, UINT64_C(1) << 40, 0x10000 };
    unsigned hits = g_rand_int_range(rand, 1, 5);

    reach = MIN(reach, bytes->len);
    for (unsigned i = 0; i < hits; i++) {
        uint32_t at = g_rand_int_range(rand, 0, reach);
        unsigned width = MIN(1u << g_rand_int_range(rand, 0, 4), bytes->len - at);

        /* Headers are at the start: half of the hits go there. */
        at = g_rand_boolean(rand) ? at % MIN(reach, 512) : at;
        if (g_rand_boolean(rand)) {
            bytes->data[at] ^= 1u << g_rand_int_range(rand, 0, 8);
        } else {
            store_be(
                bytes->data + at, width, numbers[g_rand_int_range(rand, 0, G_N_ELEMENTS(numbers))]);
        }
    }
    if (g_rand_int_range(rand, 0, 8) == 0) {
        g_byte_array_set_size(bytes, g_rand_int_range(rand, 0, bytes->len));
    }
}

static void use(BlockNode *node, bool write)
{
    g_autofree uint8_t *buffer = g_malloc(CHUNK);
    BlockCheck found = { 0 };
    unsigned flags = node->packs_only ? BLOCK_PACK : 0;

    if (node->driver->check) {
        node->driver->check(node, &found, false);
    }
    for (unsigned i = 0; i < 4; i++) {
        uint64_t at = (node->length / 4 * i) & ~(uint64_t)(CHUNK - 1);
        uint64_t length = MIN(CHUNK, node->length - at);

        block_read(node, at, buffer, length);
        if (write) {
            block_write(node, at, buffer, length, flags);
            block_zero(node, at, length, BLOCK_MAY_UNMAP);
            block_flush(node);
        }
    }
}

static void damage_main(void *data)
{
    IoLoop *loop = data;
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);

    for (unsigned i = 0; i < G_N_ELEMENTS(damage_cases); i++) {
        const DamageCase *c = &damage_cases[i];
        g_autoptr(GByteArray) whole = build(loop, c);
        unsigned opened = 0;

        for (unsigned round = 0; round < ROUNDS; round++) {
            g_autoptr(GByteArray) bytes = g_byte_array_new();
            bool write = round % 2;
            BlockNode *node;

            g_byte_array_append(bytes, whole->data, whole->len);
            change(bytes, c->reach, rand);
            node = open_image(loop, c->format, bytes, write);
            if (node) {
                opened++;
                use(node, write);
            }
            block_unref(node);
        }
        print_message("%s: %u of %u could be opened\n", c->format, opened, ROUNDS);
        assert_in_range(opened, 1, ROUNDS - 1);
    }
}

static void damage_of_any_format_is_survived(void **state)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);

    io_loop_run(loop, damage_main, loop);
}

/* ---- what parsers of images were wrong about before ---- */

enum { BE, LE }; /* the order of a number's bytes */

/* A number of the image is changed: the image is refused, or it is survived. */
typedef struct ClassCase {
    const char *what;
    unsigned order, at, width;
    uint64_t number;
    bool survived;
} ClassCase;

typedef struct ClassFormat {
    const char *format, *options;
    GByteArray *(*build)(void);
    void (*fix)(GByteArray *bytes); /* checksums; NULL: there are none */
    ClassCase cases[16];
} ClassFormat;

/* "Dynamic disk header": the complement of the sum of its bytes. */
static void fix_vpc(GByteArray *bytes)
{
    uint8_t *header = bytes->data + 512;
    uint32_t sum = 0;

    store_be(header + 36, 4, 0);
    for (unsigned i = 0; i < 1024; i++) {
        sum += header[i];
    }
    store_be(header + 36, 4, ~sum);
}

/* The classes of CVE-2014-0142 to 0150, 0182, 0222, 0223, 2014-3461, CVE-2015-4037 and the like. */
static const ClassFormat class_formats[] = {
    { "qcow2", "cluster_size=4k", NULL, NULL,
        { { "cluster_bits of 0", BE, 20, 4, 0 }, { "cluster_bits of 63", BE, 20, 4, 63 },
            { "an L1 table of 32 GiB", BE, 36, 4, UINT32_MAX },
            { "an L1 table of no entries", BE, 36, 4, 0 },
            { "an L1 table beyond the end", BE, 40, 8, UINT64_C(1) << 55 },
            { "an L1 table out of place", BE, 40, 8, 1234 },
            { "a refcount table beyond the end", BE, 48, 8, UINT64_C(1) << 62 },
            { "a refcount table of 2^32 clusters", BE, 56, 4, UINT32_MAX },
            { "2^32 snapshots", BE, 60, 4, UINT32_MAX },
            { "a disk of 2^64 bytes", BE, 24, 8, UINT64_MAX },
            { "an endless header", BE, 100, 4, UINT32_MAX },
            { "refcounts of 2^31 bits", BE, 96, 4, 31 },
            { "an endless extension", BE, 104, 8, UINT64_C(0x12345678ffffffff) },
            { "an unknown compression", BE, 72, 8, UINT64_C(1) << 60 } } },
    { "qcow", NULL, build_qcow, NULL,
        { { "cluster_bits of 0", BE, 32, 1, 0 }, { "cluster_bits of 63", BE, 32, 1, 63 },
            { "l2_bits of 0", BE, 33, 1, 0 }, { "l2_bits of 63", BE, 33, 1, 63 },
            { "a disk of 2^64 bytes", BE, 24, 8, UINT64_MAX },
            { "a disk of 2^60 bytes", BE, 24, 8, UINT64_C(1) << 60 },
            { "an endless name of what is below", BE, 16, 4, UINT32_MAX },
            { "an L1 table beyond the end", BE, 40, 8, UINT64_C(1) << 40 } } },
    { "vdi", "static=off", NULL, NULL,
        { { "blocks of 0 bytes", LE, 0x178, 4, 0 }, { "blocks of 3 bytes", LE, 0x178, 4, 3 },
            { "2^32 blocks", LE, 0x180, 4, UINT32_MAX }, { "no blocks", LE, 0x180, 4, 0 },
            { "a disk of 2^64 bytes", LE, 0x170, 8, UINT64_MAX },
            { "a table beyond the end", LE, 0x154, 4, UINT32_MAX },
            { "a block in the header", LE, 512, 4, 0x7fffffff, true } } },
    { "vpc", "subformat=dynamic", NULL, fix_vpc,
        { { "2^32 blocks", BE, 512 + 28, 4, UINT32_MAX }, { "blocks of 0", BE, 512 + 32, 4, 0 },
            { "blocks of 3 bytes", BE, 512 + 32, 4, 3 },
            { "blocks of 4 GiB", BE, 512 + 32, 4, UINT32_C(1) << 31 },
            { "a table beyond the end", BE, 512 + 16, 8, UINT64_C(1) << 60 },
            { "a block in the table", BE, 1536, 4, 1, true } } },
    { "vmdk", "subformat=monolithicSparse", NULL, NULL,
        { { "grains of 0", LE, 20, 8, 0 }, { "grains of 2^63", LE, 20, 8, UINT64_C(1) << 63 },
            { "a disk of 2^73 bytes", LE, 12, 8, UINT64_MAX },
            { "tables of no entries", LE, 44, 4, 0 },
            { "tables of 2^32 entries", LE, 44, 4, UINT32_MAX },
            { "a directory beyond the end", LE, 56, 8, UINT64_C(1) << 54 },
            { "an endless description", LE, 36, 8, UINT64_MAX, true },
            { "a description beyond the end", LE, 28, 8, UINT64_C(1) << 54, true } } },
    { "vhdx", "block_size=1M", NULL, NULL,
        { { "regions that are not there", LE, 192 * KIB, 8, 0, true },
            { "2^32 regions", LE, 192 * KIB + 8, 4, UINT32_MAX, true } } },
    { "qed", "cluster_size=4k,table_size=2", NULL, NULL,
        { { "clusters of 0", LE, 4, 4, 0 }, { "clusters of 4 GiB", LE, 4, 4, UINT32_MAX },
            { "tables of 0", LE, 8, 4, 0 }, { "tables of 2^32 clusters", LE, 8, 4, UINT32_MAX },
            { "a header of 2^32 clusters", LE, 12, 4, UINT32_MAX, true },
            { "a table beyond the end", LE, 40, 8, UINT64_C(1) << 60 },
            { "a disk of 2^64 bytes", LE, 48, 8, UINT64_MAX } } },
    { "parallels", "cluster_size=64k", NULL, NULL,
        { { "blocks of 0", LE, 28, 4, 0 }, { "blocks of 2 TiB", LE, 28, 4, UINT32_MAX },
            { "2^32 blocks", LE, 32, 4, UINT32_MAX },
            { "a disk of 2^73 bytes", LE, 36, 8, UINT64_MAX },
            { "a block in the header", LE, 64, 4, 1, true } } },
    { "bochs", NULL, build_bochs, NULL,
        { { "a catalog of 2^32 entries", LE, 72, 4, UINT32_MAX }, { "extents of 0", LE, 80, 4, 0 },
            { "extents of 4 GiB", LE, 80, 4, UINT32_MAX }, { "bitmaps of 0", LE, 76, 4, 0 },
            { "a disk of 2^64", LE, 88, 8, UINT64_MAX },
            { "an extent beyond the end", LE, 516, 4, 0x7fffffff, true } } },
    { "cloop", NULL, build_cloop, NULL,
        { { "blocks of 0", BE, 128, 4, 0 }, { "blocks of 4 GiB", BE, 128, 4, UINT32_MAX },
            { "blocks of 100 bytes", BE, 128, 4, 100 }, { "2^32 blocks", BE, 132, 4, UINT32_MAX },
            { "a block that ends before it begins", BE, 144, 8, 0, true },
            { "a block of 2^63 bytes", BE, 144, 8, UINT64_C(1) << 63, true } } },
    { "luks", "iter-time=1", NULL, NULL,
        { { "keys of 0 bytes", BE, 108, 4, 0 }, { "keys of 4 GiB", BE, 108, 4, UINT32_MAX },
            { "data beyond the end", BE, 104, 4, UINT32_MAX },
            { "2^32 rounds", BE, 212, 4, UINT32_MAX }, { "no rounds", BE, 212, 4, 0 },
            { "2^32 rounds of a digest", BE, 164, 4, UINT32_MAX },
            { "2^32 stripes", BE, 252, 4, UINT32_MAX }, { "no stripes", BE, 252, 4, 0 },
            { "a key slot beyond the end", BE, 248, 4, UINT32_MAX },
            { "a key slot in the header", BE, 248, 4, 0 }, { "LUKS2", BE, 6, 2, 2 } } },
};

static void try_case(IoLoop *loop, const ClassFormat *format, const ClassCase *c)
{
    const DamageCase damage = { format->format, format->options, format->build, 0 };

    for (unsigned write = 0; write < 2; write++) {
        g_autoptr(GByteArray) bytes = build(loop, &damage);
        BlockNode *node;

        (c->order == BE ? store_be : store_le)(bytes->data + c->at, c->width, c->number);
        if (format->fix) {
            format->fix(bytes);
        }
        node = open_image(loop, format->format, bytes, write);
        if (node && !c->survived) {
            fail_msg("%s with %s is opened", format->format, c->what);
        }
        if (node) {
            use(node, write);
        }
        block_unref(node);
    }
}

static void class_main(void *data)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(class_formats); i++) {
        for (const ClassCase *c = class_formats[i].cases; c->what; c++) {
            try_case(data, &class_formats[i], c);
        }
    }
}

static void old_mistakes_of_parsers_are_not_made_here(void **state)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);

    io_loop_run(loop, class_main, loop);
}

/* A table that says nothing of most of a huge disk does not keep a check busy. */
static void sparse_main(void *data)
{
    const DamageCase damage = { "vmdk", "subformat=monolithicSparse", NULL, 0 };
    g_autoptr(GByteArray) bytes = build(data, &damage);
    BlockCheck found = { 0 };
    BlockNode *node;
    int64_t start;

    store_le(bytes->data + 12, 8, UINT64_C(1) << 33);
    g_byte_array_set_size(bytes, bytes->len + 2 * MIB); /* of a first table: zeroes */
    memset(bytes->data + bytes->len - 2 * MIB, 0, 2 * MIB);
    store_le(bytes->data + 56, 8, (bytes->len - 2 * MIB) / 512);
    node = open_image(data, "vmdk", bytes, false);
    assert_non_null(node);
    start = g_get_monotonic_time();
    assert_int_equal(node->driver->check(node, &found, false), 0);
    assert_in_range(g_get_monotonic_time() - start, 0, G_USEC_PER_SEC);
    block_unref(node);
}

static void what_is_not_there_is_not_checked(void **state)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);

    io_loop_run(loop, sparse_main, loop);
}

/* ---- bitmaps ---- */

/* A name that ends within itself: the directory is not right, and is not written again. */
static void name_main(void *data)
{
    const DamageCase damage = { "qcow2", "cluster_size=4k", NULL, 0 };
    g_autoptr(GByteArray) bytes = build(data, &damage);
    BlockNode *node = open_image(data, "qcow2", bytes, true);
    const BlockBitmaps *can = node->driver->bitmaps;
    g_autoptr(GArray) found = g_array_new(false, false, sizeof(BlockBitmap));
    uint8_t *name;

    assert_true(can->add(node, "a name", 0, NULL));
    block_unref(node);
    name = memmem(bytes->data, bytes->len, "a name", 6);
    assert_non_null(name);
    name[2] = '\0';
    node = open_image(data, "qcow2", bytes, false);
    assert_false(can->list(node, found, NULL));
    block_unref(node);
    node = open_image(data, "qcow2", bytes, true);
    use(node, true);
    block_unref(node);
}

static void a_bitmap_with_an_odd_name_is_survived(void **state)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);

    io_loop_run(loop, name_main, loop);
}

/* ---- closing ---- */

static BlockNode *open_new_qcow2(IoLoop *loop, GByteArray *bytes)
{
    BlockNode *file = open_bytes(loop, bytes);
    BlockCreate create = { .size = MIB, .path = "disk" };

    assert_true(block_driver_find("qcow2")->create(file, &create, NULL));
    block_unref(file);
    return open_image(loop, "qcow2", bytes, true);
}

static void close_main(void *data)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    BlockNode *node = open_new_qcow2(data, bytes);
    g_autofree char *said = NULL;
    uint8_t byte = 1;

    assert_int_equal(block_write(node, 0, &byte, 1, 0), 0);
    block_unref(node);
    assert_null(io_loop_take_reports(data));
    node = open_image(data, "qcow2", bytes, true);
    assert_int_equal(block_write(node, 512 * KIB, &byte, 1, 0), 0);
    node->children[0]->read_only = true; /* as if the file could not be written any more */
    block_unref(node);
    said = io_loop_take_reports(data);
    assert_non_null(said);
    assert_non_null(strstr(said, "could not be closed as it should be"));
}

static void what_a_close_cannot_write_is_said(void **state)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);

    io_loop_run(loop, close_main, loop);
}

/* ---- memory ---- */

/* Each write needs another L2 table: all of them together are twice what may be kept. */
static void use_tables(IoLoop *loop, uint64_t setting, uint64_t most)
{
    enum { TABLES = 2048, SPAN = 2 * MIB };
    g_autoptr(GHashTable) options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    BlockCreate create = { .size = (uint64_t)TABLES * SPAN, .path = "disk", .options = options };
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    BlockNode *node = open_bytes(loop, bytes);
    BlockOptions opening = { .cache = node->cache, .metadata_cache = setting };
    const MetaCache *cache;
    uint8_t byte = 1;

    assert_true(block_parse_options("cluster_size=4k", options, NULL));
    assert_true(block_driver_find("qcow2")->create(node, &create, NULL));
    block_unref(node);
    node = open_bytes(loop, bytes);
    node = block_open(loop, block_driver_find("qcow2"), &opening, node, NULL, NULL);
    cache = &qcow2_of(node)->meta;
    assert_in_range(cache->limit * cache->page_size, 1, most);
    for (uint64_t i = 0; i < TABLES; i++) {
        assert_int_equal(block_write(node, i * SPAN, &byte, 1, 0), 0);
        assert_in_range(cache->lru.length, 1, cache->limit);
    }
    for (uint64_t i = 0; i < TABLES; i++) {
        byte = 0;
        assert_int_equal(block_read(node, i * SPAN, &byte, 1), 0);
        assert_int_equal(byte, 1);
        assert_in_range(cache->lru.length, 1, cache->limit);
    }
    block_unref(node);
}

static void memory_main(void *data)
{
    use_tables(data, 0, 4 * MIB);
    use_tables(data, 256 * KIB, 256 * KIB);
    use_tables(data, 1, 64 * KIB);
}

static void tables_take_no_more_memory_than_their_cache(void **state)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);

    io_loop_run(loop, memory_main, loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_that_are_only_read_are_read),
        cmocka_unit_test(damage_of_any_format_is_survived),
        cmocka_unit_test(old_mistakes_of_parsers_are_not_made_here),
        cmocka_unit_test(what_is_not_there_is_not_checked),
        cmocka_unit_test(a_bitmap_with_an_odd_name_is_survived),
        cmocka_unit_test(what_a_close_cannot_write_is_said),
        cmocka_unit_test(tables_take_no_more_memory_than_their_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
    BlockOptions options = { .cache = file->cache, .read_only = !writable, .repair = writable };

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
    BlockCreate create = { .size = DISK, .path = "disk", .options = options };
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_that_are_only_read_are_read),
        cmocka_unit_test(damage_of_any_format_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

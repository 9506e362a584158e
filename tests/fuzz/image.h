/* An image of some format in any bytes: opened, checked, read and written. */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

#include "block/block.h"
#include "block/cache.h"

enum { FUZZ_CHUNK = 64 * 1024 };

typedef struct FuzzImage {
    IoLoop *loop;
    const BlockDriver *driver;
    const uint8_t *bytes;
    size_t size;
} FuzzImage;

static inline BlockNode *fuzz_open(const FuzzImage *image, bool writable)
{
    GByteArray *copy = g_byte_array_append(g_byte_array_new(), image->bytes, image->size);
    BlockOptions options = {
        .memory = copy, .key = { .text = "key" }, .read_only = !writable, .repair = writable
    };
    BlockNode *file;

    cache_from_word("writeback", &options.cache);
    file = block_open(image->loop, block_driver_find("memory"), &options, NULL, NULL, NULL);
    g_byte_array_unref(copy);
    return block_open(image->loop, image->driver, &options, file, NULL, NULL);
}

/* Whatever it says of bitmaps: each is read to its end, and changed. */
static inline void fuzz_bitmaps(BlockNode *node, bool write)
{
    const BlockBitmaps *can = node->driver->bitmaps;
    GArray *found = g_array_new(false, false, sizeof(BlockBitmap));

    if (can->list(node, found, NULL) && write) {
        can->add(node, "fuzz", 0, NULL);
    }
    for (unsigned i = 0; i < MIN(found->len, 4); i++) {
        const char *name = g_array_index(found, BlockBitmap, i).name;
        uint64_t end = 0;
        bool dirty;

        for (unsigned n = 0; n < 64 && end < node->length; n++) {
            if (!can->look(node, name, end, &end, &dirty, NULL)) {
                break;
            }
        }
        if (write && i % 2) {
            can->clear(node, name, NULL);
        }
    }
    g_array_unref(found);
}

/* Places where something may be: both ends, and the middle. */
static inline void fuzz_use(BlockNode *node, bool write)
{
    static uint8_t buffer[FUZZ_CHUNK];
    const uint64_t places[] = { 0, 512, node->length / 2,
        node->length - MIN(node->length, FUZZ_CHUNK) };
    unsigned flags = node->packs_only ? BLOCK_PACK : 0;
    BlockCheck found = { 0 };

    if (node->driver->check) {
        node->driver->check(node, &found, write);
    }
    if (node->driver->bitmaps) {
        fuzz_bitmaps(node, write);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        uint64_t at = places[i] & ~UINT64_C(511);
        uint64_t length = at < node->length ? MIN(FUZZ_CHUNK, node->length - at) : 0;

        block_read(node, at, buffer, length);
        if (write) {
            block_write(node, at, buffer, length / 2, flags);
            block_zero(node, at, length, BLOCK_MAY_UNMAP);
            block_flush(node);
        }
    }
}

static inline void fuzz_main(void *data)
{
    for (unsigned write = 0; write < 2; write++) {
        BlockNode *node = fuzz_open(data, write);

        if (node) {
            fuzz_use(node, write);
        }
        block_unref(node);
    }
}

static inline void fuzz_image(const BlockDriver *driver, const uint8_t *bytes, size_t size)
{
    FuzzImage image = { io_loop_new(NULL), driver, bytes, size };

    io_loop_run(image.loop, fuzz_main, &image);
    io_loop_free(image.loop);
}

#endif

/*
 * Any bytes as a qcow2 image: opened, checked, read and written. Nothing may crash, hang or take
 * memory without bound; what is said about the image does not matter.
 *
 * folders: core block block/qcow2
 */
#include <string.h>

#include "block/block.h"
#include "block/cache.h"

extern const BlockDriver qcow2_block_driver, raw_block_driver, ram_block_driver, file_block_driver;
const BlockDriver *const block_drivers[] = { &qcow2_block_driver, &raw_block_driver,
    &ram_block_driver, &file_block_driver, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { CHUNK = 64 * 1024 };

typedef struct Run {
    IoLoop *loop;
    const uint8_t *bytes;
    size_t size;
} Run;

static BlockNode *open_image(const Run *run, bool writable)
{
    GByteArray *copy = g_byte_array_append(g_byte_array_new(), run->bytes, run->size);
    BlockOptions options = { .memory = copy, .read_only = !writable, .repair = writable };
    BlockNode *file;

    cache_from_word("writeback", &options.cache);
    file = block_open(run->loop, &ram_block_driver, &options, NULL, NULL, NULL);
    g_byte_array_unref(copy);
    return block_open(run->loop, &qcow2_block_driver, &options, file, NULL, NULL);
}

/* Places where something may be: both ends, and around each table's span. */
static void touch(BlockNode *node, bool write)
{
    static uint8_t buffer[CHUNK];
    const uint64_t places[] = { 0, 512, node->length / 2, node->length - MIN(node->length, CHUNK) };

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        uint64_t at = places[i] & ~UINT64_C(511);
        uint64_t length = at < node->length ? MIN(CHUNK, node->length - at) : 0;

        block_read(node, at, buffer, length);
        if (write) {
            block_write(node, at, buffer, length / 2, 0);
            block_zero(node, at, length, BLOCK_MAY_UNMAP);
            block_flush(node);
        }
    }
}

static void run_main(void *data)
{
    BlockCheck found = { 0 };
    BlockNode *node = open_image(data, false);

    if (node) {
        node->driver->check(node, &found, false);
        touch(node, false);
    }
    block_unref(node);
    node = open_image(data, true);
    if (node) {
        node->driver->check(node, &found, true);
        touch(node, true);
    }
    block_unref(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Run run = { io_loop_new(NULL), bytes, size };

    io_loop_run(run.loop, run_main, &run);
    io_loop_free(run.loop);
    return 0;
}

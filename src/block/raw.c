/* The format `raw`: the bytes of the file are the bytes of the disk. */
#include <errno.h>

#include "block/block.h"

static bool raw_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    node->length = node->children[0]->length;
    return true;
}

static int raw_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    *out = (Extent){ .kind = EXTENT_DATA, .offset = at, .length = length, .writable = true };
    return 0;
}

/* Everything goes straight down, so that zeroes, discards and alignment are the file's affair. */
static int raw_transfer(BlockNode *node, const BlockIo *io)
{
    return block_io(node->children[0], io);
}

static int raw_read_at_once(BlockNode *node, const BlockIo *io)
{
    const BlockNode *file = node->children[0];

    return file->driver->read_at_once ? file->driver->read_at_once(node->children[0], io) : -EAGAIN;
}

static int raw_resize(BlockNode *node, uint64_t length)
{
    int result = block_resize(node->children[0], length);

    node->length = result == 0 ? length : node->length;
    return result;
}

static int raw_look_again(BlockNode *node)
{
    int result = block_look_again(node->children[0]);

    node->length = result == 0 ? node->children[0]->length : node->length;
    return result;
}

static bool raw_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    BlockPreallocation preallocation;
    int result;

    if (!block_create_preallocation(create, false, &preallocation, error)) {
        return false;
    }
    result = block_resize(file, create->size);
    if (result == 0) {
        result = block_preallocate(file, 0, create->size, preallocation);
    }
    if (result < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE,
            "`%s` cannot become %" G_GUINT64_FORMAT " bytes long: %s", file->name, create->size,
            g_strerror(-result));
    }
    return result == 0;
}

static bool raw_measure(
    BlockNode *from, const BlockCreate *create, BlockMeasure *out, GError **error)
{
    int64_t data = from ? block_count_data(from, 4096) : 0;

    out->full = create->size;
    out->required = MIN((uint64_t)MAX(data, 0), create->size);
    if (data < 0) {
        g_set_error(
            error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s`: %s", from->name, g_strerror(-data));
    }
    return data >= 0;
}

static const char *const create_options[] = { "preallocation", NULL };

BLOCK_DRIVER(raw) = {
    .name = "raw",
    .open = raw_open,
    .map = raw_map,
    .transfer = raw_transfer,
    .read_at_once = raw_read_at_once,
    .resize = raw_resize,
    .look_again = raw_look_again,
    .create = raw_create,
    .measure = raw_measure,
    .create_options = create_options,
};

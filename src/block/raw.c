/* The format `raw`: the bytes of the file, or of a part of it, are the bytes of the disk. */
#include <errno.h>
#include <string.h>

#include "block/block.h"
#include "core/block-spec.h"

typedef struct Raw {
    bool part;
    uint64_t offset; /* where the part begins */
} Raw;

static bool open_part(BlockNode *node, const BlockSpec *spec, GError **error)
{
    Raw *r = node->state;
    uint64_t length = node->children[0]->length;

    if (spec->offset > length || spec->size > length - spec->offset) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE,
            "`%s` has %" G_GUINT64_FORMAT " bytes: a part of it cannot be from %" G_GUINT64_FORMAT
            " on %" G_GUINT64_FORMAT " bytes long",
            node->name, length, spec->offset, spec->size);
        return false;
    }
    *r = (Raw){ .part = true, .offset = spec->offset };
    node->length = spec->size ? spec->size : length - spec->offset;
    return true;
}

static bool raw_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    const BlockSpec *spec = options->spec;

    node->length = node->children[0]->length;
    return !spec || (spec->offset == 0 && spec->size == 0) ||
        strcmp(spec->driver.text, "raw") != 0 || open_part(node, spec, error);
}

static int raw_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Raw *r = node->state;

    *out = (Extent){
        .kind = EXTENT_DATA, .offset = at + r->offset, .length = length, .writable = true
    };
    return 0;
}

/* Everything goes straight down, so that zeroes, discards and alignment are the file's affair. */
static int raw_transfer(BlockNode *node, const BlockIo *io)
{
    const Raw *r = node->state;
    BlockIo part;

    if (r->offset == 0) {
        return block_io(node->children[0], io);
    }
    part = *io;
    part.at += r->offset;
    return block_io(node->children[0], &part);
}

static int raw_read_at_once(BlockNode *node, const BlockIo *io)
{
    const BlockNode *file = node->children[0];
    const Raw *r = node->state;

    return file->driver->read_at_once && r->offset == 0
        ? file->driver->read_at_once(node->children[0], io)
        : -EAGAIN;
}

static int raw_resize(BlockNode *node, uint64_t length)
{
    const Raw *r = node->state;
    int result = r->part ? -ENOTSUP : block_resize(node->children[0], length);

    node->length = result == 0 ? length : node->length;
    return result;
}

static int raw_look_again(BlockNode *node)
{
    const Raw *r = node->state;
    int result = block_look_again(node->children[0]);

    node->length = result == 0 && !r->part ? node->children[0]->length : node->length;
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
    .state_size = sizeof(Raw),
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

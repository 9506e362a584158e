/* What the formats' open and create have in common. */
#include "block/formats/sparse.h"

bool format_read(BlockNode *node, uint64_t at, void *out, size_t length, GError **error)
{
    BlockNode *file = node->children[0];

    if (at > file->length || length > file->length - at) {
        return block_refuse(
            node, error, "is cut off: it has only %" G_GUINT64_FORMAT " bytes", file->length);
    }
    return block_read(file, at, out, length) == 0 || block_refuse(node, error, "cannot be read");
}

bool format_read_backing(BlockNode *node, uint64_t offset, uint32_t size, GError **error)
{
    enum { NAME_MOST = 1023 };
    g_autofree char *name = NULL;

    if (size == 0) {
        return true;
    }
    if (size > NAME_MOST) {
        return block_refuse(node, error, "has the name of a backing file that is too long");
    }
    name = g_malloc0(size + 1);
    if (!format_read(node, offset, name, size, error)) {
        return false;
    }
    node->backing_path = g_steal_pointer(&name);
    return true;
}

static bool fine(const BlockNode *file, int result, GError **error)
{
    if (result < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be written: %s", file->name,
            g_strerror(-result));
    }
    return result == 0;
}

bool format_write(BlockNode *file, uint64_t at, const void *data, size_t length, GError **error)
{
    return fine(file, block_write(file, at, data, length, 0), error);
}

bool format_extend(BlockNode *file, uint64_t length, GError **error)
{
    return file->length >= length || fine(file, block_resize(file, length), error);
}

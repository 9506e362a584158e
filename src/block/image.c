/* Images that lie on others: a top, what it is based on, what that is based on ... */
#include <errno.h>
#include <string.h>

#include "block/block.h"

enum { CHAIN_MOST = 4096, PROBE_BYTES = 2048 };

/* ---- probing ---- */

static const BlockDriver *probe(BlockNode *file, GError **error)
{
    uint8_t head[PROBE_BYTES] = { 0 };
    const BlockDriver *best = NULL;
    unsigned best_score = 0;

    if (block_read(file, 0, head, MIN(file->length, sizeof(head))) < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be read", file->name);
        return NULL;
    }
    for (unsigned i = 0; block_drivers[i]; i++) {
        const BlockDriver *driver = block_drivers[i];
        unsigned score = driver->probe ? driver->probe(head, sizeof(head)) : 0;

        if (score > best_score) {
            best = driver;
            best_score = score;
        }
    }
    if (!best) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
            "`%s` has none of the known formats; if it is a plain disk, say `raw`", file->name);
    }
    return best;
}

static const BlockDriver *find_format(const char *format, BlockNode *file, GError **error)
{
    const BlockDriver *driver = format ? block_driver_find(format) : probe(file, error);

    if (format && (!driver || driver->protocol || driver->filter)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "there is no format `%s`", format);
        return NULL;
    }
    return driver;
}

/* ---- one layer ---- */

/* "http, https, nbd": what can stand before "://". */
static char *list_schemes(void)
{
    GString *list = g_string_new(NULL);

    for (unsigned i = 0; block_drivers[i]; i++) {
        for (unsigned j = 0; block_drivers[i]->schemes && block_drivers[i]->schemes[j]; j++) {
            g_string_append_printf(
                list, "%s%s", list->len > 0 ? ", " : "", block_drivers[i]->schemes[j]);
        }
    }
    return g_string_free(list, false);
}

/* A URL that no protocol opens is not the name of a file. */
static const BlockDriver *find_protocol(const char *path, GError **error)
{
    const BlockDriver *driver = block_driver_for_path(path);

    if (!driver->schemes && path && strstr(path, "://")) {
        g_autofree char *list = list_schemes();

        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
            "`%s`: there is no such protocol; there are %s", path, list);
        return NULL;
    }
    return driver;
}

/* Takes `file`: what changes it is logged from now on. */
static BlockNode *add_log(BlockNode *file, const BlockOptions *options, GError **error)
{
    const BlockDriver *protocol = block_driver_find("file");
    BlockOptions of_log = { .path = options->log, .create = true, .cache = options->cache };
    BlockNode *others[] = { block_open(file->loop, protocol, &of_log, NULL, NULL, error), NULL };
    BlockOptions of_filter = { .path = options->path, .cache = options->cache, .others = others };

    if (!others[0]) {
        block_unref(file);
        return NULL;
    }
    return block_open(file->loop, block_driver_find("log-writes"), &of_filter, file, NULL, error);
}

static BlockNode *open_file(IoLoop *loop, const BlockOptions *options, GError **error)
{
    const BlockDriver *protocol = find_protocol(options->path, error);
    BlockNode *file = protocol ? block_open(loop, protocol, options, NULL, NULL, error) : NULL;

    return file && options->log && !options->read_only ? add_log(file, options, error) : file;
}

BlockNode *block_open_layer(
    IoLoop *loop, const char *format, const BlockOptions *options, GError **error)
{
    BlockNode *file = open_file(loop, options, error);
    const BlockDriver *driver = file ? find_format(format, file, error) : NULL;

    if (!driver) {
        block_unref(file);
        return NULL;
    }
    return block_open(loop, driver, options, file, NULL, error);
}

/* ---- the chain ---- */

BlockNode *block_open_image(
    IoLoop *loop, const char *format, const BlockOptions *options, GError **error)
{
    BlockNode *top = block_open_layer(loop, format, options, error);
    BlockNode *lowest = top;

    for (unsigned depth = 1; lowest && lowest->backing_path && !lowest->backing; depth++) {
        g_autofree char *path = block_path_beside(lowest->name, lowest->backing_path);
        BlockOptions below = *options;

        below.path = path;
        below.read_only = depth != options->writable_layer;
        below.snapshot = NULL;
        below.log = NULL;
        if (depth == CHAIN_MOST) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
                "`%s` is based on more than %d images, or on itself", top->name, CHAIN_MOST);
            block_unref(top);
            return NULL;
        }
        lowest->backing = block_open_layer(loop, lowest->backing_format, &below, error);
        if (!lowest->backing) {
            g_prefix_error(error, "`%s` is based on another image: ", lowest->name);
            block_unref(top);
            return NULL;
        }
        lowest = lowest->backing;
    }
    return top;
}

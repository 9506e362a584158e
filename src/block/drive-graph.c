/* The graph of nodes behind a drive, as its description wants it. */
#include "block/drive-graph.h"

#include "block/block.h"
#include "block/share.h"
#include "core/block-spec.h"
#include "core/diag.h"

enum { SECTOR = 512 };

/* Which key of the drive an error is about, and what to do. */
static const struct {
    DiagCode code;
    enum { KEY_FILE, KEY_CACHE, KEY_FORMAT, KEY_SIZE, KEY_ENCRYPTION } key;
    const char *remedy;
} blame[] = {
    [BLOCK_ERROR_MISSING] = { DIAG_FILE_MISSING, KEY_FILE,
        "paths start at the folder of this file" },
    [BLOCK_ERROR_PERMISSION] = { DIAG_NO_PERMISSION, KEY_FILE,
        "change its permissions, or set read-only: true or overlay: ephemeral" },
    [BLOCK_ERROR_IN_USE] = { DIAG_IN_USE, KEY_FILE,
        "end the other one, or set overlay: ephemeral" },
    [BLOCK_ERROR_NO_DIRECT] = { DIAG_NO_DIRECT, KEY_CACHE,
        "put the file on another file system, or use cache: writeback or writethrough" },
    [BLOCK_ERROR_FORMAT] = { DIAG_FORMAT, KEY_FORMAT, "see `lathe img info`" },
    [BLOCK_ERROR_KEY] = { DIAG_DISK_KEY, KEY_ENCRYPTION, NULL },
    [BLOCK_ERROR_SIZE] = { DIAG_DRIVE_SIZE, KEY_SIZE, NULL },
    [BLOCK_ERROR_HOST] = { DIAG_HOST, KEY_FILE, NULL },
};

static Mark mark_of(const DriveSpec *spec, unsigned key)
{
    const Mark marks[] = {
        [KEY_FILE] = spec->path.text ? spec->path.mark : spec->size.mark,
        [KEY_CACHE] = spec->cache.mark,
        [KEY_ENCRYPTION] = spec->key.mark,
        [KEY_FORMAT] = spec->format.mark,
        [KEY_SIZE] = spec->path.text ? spec->path.mark : spec->size.mark,
    };

    return marks[key].line > 0 ? marks[key] : spec->mark;
}

void drive_graph_report(const DriveSpec *spec, Diag *diag, const GError *error)
{
    unsigned kind = error->domain == BLOCK_ERROR ? error->code : BLOCK_ERROR_HOST;

    diag_error(diag, blame[kind].code, mark_of(spec, blame[kind].key), "drive `%s`: %s", spec->id,
        error->message);
    if (blame[kind].remedy) {
        diag_hint(diag, "%s", blame[kind].remedy);
    }
}

static BlockNode *open_scratch(const DriveSpec *spec, IoLoop *loop, uint64_t size, GError **error)
{
    BlockOptions options = { .size = size, .cache = spec->cache, .aio = spec->aio };

    return block_open(loop, block_driver_find("file"), &options, NULL, NULL, error);
}

static const char *format_of(const DriveSpec *spec)
{
    return spec->format.text ? spec->format.text : "raw";
}

/* ---- nodes that are spelt out ---- */

static BlockNode *open_node(const BlockSpec *spec, IoLoop *loop, bool read_only, GError **error);

/* All or none. */
static bool open_children(
    const BlockSpec *spec, IoLoop *loop, bool read_only, BlockNode **children, GError **error)
{
    for (unsigned i = 0; i < spec->child_count; i++) {
        children[i] = open_node(spec->children[i], loop, read_only, error);
        if (!children[i]) {
            while (i-- > 0) {
                block_unref(children[i]);
            }
            return false;
        }
    }
    return true;
}

/* On its children; a format without any lies on the file, and on what the image says. */
static BlockNode *open_on_children(const BlockSpec *spec, const BlockDriver *driver, IoLoop *loop,
    const BlockOptions *given, GError **error)
{
    BlockNode *children[BLOCK_SPEC_CHILDREN + 1] = { NULL };
    BlockNode *backing = NULL;
    BlockOptions options = *given;

    if (!driver->protocol && spec->child_count == 0 && spec->path.text && !spec->backing) {
        return block_open_image(loop, driver->name, given, error);
    }
    if (!driver->protocol && spec->child_count == 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
            "block `%s` lies on nothing: it needs a file or a child", spec->name);
        return NULL;
    }
    if (!open_children(spec, loop, options.read_only, children, error)) {
        return NULL;
    }
    if (spec->backing && !(backing = open_node(spec->backing, loop, true, error))) {
        for (unsigned i = 0; i < spec->child_count; i++) {
            block_unref(children[i]);
        }
        return NULL;
    }
    options.others = children[0] ? children + 1 : NULL;
    return block_open(loop, driver, &options, children[0], backing, error);
}

static BlockNode *open_own(const BlockSpec *spec, IoLoop *loop, bool read_only, GError **error)
{
    const BlockDriver *driver = block_driver_find(spec->driver.text);
    BlockOptions options = {
        .path = spec->path.text,
        .size = spec->size,
        .cache = spec->cache,
        .aio = spec->aio,
        .throttle = &spec->throttle,
        .spec = spec,
        .key = { spec->key.file, spec->key.text },
        .metadata_cache = spec->metadata_cache,
        .read_only = read_only || spec->read_only,
    };

    if (!driver) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "there is no block driver `%s`",
            spec->driver.text);
        return NULL;
    }
    if (spec->offset > 0 && strcmp(driver->name, "raw") != 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
            "block `%s` has an offset, which is for raw: lay it on a raw block with that offset",
            spec->name);
        return NULL;
    }
    return open_on_children(spec, driver, loop, &options, error);
}

/* For share_open(): who uses it may only read it all the same. */
static BlockNode *open_for_all(const void *spec, IoLoop *loop, GError **error)
{
    return open_own(spec, loop, false, error);
}

static BlockNode *open_node(const BlockSpec *spec, IoLoop *loop, bool read_only, GError **error)
{
    BlockOptions options = {
        .cache = spec->cache, .spec = spec, .read_only = read_only || spec->read_only
    };

    return spec->shared ? share_open(loop, spec, open_for_all, &options, error)
                        : open_own(spec, loop, read_only, error);
}

/* ---- drives ---- */

static BlockNode *open_image(const DriveSpec *spec, IoLoop *loop, bool read_only, GError **error)
{
    BlockOptions options = { .path = spec->path.text,
        .cache = spec->cache,
        .aio = spec->aio,
        .read_only = read_only,
        .key = { spec->key.file, spec->key.text },
        .metadata_cache = spec->metadata_cache };

    return spec->graph ? open_node(spec->graph, loop, read_only, error)
                       : block_open_image(loop, format_of(spec), &options, error);
}

static BlockNode *open_overlay(const DriveSpec *spec, IoLoop *loop, GError **error)
{
    BlockOptions options = { .cache = spec->cache };
    BlockNode *image = open_image(spec, loop, true, error);
    BlockNode *scratch = image ? open_scratch(spec, loop, image->length, error) : NULL;

    if (!scratch) {
        block_unref(image);
        return NULL;
    }
    return block_open(loop, block_driver_find("overlay"), &options, scratch, image, error);
}

static BlockNode *open_disk(const DriveSpec *spec, IoLoop *loop, GError **error)
{
    if (!spec->path.text && !spec->graph) {
        BlockOptions options = { .cache = spec->cache };
        BlockNode *scratch = open_scratch(spec, loop, spec->size.value, error);
        const BlockDriver *raw = block_driver_find("raw");

        return scratch ? block_open(loop, raw, &options, scratch, NULL, error) : NULL;
    }
    if (spec->overlay == OVERLAY_EPHEMERAL) {
        return open_overlay(spec, loop, error);
    }
    return open_image(spec, loop, spec->read_only, error);
}

/* Takes `below`; NULL goes through. */
static BlockNode *add_filter(
    BlockNode *below, const char *name, const DriveSpec *spec, IoLoop *loop, GError **error)
{
    BlockOptions options = {
        .cache = spec->cache, .throttle = &spec->throttle, .read_only = below && below->read_only
    };

    return below ? block_open(loop, block_driver_find(name), &options, below, NULL, error) : NULL;
}

static BlockNode *open_graph(const DriveSpec *spec, IoLoop *loop, GError **error)
{
    BlockNode *top = open_disk(spec, loop, error);

    if (spec->copy_on_read) {
        top = add_filter(top, "copy-on-read", spec, loop, error);
    }
    if (spec->throttle.mark.file) {
        top = add_filter(top, "throttle", spec, loop, error);
    }
    return top;
}

const BlockNode *drive_graph_file(const BlockNode *top)
{
    while (top->children[0]) {
        top = top->children[0];
    }
    return top;
}

/* A guest counts in sectors, and O_DIRECT cannot write a part of a block at the end of a file. */
static bool check_size(const BlockNode *top, bool writable, GError **error)
{
    uint64_t unit = writable ? MAX(drive_graph_file(top)->align, SECTOR) : SECTOR;
    uint64_t wanted = (top->length + unit - 1) / unit * unit;

    if (top->length > 0 && wanted == top->length) {
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE,
        "`%s` has %" G_GUINT64_FORMAT " bytes, which is not a multiple of %" G_GUINT64_FORMAT
        " as it must be%s; `truncate -s %" G_GUINT64_FORMAT "` makes it one",
        top->name, top->length, unit, unit > SECTOR ? " with O_DIRECT on this file system" : "",
        MAX(wanted, unit));
    return false;
}

BlockNode *drive_graph_open(const DriveSpec *spec, IoLoop *loop, GError **error)
{
    BlockNode *top = open_graph(spec, loop, error);

    if (top && !check_size(top, !top->read_only, error)) {
        block_unref(top);
        return NULL;
    }
    return top;
}

/* Opening nodes, and the way of a request through one of them. */
#include "block/block.h"

#include <errno.h>
#include <string.h>

#include "block/block-impl.h"
#include "block/cache.h"

G_DEFINE_QUARK(lathe - block - error, block_error)

const BlockDriver *block_driver_find(const char *name)
{
    for (unsigned i = 0; block_drivers[i]; i++) {
        if (strcmp(block_drivers[i]->name, name) == 0) {
            return block_drivers[i];
        }
    }
    return NULL;
}

const BlockDriver *block_driver_for_path(const char *path)
{
    g_autofree char *scheme = g_uri_parse_scheme(path ? path : "");

    for (unsigned i = 0; scheme && block_drivers[i]; i++) {
        if (block_drivers[i]->schemes && g_strv_contains(block_drivers[i]->schemes, scheme)) {
            return block_drivers[i];
        }
    }
    return block_driver_find("file");
}

bool block_refuse(const BlockNode *node, GError **error, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    g_set_error(
        error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "`%s` %s", node ? node->name : "the image", text);
    return false;
}

void block_lose(const BlockNode *node, const char *fmt, ...)
{
    g_autofree char *text = NULL, *report = NULL;
    va_list args;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    report = g_strdup_printf("`%s` %s", node->name, text);
    io_loop_report(node->loop, report);
}

/* ---- life ---- */

BlockNode *block_open(IoLoop *loop, const BlockDriver *driver, const BlockOptions *options,
    BlockNode *child, BlockNode *backing, GError **error)
{
    BlockNode *node = g_new0(BlockNode, 1);

    node->driver = driver;
    node->state = g_malloc0(MAX(driver->state_size, 1));
    node->loop = loop;
    node->name = g_strdup(options->path ? options->path : child ? child->name : "scratch");
    node->cache = options->cache;
    node->read_only = options->read_only;
    node->refs = 1;
    block_reserve_children(node, BLOCK_CHILDREN);
    node->children[0] = child;
    for (unsigned i = 0; options->others && options->others[i]; i++) {
        node->children[i + 1] = options->others[i];
    }
    node->backing = backing;
    node->align = 1;
    node->align_memory = 1;
    if (!driver->open(node, options, error)) {
        block_unref(node);
        return NULL;
    }
    return node;
}

BlockNode *block_ref(BlockNode *node)
{
    node->refs++;
    return node;
}

void block_reserve_children(BlockNode *node, unsigned count)
{
    if (count > node->children_most) {
        count = MAX(count, node->children_most * 2);
        node->children = g_renew(BlockNode *, node->children, count);
        memset(node->children + node->children_most, 0,
            (count - node->children_most) * sizeof(BlockNode *));
        node->children_most = count;
    }
}

/* A node that nobody has any more comes to the list of the dead. */
static void drop_ref(BlockNode *node, GSList **dead)
{
    if (node && --node->refs <= 0) {
        *dead = g_slist_prepend(*dead, node);
    }
}

/* A chain may have as many layers as its images say: the stack must not grow with them. */
void block_unref(BlockNode *node)
{
    GSList *dead = NULL;

    drop_ref(node, &dead);
    while (dead) {
        node = dead->data;
        dead = g_slist_delete_link(dead, dead);
        if (node->driver->close) {
            node->driver->close(node);
        }
        drop_ref(node->backing, &dead);
        for (unsigned i = node->children_most; i-- > 0;) {
            drop_ref(node->children[i], &dead);
        }
        g_free(node->children);
        g_free(node->backing_path);
        g_free(node->backing_format);
        g_free(node->name);
        g_free(node->state);
        g_free(node);
    }
}

/* ---- requests ---- */

static bool is_change(BlockOp op)
{
    return op == BLOCK_WRITE || op == BLOCK_ZERO || op == BLOCK_DISCARD;
}

static int check(const BlockNode *node, const BlockIo *io)
{
    if (is_change(io->op) && node->read_only) {
        return -EROFS;
    }
    if (io->at > INT64_MAX || io->length > INT64_MAX - io->at) {
        return -EINVAL;
    }
    if (io->op != BLOCK_FLUSH && io->at + io->length > node->length && !node->grows) {
        return -EIO;
    }
    return 0;
}

static int flush_children(BlockNode *node)
{
    int result = 0;

    for (unsigned i = 0; i < node->children_most && result == 0; i++) {
        if (node->children[i] && !node->children[i]->read_only) {
            result = block_flush(node->children[i]);
        }
    }
    return result;
}

static int flush_format(BlockNode *node)
{
    int result = node->driver->flush && !node->read_only ? node->driver->flush(node) : 0;

    return result < 0 ? result : flush_children(node);
}

/* The flush covers what ended before it began, whether or not more ends while it goes on. */
static int flush(BlockNode *node, const BlockIo *io)
{
    Flush mark = epochs_flush_begin(&node->epochs);
    uint64_t links = node->links;
    int result;

    if (cache_ignores_flush(&node->cache)) {
        stats_add(&node->stats.flushes_dropped, 1);
        return 0;
    }
    result = node->driver->transfer ? node->driver->transfer(node, io) : flush_format(node);
    epochs_flush_done(&node->epochs, mark, result == 0);
    if (result == 0) {
        node->links_stable = MAX(node->links_stable, links);
    }
    stats_set(&node->stats.at_risk, node->epochs.written - node->epochs.covered);
    return result;
}

static int dispatch(BlockNode *node, const BlockIo *io)
{
    if (io->op == BLOCK_FLUSH) {
        return flush(node, io);
    }
    if (io->length == 0) {
        return 0;
    }
    return node->driver->transfer ? block_transfer(node, io) : block_format_io(node, io);
}

static void count(BlockNode *node, const BlockIo *io, int64_t took_ns, int result)
{
    stats_count(&node->stats.ops[io->op], io->length, took_ns, result);
    if (!is_change(io->op) || result < 0) {
        return;
    }
    if (io->flags & BLOCK_DURABLE) {
        stats_add(&node->stats.durable_writes, 1);
    } else {
        epochs_write_done(&node->epochs, io->length);
        stats_set(&node->stats.at_risk, node->epochs.written - node->epochs.covered);
    }
}

int block_io(BlockNode *node, const BlockIo *io)
{
    int64_t start = io_loop_now();
    int result = check(node, io);

    if (result == 0 && node->tells && is_change(io->op)) {
        result = node->driver->touch(node, io->at, io->length);
    }
    if (result == 0) {
        result = dispatch(node, io);
    }
    count(node, io, io_loop_now() - start, result);
    return result;
}

int block_read(BlockNode *node, uint64_t at, void *out, size_t length)
{
    struct iovec piece = { out, length };

    return block_io(node, &(BlockIo){ BLOCK_READ, 0, at, length, { &piece, 1, 0 } });
}

int block_write(BlockNode *node, uint64_t at, const void *data, size_t length, unsigned flags)
{
    struct iovec piece = { (void *)data, length };

    return block_io(node, &(BlockIo){ BLOCK_WRITE, flags, at, length, { &piece, 1, 0 } });
}

int block_zero(BlockNode *node, uint64_t at, uint64_t length, unsigned flags)
{
    return block_io(
        node, &(BlockIo){ .op = BLOCK_ZERO, .flags = flags, .at = at, .length = length });
}

int block_flush(BlockNode *node)
{
    return block_io(node, &(BlockIo){ .op = BLOCK_FLUSH });
}

void block_write_back(BlockNode *node)
{
    if (cache_ignores_flush(&node->cache) || node->read_only) {
        return;
    }
    if (node->driver->write_back) {
        node->driver->write_back(node);
    }
    for (unsigned i = 0; i < node->children_most; i++) {
        if (node->children[i]) {
            block_write_back(node->children[i]);
        }
    }
}

void block_be_like(BlockNode *node, const BlockNode *child)
{
    node->length = child->length;
    node->grows = child->grows;
}

int block_map_through(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    *out = (Extent){ .kind = EXTENT_DATA, .offset = at, .length = length, .writable = true };
    return 0;
}

int block_resize_through(BlockNode *node, uint64_t length)
{
    int result = block_resize(node->children[0], length);

    node->length = result == 0 ? length : node->length;
    return result;
}

/* What lies behind the new end in its cluster must not be seen again when the disk grows. */
static int zero_last_cluster(BlockNode *node, uint64_t length)
{
    uint64_t tail = node->cluster ? -length & (node->cluster - 1) : 0;

    tail = length < node->length ? MIN(tail, node->length - length) : 0;
    return tail && !node->packs_only ? block_zero(node, length, tail, 0) : 0;
}

int block_look_again(BlockNode *node)
{
    return node->driver->look_again ? node->driver->look_again(node) : -ENOTSUP;
}

int block_resize(BlockNode *node, uint64_t length)
{
    int result;

    if (node->read_only) {
        return -EROFS;
    }
    if (!node->driver->resize) {
        return -ENOTSUP;
    }
    result = zero_last_cluster(node, length);
    return result == 0 ? node->driver->resize(node, length) : result;
}

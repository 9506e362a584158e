/* Requests to a format: its map says where the bytes live, and the children are asked for them. */
#include "block/block-impl.h"

#include <errno.h>
#include <stdlib.h>

enum { COPY_MOST = 1024 * 1024 };

/* ---- reading ---- */

/*
 * Finds the node of a backing chain that has the byte at `at`. By a loop, not by recursion: chains
 * are a thousand long. What lies beyond the end of a shorter backing file is zeroes.
 */
static int resolve(BlockNode **node, uint64_t at, uint64_t length, Extent *out)
{
    for (;;) {
        BlockNode *below;
        int result = (*node)->driver->map(*node, at, length, out);

        if (result < 0 || out->kind != EXTENT_BACKING) {
            return result;
        }
        g_assert(out->length > 0 && out->length <= length);
        below = (*node)->backing;
        if (!below || at >= below->length) {
            out->kind = EXTENT_ZERO;
            return 0;
        }
        length = MIN(out->length, below->length - at);
        *node = below;
    }
}

/* A hole in the file is as good as a zero in the table. */
static void look_into_file(BlockNode *file, Extent *extent)
{
    uint64_t end;

    if (file->driver->is_data) {
        extent->kind = file->driver->is_data(file, extent->offset, &end) ? EXTENT_DATA
                                                                         : EXTENT_ZERO;
        extent->length = MIN(extent->length, end - extent->offset);
    }
}

/* A format's child may be a format itself, which is then asked. */
int block_locate(BlockNode **node, uint64_t at, uint64_t length, Extent *out)
{
    int result;

    *out = (Extent){ .kind = EXTENT_DATA, .offset = at, .length = length };
    while ((*node)->driver->map) {
        BlockNode *child;

        result = resolve(node, out->offset, out->length, out);
        if (result < 0 || out->kind != EXTENT_DATA) {
            return result;
        }
        child = (*node)->children[out->child];
        if (!child->driver->map) {
            look_into_file(child, out);
            return 0;
        }
        *node = child;
    }
    return 0;
}

int64_t block_count_data(BlockNode *node, uint64_t unit)
{
    uint64_t count = 0, counted = 0; /* units, and the end of the last one */

    for (uint64_t at = 0; at < node->length;) {
        BlockNode *holder = node;
        Extent extent = { 0 };
        int result = block_locate(&holder, at, node->length - at, &extent);
        uint64_t from = MAX(at / unit, counted), to = (at + extent.length + unit - 1) / unit;

        if (result < 0) {
            return result;
        }
        if (extent.kind != EXTENT_ZERO && to > from) {
            count += to - from;
            counted = to;
        }
        at += extent.length;
    }
    return count * unit;
}

static int read_packed(BlockNode *node, const Extent *extent, BlockMemory memory)
{
    void *buffer = g_try_malloc(extent->length);
    int result;

    if (!buffer) {
        return -ENOMEM;
    }
    result = node->driver->unpack(node, extent, buffer);
    if (result == 0) {
        block_memory_store(memory, buffer, extent->length);
    }
    g_free(buffer);
    return result;
}

static int read_extent(BlockNode *node, const Extent *extent, BlockMemory memory)
{
    switch (extent->kind) {
    case EXTENT_DATA:
        return block_io(node->children[extent->child],
            &(BlockIo){ BLOCK_READ, 0, extent->offset, extent->length, memory });
    case EXTENT_ZERO: block_memory_fill(memory, 0, extent->length); return 0;
    case EXTENT_PACKED: return read_packed(node, extent, memory);
    default: g_assert_not_reached();
    }
}

static int read_mapped(BlockNode *node, const BlockIo *io)
{
    int result = 0;

    for (uint64_t done = 0; done < io->length && result == 0;) {
        uint64_t at = io->at + done;
        BlockNode *holder = node;
        Extent extent = { 0 };

        result = resolve(&holder, at, io->length - done, &extent);
        if (result == 0) {
            g_assert(extent.length > 0 && extent.length <= io->length - done);
            result = read_extent(holder, &extent, block_memory_after(io->memory, done));
            done += extent.length;
        }
    }
    return result;
}

/* ---- writing ---- */

static int write_extent(BlockNode *node, const Extent *extent, const BlockIo *io, uint64_t done)
{
    BlockNode *child = node->children[extent->child];
    BlockIo part = *io;

    part.at = extent->offset;
    part.length = extent->length;
    part.memory = io->op == BLOCK_WRITE ? block_memory_after(io->memory, done) : io->memory;
    return block_io(child, &part);
}

/* Copies what the guest sees at `at` to a place in a child: the rest of a new cluster. */
static int copy_old(BlockNode *node, uint64_t at, uint64_t length, BlockNode *child, uint64_t to)
{
    size_t size = MIN(length, COPY_MOST);
    void *buffer = NULL;
    int result = 0;

    if (length == 0) {
        return 0;
    }
    if (posix_memalign(&buffer, 4096, size) != 0) {
        return -ENOMEM;
    }
    for (uint64_t done = 0; done < length && result == 0;) {
        uint64_t part = MIN(length - done, size);
        struct iovec iov = { buffer, part };

        result = read_mapped(node, &(BlockIo){ BLOCK_READ, 0, at + done, part, { &iov, 1, 0 } });
        if (result == 0) {
            result = block_write(child, to + done, buffer, part, 0);
        }
        done += part;
    }
    free(buffer);
    return result;
}

/* The last cluster may reach beyond the end of the disk, where nothing needs to be copied. */
static uint64_t tail_on_disk(const BlockNode *node, uint64_t end, uint64_t tail)
{
    return end >= node->length ? 0 : MIN(tail, node->length - end);
}

/* But the disk may grow, and must not show then what the place was used for before. */
static int clear_beyond(BlockNode *node, BlockNode *child, uint64_t from, uint64_t to)
{
    to = MIN(to, child->length);
    return node->driver->resize && from < to ? block_zero(child, from, to - from, 0) : 0;
}

static int write_fresh(
    BlockNode *node, uint64_t at, const Extent *extent, const BlockIo *io, uint64_t done)
{
    BlockNode *child = node->children[extent->child];
    uint64_t end = at + extent->length;
    uint64_t tail = tail_on_disk(node, end, extent->tail);
    int result;

    result = copy_old(node, at - extent->head, extent->head, child, extent->offset - extent->head);
    if (result == 0) {
        result = copy_old(node, end, tail, child, extent->offset + extent->length);
    }
    if (result == 0) {
        result = clear_beyond(node, child, extent->offset + extent->length + tail,
            extent->offset + extent->length + extent->tail);
    }
    if (result == 0) {
        result = write_extent(node, extent, io, done);
    }
    if (result < 0) {
        if (node->driver->abandon) {
            node->driver->abandon(node, at, extent);
        }
        return result;
    }
    /* Before, for whoever finds it at once; after, for a flush that began too early to cover it. */
    node->links++;
    result = node->driver->link(node, at, extent);
    node->links++;
    return result;
}

/* Alone on the clusters, since two writes to one of them must not both find a place for it. */
static int write_allocating(BlockNode *node, const BlockIo *io, uint64_t done, uint64_t *length)
{
    uint64_t at = io->at + done;
    uint64_t mask = node->cluster - 1;
    Extent extent = { 0 };
    Range range;
    int result;

    ranges_lock(&node->writing, &range, at & ~mask, (io->at + io->length + mask) & ~mask);
    result = node->driver->allocate(node, at, io->length - done, &extent);
    if (result == 0) {
        g_assert(extent.length > 0 && extent.length <= io->length - done);
        result = extent.fresh ? write_fresh(node, at, &extent, io, done)
                              : write_extent(node, &extent, io, done);
    }
    ranges_unlock(&node->writing, &range);
    *length = extent.length;
    return result;
}

/* Overwrites what is there; `length` stays 0 when that is not possible at this place. */
static int write_in_place(BlockNode *node, const BlockIo *io, uint64_t done, uint64_t *length)
{
    uint64_t at = io->at + done;
    Extent extent = { 0 };
    Range range;
    int result;

    *length = 0;
    ranges_lock_shared(&node->writing, &range, at, io->at + io->length);
    result = node->driver->map(node, at, io->length - done, &extent);
    if (result == 0 && extent.kind == EXTENT_DATA && extent.writable) {
        *length = extent.length;
        result = write_extent(node, &extent, io, done);
    }
    ranges_unlock(&node->writing, &range);
    return result;
}

/*
 * What is durable must also be found again, by links that may not be on stable storage yet: its own,
 * and those that another request made for a place that this one found.
 */
static int settle_links(BlockNode *node, const BlockIo *io)
{
    return io->flags & BLOCK_DURABLE && node->links_stable != node->links ? block_flush(node) : 0;
}

static int write_mapped(BlockNode *node, const BlockIo *io)
{
    int result = 0;

    for (uint64_t done = 0, length; done < io->length && result == 0; done += length) {
        result = write_in_place(node, io, done, &length);
        if (result == 0 && length == 0) {
            result = write_allocating(node, io, done, &length);
        }
    }
    return result == 0 ? settle_links(node, io) : result;
}

/* ---- compressed ---- */

/* One cluster, whose length is `length`; only the last one of the disk is shorter than others. */
static int pack_cluster(BlockNode *node, const BlockIo *io, uint64_t done, uint64_t length)
{
    uint64_t at = io->at + done;
    g_autofree void *data = g_try_malloc(length);
    struct iovec piece = { data, length };
    Range range;
    int result;

    if (!data) {
        return -ENOMEM;
    }
    block_memory_load(block_memory_after(io->memory, done), data, length);
    ranges_lock(&node->writing, &range, at, at + node->cluster);
    result = node->driver->pack(node, at, data, length);
    ranges_unlock(&node->writing, &range);
    return result == -EMSGSIZE
        ? write_mapped(node, &(BlockIo){ BLOCK_WRITE, 0, at, length, { &piece, 1, 0 } })
        : result;
}

static int write_packed(BlockNode *node, const BlockIo *io)
{
    uint64_t end = io->at + io->length;
    int result = 0;

    if (!node->driver->pack) {
        return -ENOTSUP;
    }
    if (io->at % node->cluster != 0 || (end % node->cluster != 0 && end != node->length)) {
        return -EINVAL;
    }
    for (uint64_t done = 0; done < io->length && result == 0; done += node->cluster) {
        result = pack_cluster(node, io, done, MIN(node->cluster, io->length - done));
    }
    return result == 0 && io->flags & BLOCK_DURABLE ? block_flush(node) : result;
}

/* ---- the rest ---- */

/* The part of io that is whole clusters; a last one that the disk's end cuts off is whole. */
static BlockIo whole_clusters(const BlockNode *node, const BlockIo *io)
{
    uint64_t mask = MAX(node->cluster, 1) - 1;
    uint64_t end = io->at + io->length;
    BlockIo inner = *io;

    inner.at = (io->at + mask) & ~mask;
    end = end == node->length ? end : end & ~mask;
    inner.length = end > inner.at ? end - inner.at : 0;
    return inner;
}

/* Alone on the range, whose clusters may be moved or given back. */
static int change_clusters(BlockNode *node, const BlockIo *inner)
{
    uint64_t mask = MAX(node->cluster, 1) - 1;
    Range range;
    int result;

    ranges_lock(&node->writing, &range, inner->at, (inner->at + inner->length + mask) & ~mask);
    result = inner->op == BLOCK_ZERO
        ? node->driver->zero(node, inner->at, inner->length, inner->flags)
        : node->driver->discard(node, inner->at, inner->length);
    ranges_unlock(&node->writing, &range);
    if (result == 0 && inner->op == BLOCK_ZERO && inner->flags & BLOCK_DURABLE) {
        result = block_flush(node);
    }
    return result;
}

static int write_zeroes(BlockNode *node, uint64_t at, uint64_t end, unsigned flags)
{
    BlockIo io = { .op = BLOCK_ZERO, .flags = flags, .at = at, .length = end - at };

    return end > at ? write_mapped(node, &io) : 0;
}

/* Whole clusters are cleared in the tables, the rest is written; all of it when that fails. */
static int zero_mapped(BlockNode *node, const BlockIo *io)
{
    BlockIo inner = whole_clusters(node, io);
    uint64_t end = io->at + io->length;
    int result = -ENOTSUP;

    if (node->driver->zero && inner.length > 0) {
        result = change_clusters(node, &inner);
    }
    if (result == -ENOTSUP) {
        return write_zeroes(node, io->at, end, io->flags);
    }
    if (result == 0) {
        result = write_zeroes(node, io->at, inner.at, io->flags);
    }
    if (result == 0) {
        result = write_zeroes(node, inner.at + inner.length, end, io->flags);
    }
    return result;
}

static int discard_mapped(BlockNode *node, const BlockIo *io)
{
    BlockIo inner = whole_clusters(node, io);

    return node->driver->discard && inner.length > 0 ? change_clusters(node, &inner) : 0;
}

int block_format_io(BlockNode *node, const BlockIo *io)
{
    if (io->op == BLOCK_READ) {
        return read_mapped(node, io);
    }
    if (!node->driver->allocate) {
        return -EROFS;
    }
    switch (io->op) {
    case BLOCK_WRITE:
        return io->flags & BLOCK_PACK ? write_packed(node, io) : write_mapped(node, io);
    case BLOCK_ZERO: return zero_mapped(node, io);
    case BLOCK_DISCARD: return discard_mapped(node, io);
    default: g_assert_not_reached();
    }
}

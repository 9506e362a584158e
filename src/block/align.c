/*
 * Alignment: O_DIRECT moves whole blocks between aligned addresses, a guest moves what it likes.
 *
 * What is aligned goes straight through. The rest passes through a buffer, in pieces of bounded
 * size; a write of part of a block reads the block first and is alone on it meanwhile, so that no
 * other write to the same block is undone.
 */
#include "block/block-impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BOUNCE_MOST = 1024 * 1024 };

static uint64_t round_down(uint64_t value, uint64_t align)
{
    return value & ~(align - 1);
}

static uint64_t round_up(uint64_t value, uint64_t align)
{
    return round_down(value + align - 1, align);
}

static bool is_aligned(const BlockNode *node, const BlockIo *io)
{
    return ((io->at | io->length) & (node->align - 1)) == 0 && io->memory.count <= BLOCK_PIECES &&
        (node->align_memory == 1 ||
            block_memory_aligned(io->memory, io->length, node->align_memory));
}

/* The piece of io that starts `done` bytes into it and ends with it, or before a buffer is full. */
static BlockIo next_piece(const BlockNode *node, const BlockIo *io, uint64_t done)
{
    BlockIo piece = *io;

    piece.at += done;
    piece.length = MIN(io->length - done, BOUNCE_MOST - (piece.at & (node->align - 1)));
    piece.memory = block_memory_after(io->memory, done);
    return piece;
}

static int transfer_flat(
    BlockNode *node, BlockOp op, unsigned flags, uint64_t at, void *buffer, uint64_t length)
{
    struct iovec iov = { buffer, length };

    return node->driver->transfer(node, &(BlockIo){ op, flags, at, length, { &iov, 1, 0 } });
}

/* Reads the blocks at both ends of a buffer that the piece covers only in part. */
static int read_ends(
    BlockNode *node, const BlockIo *piece, char *buffer, uint64_t from, uint64_t to)
{
    bool ragged_head = piece->at != from;
    bool ragged_tail = piece->at + piece->length != to;
    int result = 0;

    if (ragged_head) {
        result = transfer_flat(node, BLOCK_READ, 0, from, buffer, node->align);
    }
    if (result == 0 && ragged_tail && !(ragged_head && to - from == node->align)) {
        uint64_t last = to - node->align;

        result = transfer_flat(node, BLOCK_READ, 0, last, buffer + (last - from), node->align);
    }
    return result;
}

static int write_bounced(BlockNode *node, const BlockIo *piece, char *buffer)
{
    uint64_t from = round_down(piece->at, node->align);
    uint64_t to = round_up(piece->at + piece->length, node->align);
    int result = read_ends(node, piece, buffer, from, to);

    if (result < 0) {
        return result;
    }
    if (piece->op == BLOCK_ZERO) {
        memset(buffer + (piece->at - from), 0, piece->length);
    } else {
        block_memory_load(piece->memory, buffer + (piece->at - from), piece->length);
    }
    return transfer_flat(node, BLOCK_WRITE, piece->flags, from, buffer, to - from);
}

static int read_bounced(BlockNode *node, const BlockIo *piece, char *buffer)
{
    uint64_t from = round_down(piece->at, node->align);
    uint64_t to = round_up(piece->at + piece->length, node->align);
    int result = transfer_flat(node, BLOCK_READ, 0, from, buffer, to - from);

    if (result == 0) {
        block_memory_store(piece->memory, buffer + (piece->at - from), piece->length);
    }
    return result;
}

static int bounce(BlockNode *node, const BlockIo *io)
{
    size_t align = MAX(MAX(node->align, node->align_memory), sizeof(void *));
    size_t size = MIN(round_up(io->length, align) + align, BOUNCE_MOST);
    void *buffer = NULL;
    int result = 0;

    if (posix_memalign(&buffer, align, size) != 0) {
        return -ENOMEM;
    }
    stats_add(&node->stats.bounced, 1);
    for (uint64_t done = 0; done < io->length && result == 0;) {
        BlockIo piece = next_piece(node, io, done);

        result = io->op == BLOCK_READ ? read_bounced(node, &piece, buffer)
                                      : write_bounced(node, &piece, buffer);
        done += piece.length;
    }
    free(buffer);
    return result;
}

/* Only whole blocks can be given back; the ends of the range just stay. */
static int discard_inner(BlockNode *node, const BlockIo *io)
{
    uint64_t from = round_up(io->at, node->align);
    uint64_t to = round_down(io->at + io->length, node->align);
    BlockIo inner = *io;

    if (from >= to) {
        return 0;
    }
    inner.at = from;
    inner.length = to - from;
    return node->driver->transfer(node, &inner);
}

/* A driver that cannot write zeroes gets a buffer of them. */
static int zero(BlockNode *node, const BlockIo *io)
{
    int result = is_aligned(node, io) ? node->driver->transfer(node, io) : -ENOTSUP;

    return result == -ENOTSUP ? bounce(node, io) : result;
}

static int change(BlockNode *node, const BlockIo *io)
{
    switch (io->op) {
    case BLOCK_ZERO: return zero(node, io);
    case BLOCK_DISCARD: return discard_inner(node, io);
    default: return is_aligned(node, io) ? node->driver->transfer(node, io) : bounce(node, io);
    }
}

static int change_locked(BlockNode *node, const BlockIo *io)
{
    bool whole = ((io->at | io->length) & (node->align - 1)) == 0;
    uint64_t from = round_down(io->at, node->align);
    uint64_t to = round_up(io->at + io->length, node->align);
    Range range;
    int result;

    if (whole) {
        ranges_lock_shared(&node->writing, &range, from, to);
    } else {
        ranges_lock(&node->writing, &range, from, to);
    }
    result = change(node, io);
    ranges_unlock(&node->writing, &range);
    return result;
}

int block_transfer(BlockNode *node, const BlockIo *io)
{
    if (io->op == BLOCK_READ) {
        return is_aligned(node, io) ? node->driver->transfer(node, io) : bounce(node, io);
    }
    return node->align == 1 ? change(node, io) : change_locked(node, io);
}

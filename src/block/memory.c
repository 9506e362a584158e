#include "block/memory.h"

#include <glib.h>
#include <string.h>

BlockMemory block_memory_after(BlockMemory memory, uint64_t offset)
{
    offset += memory.skip;
    while (memory.count > 0 && offset >= memory.iov->iov_len) {
        offset -= memory.iov->iov_len;
        memory.iov++;
        memory.count--;
    }
    memory.skip = offset;
    return memory;
}

uint64_t block_memory_pieces(
    BlockMemory memory, uint64_t length, struct iovec *out, unsigned max, unsigned *count)
{
    uint64_t covered = 0;
    unsigned used = 0;

    for (unsigned i = 0; i < memory.count && covered < length && used < max; i++) {
        size_t skip = i == 0 ? memory.skip : 0;
        size_t part = MIN(memory.iov[i].iov_len - skip, length - covered);

        if (part > 0) {
            out[used++] = (struct iovec){ (char *)memory.iov[i].iov_base + skip, part };
            covered += part;
        }
    }
    *count = used;
    return covered;
}

/* Calls `visit` for each piece of the first `length` bytes, until it returns false. */
static bool for_each_piece(BlockMemory memory, uint64_t length,
    bool (*visit)(void *piece, size_t size, uint64_t at, void *data), void *data)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < memory.count && at < length; i++) {
        size_t skip = i == 0 ? memory.skip : 0;
        size_t part = MIN(memory.iov[i].iov_len - skip, length - at);

        if (part > 0 && !visit((char *)memory.iov[i].iov_base + skip, part, at, data)) {
            return false;
        }
        at += part;
    }
    return true;
}

static bool is_aligned(void *piece, size_t size, uint64_t at, void *data)
{
    size_t mask = *(size_t *)data - 1;

    return (((uintptr_t)piece | size) & mask) == 0;
}

bool block_memory_aligned(BlockMemory memory, uint64_t length, size_t align)
{
    return for_each_piece(memory, length, is_aligned, &align);
}

/* The first byte is zero, and each is like the one before it. */
static bool is_zero(void *piece, size_t size, uint64_t at, void *data)
{
    const uint8_t *bytes = piece;

    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

bool block_memory_is_zero(BlockMemory memory, uint64_t length)
{
    return for_each_piece(memory, length, is_zero, NULL);
}

static bool fill(void *piece, size_t size, uint64_t at, void *data)
{
    memset(piece, *(uint8_t *)data, size);
    return true;
}

void block_memory_fill(BlockMemory memory, uint8_t value, uint64_t length)
{
    for_each_piece(memory, length, fill, &value);
}

static bool load(void *piece, size_t size, uint64_t at, void *data)
{
    memcpy((char *)data + at, piece, size);
    return true;
}

void block_memory_load(BlockMemory memory, void *out, uint64_t length)
{
    for_each_piece(memory, length, load, out);
}

static bool store(void *piece, size_t size, uint64_t at, void *data)
{
    memcpy(piece, (char *)data + at, size);
    return true;
}

void block_memory_store(BlockMemory memory, const void *from, uint64_t length)
{
    for_each_piece(memory, length, store, (void *)from);
}

/* The memory of a request: a window into somebody's array of pieces. Nothing here owns anything. */
#ifndef BLOCK_MEMORY_H
#define BLOCK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct BlockMemory {
    const struct iovec *iov;
    unsigned count;
    size_t skip; /* bytes of iov[0] that lie before the window */
} BlockMemory;

/* The window without its first `offset` bytes. */
BlockMemory block_memory_after(BlockMemory memory, uint64_t offset);

/* Writes the pieces of `length` bytes to out, at most max of them; the bytes they cover. */
uint64_t block_memory_pieces(
    BlockMemory memory, uint64_t length, struct iovec *out, unsigned max, unsigned *count);

/* Are all addresses and inner lengths multiples of align (a power of two)? */
bool block_memory_aligned(BlockMemory memory, uint64_t length, size_t align);

bool block_memory_is_zero(BlockMemory memory, uint64_t length);
void block_memory_fill(BlockMemory memory, uint8_t value, uint64_t length);
void block_memory_load(BlockMemory memory, void *out, uint64_t length);
void block_memory_store(BlockMemory memory, const void *from, uint64_t length);

#endif

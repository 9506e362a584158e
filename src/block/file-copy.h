/* Copying bytes between files of the host, by the cheapest way that there is. */
#ifndef BLOCK_FILE_COPY_H
#define BLOCK_FILE_COPY_H

#include <stdint.h>

/*
 * Where `to` reads as zeroes, it is only written where `from` holds data. Shares the blocks where
 * the file system can (ioctl_ficlonerange(2)), or has it copy them (copy_file_range(2)). Blocks;
 * any thread. 0 or -errno.
 */
int file_copy(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t length);

/* All of `from` into `to`, an empty file, which becomes as long. */
int file_copy_whole(int from, int to);

#endif

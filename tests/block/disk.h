/* Images and drives for tests of the block layer. */
#ifndef TESTS_BLOCK_DISK_H
#define TESTS_BLOCK_DISK_H

#include "block/drive.h"
#include "core/diag.h"

/* A new file of so many bytes, each telling its place, in a folder that can do O_DIRECT. */
char *disk_image(const char *name, uint64_t size);
uint8_t disk_pattern(uint64_t at);
void disk_remove(char *path);

DriveSpec disk_spec(const char *path, const char *cache, DriveAio aio);

/* Opens; fails the test with what was said when it cannot. */
Drive *disk_open(const DriveSpec *spec);
/* What is said instead of opening. */
char *disk_refusal(const DriveSpec *spec);
void disk_close(Drive *drive);

/* One request, waited for. */
int disk_do(Drive *drive, BlockOp op, uint64_t at, void *memory, uint64_t length);

#endif

/* qemu-img as the judge of images: it makes them, and says what has become of them. */
#ifndef TESTS_BLOCK_JUDGE_H
#define TESTS_BLOCK_JUDGE_H

#include "tests/block/disk.h"

enum { JUDGE_DISK = 9 * 1024 * 1024 + 512 };

/* Without it the test is skipped. */
bool judge_is_there(void);

/* A folder for the images of a test. */
char *judge_folder(void);
void judge_remove(char *folder);

/* Runs a command of the shell (without `'`) in the folder; it must succeed. */
void judge_run(const char *folder, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* Makes base.raw, JUDGE_DISK bytes of pattern and zeroes, or of zeroes alone. */
void judge_base(const char *folder, bool empty);

Drive *judge_open(const char *path, const char *format, const char *cache);

/*
 * Does random requests to disk.FORMAT, whose contents are those of base.raw, and checks what is
 * read; then qemu-img must find the image whole, and the same in it.
 */
void judge_work(const char *folder, const char *format, const char *cache, unsigned seed);

/* The same once more, on what the requests before left. */
void judge_work_again(const char *folder, const char *format, unsigned seed);

/* Makes an image, by our own hand. */
void judge_create(const char *path, const char *format, const char *options, uint64_t size);

#endif

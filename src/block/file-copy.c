#include "block/file-copy.h"

#include <errno.h>
#include <glib.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20, AT_ONCE = 64 << 20 };

typedef struct Copying {
    int from, to;
    uint64_t from_at, to_at;
} Copying;

static bool share_blocks(const Copying *c, uint64_t length)
{
    struct file_clone_range range = {
        .src_fd = c->from, .src_offset = c->from_at, .src_length = length, .dest_offset = c->to_at
    };

    return ioctl(c->to, FICLONERANGE, &range) == 0;
}

/* By hand, where the kernel does not copy between these two. */
static int copy_through_memory(Copying *c, uint64_t length)
{
    g_autofree uint8_t *buffer = g_malloc(MIN(length, PIECE));

    while (length > 0) {
        ssize_t got = pread(c->from, buffer, MIN(length, PIECE), c->from_at);
        ssize_t wrote = got > 0 ? pwrite(c->to, buffer, got, c->to_at) : got;

        if (wrote < 0) {
            return -errno;
        }
        if (wrote == 0) {
            return -EIO; /* cut off meanwhile */
        }
        c->from_at += wrote;
        c->to_at += wrote;
        length -= wrote;
    }
    return 0;
}

static int copy_data(Copying *c, uint64_t length)
{
    while (length > 0) {
        off_t from = c->from_at, to = c->to_at;
        ssize_t done = copy_file_range(c->from, &from, c->to, &to, MIN(length, AT_ONCE), 0);

        if (done <= 0) {
            return done < 0 && (errno == ENOSPC || errno == EIO) ? -errno
                                                                 : copy_through_memory(c, length);
        }
        c->from_at = from;
        c->to_at = to;
        length -= done;
    }
    return 0;
}

int file_copy(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t length)
{
    uint64_t end = from_at + length;
    int result = 0;

    if (length == 0 || share_blocks(&(Copying){ from, to, from_at, to_at }, length)) {
        return 0;
    }
    for (uint64_t at = from_at; at < end && result == 0;) {
        off_t data = lseek(from, at, SEEK_DATA);
        off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
        Copying c = { from, to, data, to_at + (data - from_at) };

        if (data < 0 && errno == ENXIO) {
            return 0; /* nothing but a hole */
        }
        if (data < 0 || hole < 0) { /* it does not know: all is data */
            c = (Copying){ from, to, at, to_at + (at - from_at) };
            return copy_data(&c, end - at);
        }
        at = MIN((uint64_t)hole, end);
        result = (uint64_t)data < end ? copy_data(&c, at - data) : 0;
    }
    return result;
}

int file_copy_whole(int from, int to)
{
    struct stat stat;

    if (fstat(from, &stat) != 0 || ftruncate(to, stat.st_size) != 0) {
        return -errno;
    }
    return file_copy(from, 0, to, 0, stat.st_size);
}

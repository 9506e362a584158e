#include "cli/img/crash-image.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/file-copy.h"

int crash_image_begin(CrashImage *image, const char *folder)
{
    struct stat stat;

    image->settled_end = 0;
    image->settled = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (image->settled < 0) {
        return -errno;
    }
    if (image->base >= 0) {
        int result = file_copy_whole(image->base, image->settled);

        if (result < 0) {
            return result;
        }
    }
    return fstat(image->settled, &stat) != 0 ||
            ((uint64_t)stat.st_size < image->size && ftruncate(image->settled, image->size) != 0)
        ? -errno
        : 0;
}

/* What is stable at the point from now on, up to the first change that is not. */
static int settle(CrashImage *image, uint64_t point)
{
    unsigned end = power_log_stable(image->log, image->settled_end, point);
    int result = 0;

    for (; image->settled_end < end && result == 0; image->settled_end++) {
        const PowerChange *change = &g_array_index(
            image->log->changes, PowerChange, image->settled_end);

        result = power_log_apply(image->log, change, 0, change->length, image->settled);
    }
    return result;
}

static int add_unsettled(const CrashImage *image, const CrashPoint *point, int fd)
{
    const uint32_t seeds[] = { image->seed, point->point, point->point >> 32, point->state };
    GRand *rand = g_rand_new_with_seed_array(seeds, G_N_ELEMENTS(seeds));
    PowerChance chance = power_chance(rand);
    const GArray *changes = image->log->changes;
    int result = 0;

    for (unsigned i = image->settled_end; i < changes->len && result == 0; i++) {
        const PowerChange *change = &g_array_index(changes, PowerChange, i);
        uint64_t from, to;

        if (power_fate(change, point->point, &chance, &from, &to)) {
            result = power_log_apply(image->log, change, from, to, fd);
        }
    }
    g_rand_free(rand);
    return result;
}

int crash_image_make(CrashImage *image, const CrashPoint *point)
{
    int result = settle(image, point->point);
    int fd;

    if (result < 0) {
        return result;
    }
    unlink(image->path);
    fd = open(image->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    result = file_copy_whole(image->settled, fd);
    if (result == 0) {
        result = add_unsettled(image, point, fd);
    }
    close(fd);
    return result;
}

void crash_image_end(CrashImage *image)
{
    if (image->settled >= 0) {
        close(image->settled);
    }
    unlink(image->path);
    g_free(image->path);
}

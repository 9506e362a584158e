/*
 * The files of `lathe img crash-test`: what a disk may hold after a loss of power, one point of a
 * log after the other. For a worker thread of its own each.
 */
#ifndef CLI_IMG_CRASH_IMAGE_H
#define CLI_IMG_CRASH_IMAGE_H

#include "block/power-log.h"

/* One crash: a point of the log, and which of the legal states. */
typedef struct CrashPoint {
    uint64_t point, state;
} CrashPoint;

typedef struct CrashImage {
    const PowerLog *log;
    uint32_t seed;
    uint64_t size; /* that the disk has at least */
    int base;      /* what it held when the log began; -1: zeroes */
    char *path;    /* of the crash image; owned */

    int settled;          /* a file with all that is stable */
    unsigned settled_end; /* changes that are in it */
} CrashImage;

/* Makes files in `folder`; fields above `settled` are set. 0 or -errno. */
int crash_image_begin(CrashImage *image, const char *folder);
/* Makes the image of a point, which comes at or after the last one. 0 or -errno. */
int crash_image_make(CrashImage *image, const CrashPoint *point);
void crash_image_end(CrashImage *image);

#endif

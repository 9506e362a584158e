/*
 * Drives as plain data: where the bytes are, and what is promised about them.
 */
#ifndef CORE_DRIVE_SPEC_H
#define CORE_DRIVE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mark.h"

/* A text with its place; `text` is NULL when nobody wrote it. */
typedef struct SpecText {
    const char *text;
    Mark mark;
} SpecText;

typedef struct SpecNumber {
    uint64_t value;
    Mark mark;
    bool set;
} SpecNumber;

typedef enum DriveOverlay { OVERLAY_NONE, OVERLAY_EPHEMERAL, OVERLAY_KEEP } DriveOverlay;
typedef enum DriveAio { AIO_THREADS, AIO_NATIVE, AIO_IO_URING } DriveAio;

/* How people write them, by value; ends with NULL. */
extern const char *const drive_aio_words[];

/* The index of a word in such a list; -1: it is not there, or NULL. */
int word_find(const char *const *words, const char *word);

/* The five words of `cache` are presets of these; block/cache.c says what they promise. */
typedef struct DriveCache {
    bool writeback;   /* a completed write may still be in a cache; flush is needed */
    bool direct;      /* O_DIRECT */
    bool no_flush;    /* flushes are ignored */
    const char *word; /* as people call it, for messages: "directsync" */
    Mark mark;
} DriveCache;

typedef struct DriveSpec {
    const char *id; /* "root"; its device's id is "drives.root" */
    Mark mark;
    SpecText
        image;     /* name of a fetched image: `path` is in the cache, NULL when it is not pinned */
    SpecText path; /* found from the folder of the file that names it; or NULL: */
    SpecNumber size; /* made empty, of this many bytes */
    SpecText format; /* never probed */
    DriveOverlay overlay;
    DriveCache cache;
    DriveAio aio;
    Mark aio_mark;
    bool read_only;
    bool discard;       /* the guest's discards reach the file */
    const char *serial; /* NULL: none */
} DriveSpec;

#endif

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

/* What a failed request does. */
typedef enum DriveOnError {
    ON_ERROR_REPORT, /* the guest sees it */
    ON_ERROR_IGNORE, /* the guest is told that it succeeded */
    ON_ERROR_STOP,   /* the machine stops; the request is tried again when it continues */
    ON_ERROR_ENOSPC, /* of writes: STOP when the host's disk is full, REPORT otherwise */
} DriveOnError;

/* What becomes of writes of nothing but zeroes. */
typedef enum DriveZeroes { ZEROES_IGNORE, ZEROES_ZERO, ZEROES_UNMAP } DriveZeroes;

/* How people write them, by value; each ends with NULL. */
extern const char *const drive_aio_words[];
extern const char *const drive_on_error_words[];
extern const char *const drive_zeroes_words[];

/* Kinds of limits: bytes and requests in a second, each of all, of reads and of changes. */
enum { LIMIT_BYTES, LIMIT_REQUESTS = 3, LIMITS = 6 };
enum { LIMIT_TOTAL, LIMIT_READ, LIMIT_WRITE };
extern const char *const drive_limit_words[]; /* "bps-total" ... */

typedef struct DriveLimit {
    uint64_t rate;     /* in a second; 0: no limit */
    uint64_t burst;    /* the same, while a burst lasts; 0: none */
    uint64_t burst_ns; /* how long it may last */
} DriveLimit;

typedef struct DriveThrottle {
    SpecText group; /* of those who share the limits; NULL: alone */
    DriveLimit limits[LIMITS];
    uint64_t request_size; /* a larger request counts as several; 0: as one */
    Mark mark;             /* no file: nothing is limited */
} DriveThrottle;

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

/* The key of encrypted images; at most one is not NULL. */
typedef struct DriveKey {
    const char *file, *text;
    Mark mark;
} DriveKey;

typedef struct BlockSpec BlockSpec;

typedef struct DriveSpec {
    const char *id; /* "root"; its device's id is "drives.root" */
    Mark mark;
    SpecText
        image;     /* name of a fetched image: `path` is in the cache, NULL when it is not pinned */
    SpecText path; /* found from the folder of the file that names it; or NULL: */
    SpecNumber size;        /* made empty, of this many bytes; or not set: */
    const BlockSpec *graph; /* nodes of its own */
    SpecText format;        /* never probed */
    DriveKey key;
    DriveOverlay overlay;
    DriveCache cache;
    DriveAio aio;
    Mark aio_mark;
    bool read_only;
    bool discard;      /* the guest's discards reach the file */
    bool copy_on_read; /* what is read from below is kept in the top layer */
    DriveZeroes zeroes;
    DriveOnError on_read_error, on_write_error;
    DriveThrottle throttle;
    uint64_t metadata_cache; /* bytes of each image's tables that are in memory; 0: unsaid */
    const char *serial;      /* NULL: none */
} DriveSpec;

#endif

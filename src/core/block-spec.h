/*
 * Nodes of a drive's graph as plain data, for drives that are more than an image: a tree of
 * protocols, formats and filters.
 */
#ifndef CORE_BLOCK_SPEC_H
#define CORE_BLOCK_SPEC_H

#include "core/drive-spec.h"

enum { BLOCK_SPEC_CHILDREN = 8 };

/* What the filter `blkdebug` does to requests. */
typedef struct BlockRule {
    const char *op;      /* "read", "write", "zero", "discard", "flush"; NULL: all */
    uint64_t at, length; /* requests that touch this range; length 0: any */
    const char *error;   /* "EIO"; NULL: none */
    uint64_t delay_ns;
    uint64_t after; /* so many pass first */
    uint64_t times; /* then so many are hit; 0: all */
} BlockRule;

typedef struct BlockSpec BlockSpec;
struct BlockSpec {
    const char *name; /* under `blocks`, or of the driver */
    Mark mark;
    SpecText driver;
    SpecText path;   /* a file or URL of a protocol; NULL: none */
    uint64_t size;   /* of a protocol without a file; of `raw`: of the part of its file */
    uint64_t offset; /* of `raw`: where that part begins */
    const BlockSpec *children[BLOCK_SPEC_CHILDREN];
    unsigned child_count;
    const BlockSpec *backing; /* NULL: what the image says */
    DriveCache cache;
    DriveAio aio;
    DriveKey key;
    bool read_only;
    bool shared; /* several have a pointer to this: they use one node */
    DriveThrottle throttle;
    uint64_t metadata_cache; /* bytes of tables that are in memory; 0: unsaid */
    const BlockRule *rules;
    unsigned rule_count;
    uint64_t votes;        /* of a quorum */
    uint64_t reconnect_ns; /* how long requests wait for a server that went; 0: unsaid */
};

#endif

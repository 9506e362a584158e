/* What tools ask a format about an image, and want done to it as a whole. */
#ifndef BLOCK_FACTS_H
#define BLOCK_FACTS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct BlockNode BlockNode;

/* What a check found. */
typedef struct BlockCheck {
    uint64_t leaks;       /* clusters that take space and hold nothing */
    uint64_t corruptions; /* references that may destroy data */
    uint64_t errors;      /* tables that could not be read */
    uint64_t leaks_fixed, corruptions_fixed;
    uint64_t clusters, allocated, packed; /* of the guest's disk */
    uint64_t end;                         /* bytes of the file that are in use */
} BlockCheck;

/* What a check is to mend. */
typedef enum BlockRepair {
    REPAIR_NOTHING,
    REPAIR_ALL,
    REPAIR_LEAKS, /* what takes space and holds nothing; the rest is only looked at */
} BlockRepair;

/* A state of the disk that an image keeps inside of itself. Texts are the node's. */
typedef struct BlockSnapshot {
    const char *id, *name;
    uint64_t disk_size, vm_state_size, vm_clock_ns;
    int64_t date_us; /* since 1970 */
} BlockSnapshot;

/*
 * [co] What a format can do with them; for tools, while nothing else uses the node. A snapshot is
 * named by its id or its name.
 */
typedef struct BlockSnapshots {
    int (*list)(BlockNode *node, GArray *out); /* of BlockSnapshot */
    int (*create)(BlockNode *node, const char *name);
    int (*apply)(BlockNode *node, const char *name); /* the disk becomes what it was */
    int (*remove)(BlockNode *node, const char *name);
    int (*show)(BlockNode *node, const char *name); /* reads give it, while the node is open */
} BlockSnapshots;

/* A record inside of an image of what parts of the disk were changed. The text is the node's. */
typedef struct BlockBitmap {
    const char *name;
    uint64_t granularity; /* bytes that a bit stands for */
    bool enabled;         /* changes of the disk are recorded */
    bool broken;          /* its last writer did not come to store it: can only be removed */
} BlockBitmap;

/*
 * [co] What a format can do with them; changes need a node that is open for writing, and what is
 * changed is on stable storage when the node is closed. False with an error.
 */
typedef struct BlockBitmaps {
    bool (*list)(BlockNode *node, GArray *out, GError **error); /* of BlockBitmap */
    /* A granularity of 0: as it suits the image. */
    bool (*add)(BlockNode *node, const char *name, uint64_t granularity, GError **error);
    bool (*remove)(BlockNode *node, const char *name, GError **error);
    bool (*clear)(BlockNode *node, const char *name, GError **error); /* nothing was changed */
    bool (*enable)(BlockNode *node, const char *name, bool on, GError **error);
    /* What is recorded in `from` of another image, or of this one, is so in `name`, too. */
    bool (*merge)(
        BlockNode *node, const char *name, BlockNode *other, const char *from, GError **error);
    /* Was the disk changed at `at`? Gives where that ends. */
    bool (*look)(
        BlockNode *node, const char *name, uint64_t at, uint64_t *end, bool *dirty, GError **error);
} BlockBitmaps;

/* Bytes that an image takes: with what the disk holds now, and when all of it is written. */
typedef struct BlockMeasure {
    uint64_t required, full;
} BlockMeasure;

/* Adds a fact about an image to a text. */
typedef void BlockFact(GString *out, const char *name, const char *text);

#endif

/*
 * Nodes: the images that a drive or a -blockdev opens, and whether QEMU could open them.
 */
#ifndef CONFIG_LEGACY_NODES_H
#define CONFIG_LEGACY_NODES_H

#include "config/legacy/legacy.h"

/* What a node takes over from the drive or node above it, unless its own keys say otherwise. */
typedef struct NodeFlags {
    bool read_only, auto_read_only;
    bool direct, no_flush;
    bool unmap;
    const char *aio;
    const char *file;   /* the text of a drive's file=; NULL: none */
    bool below_scratch; /* of a snapshot: it is never written to */
} NodeFlags;

/*
 * Opens what the keys describe. `strict`: as -blockdev has it, typed and with references to other
 * nodes. NULL after reporting why QEMU would not open it.
 */
LegacyNode *nodes_open(Legacy *legacy, Opts *keys, const NodeFlags *flags, bool strict);

/* Does one -blockdev. */
bool nodes_blockdev(Legacy *legacy, Opts *keys);

/* Is it "yes"? Reports what is neither on nor off. `value` stays when the key is not there. */
bool nodes_bool(Legacy *legacy, Opts *keys, const char *key, bool *value);

#endif

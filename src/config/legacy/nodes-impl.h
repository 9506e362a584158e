/*
 * The parts of the opening of nodes: node-keys.c reads keys, node-names.c names, node-formats.c has
 * what formats ask, and nodes.c puts nodes on each other.
 */
#ifndef CONFIG_LEGACY_NODES_IMPL_H
#define CONFIG_LEGACY_NODES_IMPL_H

#include "config/legacy/drivers.h"
#include "config/legacy/nodes.h"

/* All keys of a drive or -blockdev; a node of it has those that begin with its prefix, "file.". */
typedef struct Opener {
    Legacy *legacy;
    Opts *keys;
    bool strict;        /* typed, as -blockdev is */
    bool below_scratch; /* of a snapshot: nothing is written to it */
    unsigned depth;
} Opener;

/* ---- keys ---- */

const char *opener_key(Opener *o, const char *prefix, const char *key);

/* NULL: not given. The key counts as used from here on. */
Opt *opener_get(Opener *o, const char *prefix, const char *key);
bool opener_has_below(const Opener *o, const char *prefix);

/* Reports that a value is not `what`. Gives false. */
bool opener_refuse(Opener *o, const Opt *opt, const char *what);

/* `value` stays when the key is not there. */
bool opener_bool(Opener *o, const char *prefix, const char *key, bool *value);

/* By the types of drivers.h. */
bool opener_check_value(Opener *o, const Opt *opt, char type);

/* Every key of this node that its driver knows, and no other. */
bool opener_check_keys(Opener *o, const char *prefix, const ImageDriver *driver);

/* That an -object with this id is there, of a type that begins with `type`; `opt` may be NULL. */
bool opener_check_object(Opener *o, const Opt *opt, const char *type);

/* ---- names ---- */

/* The driver that QEMU takes for a name, and the name without a `file:` in front. */
const ImageDriver *name_driver(Opener *o, const char **name, Span at);

/* Takes the file's facts into the node. False after reporting that it cannot be opened. */
bool name_look(Opener *o, LegacyNode *node, const char *name, Span at);

/* `fat:DIR`, and whether one can be written to where it is. */
void name_take_fat(LegacyNode *node, const char *name);
bool name_check_fat(Opener *o, const LegacyNode *node, bool writes, Span at);

/* Whether a protocol can read a name: `nbd:...` is for nbd. */
bool name_is_for(const ImageDriver *driver, const char *name);

/* ---- formats ---- */

bool format_check(Opener *o, const char *prefix, const LegacyNode *node, const LegacyNode *below,
    const ImageDriver *driver);

/* What a filter for tests needs besides the node below it. */
bool format_check_filter(
    Opener *o, const char *prefix, const ImageDriver *driver, const char *name, Span at);

#endif

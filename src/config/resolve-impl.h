/*
 * The parts of resolve, which share one state. Only resolve*.c include this.
 */
#ifndef CONFIG_RESOLVE_IMPL_H
#define CONFIG_RESOLVE_IMPL_H

#include "config/resolve.h"

/* A device type, and what its schema says beyond the spec. */
typedef struct TypeInfo {
    DeviceType type;
    const Schema *schema;
    const Node *facts; /* x-lathe */
} TypeInfo;

typedef struct Resolver {
    const ResolveInput *in;
    Arena *arena;
    Diag *diag;
    MachineSpec *spec;
    GHashTable *types;  /* name -> TypeInfo; NULL values too */
    GHashTable *blocks; /* name -> what resolve-blocks.c knows of it */
    GArray *devices;    /* of DeviceSpec, being collected */
    GArray *drives;     /* of DriveSpec */
    GArray *not_yet;    /* of NotYet */
    GArray *seen;       /* of NamePair */
    unsigned cpu_count;
} Resolver;

/* ---- resolve.c ---- */

/* "did you mean", and the list of what there is. */
void resolve_suggest(Resolver *r, const char *word, const Node *map);
SpecText resolve_text(const Node *node);
uint64_t resolve_quantity(const Node *node, UnitKind unit); /* 0 if it is none */

/* Copies a GArray's elements into the arena. */
void *resolve_take(Resolver *r, GArray *array);

/* ---- resolve-later.c ---- */

/* What is well formed, and what `run` has to refuse for now. */
void resolve_later(Resolver *r);
void resolve_not_yet(Resolver *r, const char *path, const Node *node);

/* ---- resolve-types.c ---- */

/* NULL after reporting at the node (a text) that there is no such type. */
const TypeInfo *resolve_type(Resolver *r, const Node *name);

/* ---- resolve-devices.c ---- */

void resolve_board_devices(Resolver *r);

/*
 * Adds a device that plugs into a bus. `node` follows the schema of its type, which is validated
 * here; `slot` is the text that asks for a slot, or NULL; `at` the place for errors.
 */
void resolve_plugged_device(Resolver *r, const char *id, Node *node, const Node *slot, Mark at);

/* Gives the devices without a wish the slots that are left. */
void resolve_slots(Resolver *r);

/* ---- resolve-drives.c ---- */

void resolve_drives(Resolver *r);

/* Of a drive or of a block. */
SpecText resolve_place(Resolver *r, const Node *file);
void resolve_cache(DriveCache *cache, const Node *node);
/* A missing node leaves the key as it is. */
void resolve_key(Resolver *r, DriveKey *key, const Node *node);
void resolve_throttle(DriveThrottle *throttle, const Node *node);

/* ---- resolve-blocks.c ---- */

/* The graph at `block` of a drive; NULL after saying what is wrong with it. */
const BlockSpec *resolve_block(Resolver *r, const Node *node, const DriveSpec *drive);

/* ---- resolve-fdt.c ---- */

/* `device` and `facts`, if given, are what { property: x } and { clock: x } refer to. */
void resolve_fdt_node(Resolver *r, const Node *map, const DeviceSpec *device, FdtNodeSpec *out);
void resolve_board_fdt(Resolver *r);

#endif

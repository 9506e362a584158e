/*
 * The flat map: a tree of regions as one sorted, immutable array, ready for a binary search.
 *
 * address-space.h keeps one for each view and replaces it whenever a region moves.
 */
#ifndef CORE_FLATTEN_H
#define CORE_FLATTEN_H

#include "core/region.h"

typedef struct FlatRange {
    GuestAddr start;
    uint64_t size;
    Region *region;  /* never a container or an alias */
    uint64_t offset; /* of start in region */
    uint8_t *host;   /* where start is in host memory; NULL: every access calls region_read */
    bool readonly;   /* writes do not go to host: region_write() them (ROM drops them) */
} FlatRange;

typedef struct FlatMap {
    unsigned count;
    unsigned last_hit;  /* index, atomic: a hint only */
    FlatRange ranges[]; /* ascending, none overlaps, none is empty */
} FlatMap;

FlatMap *flat_map_new(Region *root);
void flat_map_free(FlatMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FlatMap, flat_map_free)

/* The range with this address, or NULL. Any thread. */
const FlatRange *flat_map_find(const FlatMap *map, GuestAddr address);

bool flat_map_equal(const FlatMap *a, const FlatMap *b);

#endif

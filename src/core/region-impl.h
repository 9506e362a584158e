/*
 * The inside of a region, for region.c and flatten.c.
 */
#ifndef CORE_REGION_IMPL_H
#define CORE_REGION_IMPL_H

#include "core/region.h"

struct Region {
    int refs; /* atomic */
    RegionKind kind;
    char *name;
    char *label; /* owner's id and the name, for people; NULL: the name alone */
    uint64_t size;

    const RegionOps *ops;
    void *owner;
    GDestroyNotify free_owner;
    AccessSize guest, device; /* those of ops, defaults filled in */

    uint8_t *host; /* memory */
    uint8_t *page_flags;
    int fd;
    bool rom_mode;

    Region *target; /* alias */
    uint64_t target_offset;

    Region *parent; /* where it is mapped */
    GuestAddr at;
    int layer;
    GPtrArray *children; /* container: highest layer first, then the first mapped */
};

#endif

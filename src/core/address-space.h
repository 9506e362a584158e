/*
 * Address spaces: a view of the regions, as one CPU or one bus master sees them.
 *
 * Readers never lock. address_space_enter() pins the current map for the calling thread; a map
 * that was replaced is freed when no thread has one pinned from before (epoch.h). So keep the
 * time between enter and leave short, and keep no FlatRange past it: a TLB keeps the host pointer
 * or the Region, and is dropped by its listener when the map changes.
 */
#ifndef CORE_ADDRESS_SPACE_H
#define CORE_ADDRESS_SPACE_H

#include "core/flatten.h"

typedef struct AddressSpace AddressSpace;

AddressSpace *address_space_new(const char *name, Region *root); /* takes a reference to root */
void address_space_free(AddressSpace *as);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AddressSpace, address_space_free)

Region *address_space_root(const AddressSpace *as);

/* Any thread; nests. */
const FlatMap *address_space_enter(AddressSpace *as);
void address_space_leave(AddressSpace *as);

/* Called, with the machine lock, after another map was published: drop what you kept of the old. */
typedef void (*AddressSpaceListener)(void *data);
void address_space_listen(AddressSpace *as, AddressSpaceListener changed, void *data);

/*
 * Reads and writes of any length, from any thread; RAM without a lock, devices with the machine
 * lock, split as the ranges and the regions' access sizes ask. At an error the rest is not done;
 * what a failed read did not reach is zeroed.
 */
MemResult address_space_read(AddressSpace *as, GuestAddr at, void *out, uint64_t length);
MemResult address_space_write(AddressSpace *as, GuestAddr at, const void *data, uint64_t length);

/*
 * The host pointer for RAM at an address, NULL when it is not RAM (or, to write, not writable).
 * *length comes back no longer than asked, cut where the RAM ends. After writing there, call
 * address_space_wrote() for the bytes written.
 */
void *address_space_map_ram(AddressSpace *as, GuestAddr at, uint64_t *length, bool for_write);
void address_space_wrote(AddressSpace *as, GuestAddr at, uint64_t length);

/*
 * The same for a loader, before the guest runs: memory of every kind, ROM and flash too. After
 * filling it, call address_space_filled().
 */
void *address_space_map_memory(AddressSpace *as, GuestAddr at, uint64_t *length);
void address_space_filled(AddressSpace *as, GuestAddr at, uint64_t length);

/* For region.c: builds and publishes the maps of every address space again. */
void address_space_rebuild_all(void);

#endif

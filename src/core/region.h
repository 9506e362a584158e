/*
 * Regions: what an address means.
 *
 * A region is RAM, ROM, a set of device callbacks, a window onto another region, or a container
 * of other regions. Containers nest; the core flattens them into one sorted map for each view
 * (flatten.h) and rebuilds that map whenever a region moves, so no device ever searches one.
 *
 * Mapping and unmapping need the machine lock. Callbacks run with it held.
 */
#ifndef CORE_REGION_H
#define CORE_REGION_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef uint64_t GuestAddr;

typedef enum Endian { ENDIAN_LITTLE, ENDIAN_BIG } Endian;

/* How an access went. A bus error of either kind is the CPU's access fault. */
typedef enum MemResult {
    MEM_OK,
    MEM_DECODE_ERROR, /* nothing answers there, or not to this size */
    MEM_DEVICE_ERROR, /* the device refused: region_refuse() */
} MemResult;

/* Sizes in bytes, each a power of two up to 8, both included. */
typedef struct AccessSize {
    uint8_t min, max;
} AccessSize;

typedef struct RegionOps {
    uint64_t (*read)(void *owner, GuestAddr offset, unsigned size);
    void (*write)(void *owner, GuestAddr offset, uint64_t value, unsigned size);
    void (*filled)(void *owner); /* optional; a ROM device's memory was given contents at boot */

    AccessSize guest;     /* what a guest may issue; anything else is a bus error. 0: 1 to 8 */
    AccessSize device;    /* what the callbacks see; the core splits and joins. 0: as guest */
    bool guest_unaligned; /* a guest may cross its own size; split into aligned ones */
    Endian endian;        /* byte order of a register wider than a byte */
} RegionOps;

typedef enum RegionKind {
    REGION_CONTAINER,
    REGION_RAM,
    REGION_ROM,        /* as RAM, but guest writes are dropped */
    REGION_ROM_DEVICE, /* reads as RAM while in ROM mode; all else calls the ops (CFI flash) */
    REGION_MMIO,
    REGION_ALIAS, /* a window onto another region */
} RegionKind;

typedef struct Region Region;

/* The owner is passed to every callback and outlives the region. */
Region *region_new_mmio(const char *name, uint64_t size, const RegionOps *ops, void *owner);
Region *region_new_container(const char *name, uint64_t size);
Region *region_new_alias(const char *name, Region *target, uint64_t offset, uint64_t size);

/* Memory of the host: a sparse memfd, which takes only what is touched. Sizes round up to 4 KiB. */
Region *region_new_ram(const char *name, uint64_t size, GError **error);
Region *region_new_rom(const char *name, uint64_t size, GError **error);
Region *region_new_rom_device(
    const char *name, uint64_t size, const RegionOps *ops, void *owner, GError **error);

/* Frees the owner with the region, and after its last callback. */
void region_free_owner(Region *region, GDestroyNotify free_func);

Region *region_ref(Region *region);
void region_unref(Region *region);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Region, region_unref)

const char *region_name(const Region *region);
const char *region_label(const Region *region); /* "uart0.regs", for people; else the name */
void region_set_label(Region *region, const char *label); /* and those of its children */
uint64_t region_size(const Region *region);
RegionKind region_kind(const Region *region);

/*
 * Maps child into container and takes a reference. A child has one place; an alias gives it a
 * second. Where children overlap the higher layer wins, and on one layer the one mapped first: a
 * guest may move regions (PCI BARs) onto each other, so this is no assertion; the board checks
 * what it maps itself before anything is built. What exceeds the container is cut off.
 */
void region_map(Region *container, GuestAddr at, Region *child, int layer);
void region_unmap(Region *child); /* does nothing when it is not mapped */

/* Starts a batch: maps are rebuilt once, when the outermost batch ends. */
void region_batch_begin(void);
void region_batch_end(void);

/* Where a mapped region begins in its outermost container; for descriptions, not for dispatch. */
bool region_address(const Region *region, GuestAddr *out);

/*
 * Called from a read or write callback: the access ends in a bus error and what the callback
 * returns is dropped.
 */
void region_refuse(void);

/*
 * One access of 1, 2, 4 or 8 bytes to a region that is not RAM, from any thread; takes the machine
 * lock when this thread has not got it. The value is what a little-endian load of those bytes
 * would give, whatever the device's own order is; a big-endian guest swaps it.
 */
MemResult region_read(Region *region, uint64_t offset, unsigned size, uint64_t *value);
MemResult region_write(Region *region, uint64_t offset, unsigned size, uint64_t value);

/*
 * The access with which to go on moving `left` bytes at offset: the largest one that is aligned
 * there, not longer than what is left, and allowed to the guest; 1 when none is.
 */
unsigned region_access_size(const Region *region, uint64_t offset, uint64_t left);

/* Switches a ROM device between reading as RAM and calling its ops. */
void region_set_rom_mode(Region *region, bool on);

/* ---- Memory (RAM, ROM, ROM device) ---- */

/* One atomic byte for every 4 KiB. */
enum { PAGE_BITS = 12, PAGE_CODE = 1 /* the translator has blocks made from this page */ };

uint8_t *region_host(const Region *region); /* NULL when it is not memory */
uint8_t *region_page_flags(const Region *region);
int region_fd(const Region *region); /* of the memfd, to share it; -1 */

/*
 * Says that length bytes of RAM were changed by something other than generated code. Whoever
 * writes through region_host() must call it; address_space_write() and the loaders do.
 */
void region_wrote(Region *ram, uint64_t offset, uint64_t length);

/* A loader has put something into memory of any kind: region_wrote(), and a ROM device is told. */
void region_filled(Region *memory, uint64_t offset, uint64_t length);

/* The translator's hook: called by region_wrote() when a written page has PAGE_CODE set. */
typedef void (*RegionCodeWritten)(Region *ram, uint64_t offset, uint64_t length);
void region_on_code_written(RegionCodeWritten hook);

#endif

#include "core/address-space.h"

#include <string.h>

#include "core/epoch.h"
#include "core/trace.h"

typedef struct Listener {
    AddressSpaceListener changed;
    void *data;
} Listener;

struct AddressSpace {
    char *name;
    Region *root;
    FlatMap *map;      /* atomic */
    GArray *listeners; /* of Listener */
};

static GPtrArray *spaces; /* every one there is; with the machine lock */

/* ---- making, and following the regions ---- */

static void trace_map(const AddressSpace *as, const FlatMap *map)
{
    for (unsigned i = 0; i < map->count && TRACE_IS_ON(map); i++) {
        const FlatRange *r = &map->ranges[i];

        TRACE(map, "%s: 0x%" G_GINT64_MODIFIER "x + 0x%" G_GINT64_MODIFIER "x %s", as->name,
            r->start, r->size, region_label(r->region));
    }
}

static void free_map(void *map)
{
    flat_map_free(map);
}

static void rebuild(AddressSpace *as)
{
    g_autoptr(FlatMap) map = flat_map_new(as->root);
    FlatMap *old = as->map;

    if (old && flat_map_equal(old, map)) {
        return;
    }
    trace_map(as, map);
    __atomic_store_n(&as->map, g_steal_pointer(&map), __ATOMIC_RELEASE);
    for (unsigned i = 0; i < as->listeners->len; i++) {
        const Listener *listener = &g_array_index(as->listeners, Listener, i);

        listener->changed(listener->data);
    }
    if (old) {
        epoch_retire(old, free_map);
    }
}

void address_space_rebuild_all(void)
{
    for (unsigned i = 0; spaces && i < spaces->len; i++) {
        rebuild(spaces->pdata[i]);
    }
}

AddressSpace *address_space_new(const char *name, Region *root)
{
    AddressSpace *as = g_new0(AddressSpace, 1);

    as->name = g_strdup(name);
    as->root = region_ref(root);
    as->listeners = g_array_new(false, false, sizeof(Listener));
    if (!spaces) {
        spaces = g_ptr_array_new();
    }
    g_ptr_array_add(spaces, as);
    rebuild(as);
    return as;
}

void address_space_free(AddressSpace *as)
{
    if (!as) {
        return;
    }
    g_ptr_array_remove(spaces, as);
    if (spaces->len == 0) {
        g_clear_pointer(&spaces, g_ptr_array_unref);
    }
    epoch_retire(as->map, free_map);
    region_unref(as->root);
    g_array_unref(as->listeners);
    g_free(as->name);
    g_free(as);
}

Region *address_space_root(const AddressSpace *as)
{
    return as->root;
}

void address_space_listen(AddressSpace *as, AddressSpaceListener changed, void *data)
{
    Listener listener = { changed, data };

    g_array_append_val(as->listeners, listener);
}

const FlatMap *address_space_enter(AddressSpace *as)
{
    epoch_enter();
    return __atomic_load_n(&as->map, __ATOMIC_ACQUIRE);
}

void address_space_leave(AddressSpace *as)
{
    epoch_leave();
}

/* ---- reading and writing ---- */

static MemResult read_device(const FlatRange *range, uint64_t offset, uint8_t *out, uint64_t length)
{
    for (uint64_t done = 0; done < length;) {
        unsigned size = region_access_size(range->region, offset + done, length - done);
        uint64_t value;
        MemResult result = region_read(range->region, offset + done, size, &value);

        if (result != MEM_OK) {
            return result;
        }
        memcpy(out + done, &value, size);
        done += size;
    }
    return MEM_OK;
}

static MemResult write_device(
    const FlatRange *range, uint64_t offset, const uint8_t *data, uint64_t length)
{
    for (uint64_t done = 0; done < length;) {
        unsigned size = region_access_size(range->region, offset + done, length - done);
        uint64_t value = 0;
        MemResult result;

        memcpy(&value, data + done, size);
        result = region_write(range->region, offset + done, size, value);
        if (result != MEM_OK) {
            return result;
        }
        done += size;
    }
    return MEM_OK;
}

static MemResult read_range(const FlatRange *range, uint64_t skip, uint8_t *out, uint64_t length)
{
    if (!range->host) {
        return read_device(range, range->offset + skip, out, length);
    }
    memcpy(out, range->host + skip, length);
    return MEM_OK;
}

static MemResult write_range(
    const FlatRange *range, uint64_t skip, const uint8_t *data, uint64_t length)
{
    if (!range->host || range->readonly) {
        return write_device(range, range->offset + skip, data, length);
    }
    memcpy(range->host + skip, data, length);
    region_wrote(range->region, range->offset + skip, length);
    return MEM_OK;
}

/* One transfer, range by range; data is written when out is NULL. */
static MemResult transfer(
    AddressSpace *as, GuestAddr at, uint8_t *out, const uint8_t *data, uint64_t length)
{
    const FlatMap *map = address_space_enter(as);
    MemResult result = MEM_OK;
    uint64_t done = 0;

    while (done < length && result == MEM_OK) {
        const FlatRange *range = flat_map_find(map, at + done);
        uint64_t skip, part;

        if (!range || at + done < at) {
            result = MEM_DECODE_ERROR;
            break;
        }
        skip = at + done - range->start;
        part = MIN(length - done, range->size - skip);
        result = out ? read_range(range, skip, out + done, part)
                     : write_range(range, skip, data + done, part);
        done += result == MEM_OK ? part : 0;
    }
    address_space_leave(as);
    if (out && done < length) {
        memset(out + done, 0, length - done);
    }
    return result;
}

MemResult address_space_read(AddressSpace *as, GuestAddr at, void *out, uint64_t length)
{
    return transfer(as, at, out, NULL, length);
}

MemResult address_space_write(AddressSpace *as, GuestAddr at, const void *data, uint64_t length)
{
    return transfer(as, at, NULL, data, length);
}

void *address_space_map_ram(AddressSpace *as, GuestAddr at, uint64_t *length, bool for_write)
{
    const FlatRange *range = flat_map_find(address_space_enter(as), at);
    void *host = NULL;

    if (range && range->host && !(for_write && range->readonly)) {
        uint64_t skip = at - range->start;

        *length = MIN(*length, range->size - skip);
        host = range->host + skip;
    }
    address_space_leave(as);
    return host;
}

void *address_space_map_memory(AddressSpace *as, GuestAddr at, uint64_t *length)
{
    const FlatRange *range = flat_map_find(address_space_enter(as), at);
    uint8_t *host = range && range->region ? region_host(range->region) : NULL;

    if (host) {
        uint64_t skip = at - range->start;

        *length = MIN(*length, range->size - skip);
        host += range->offset + skip;
    }
    address_space_leave(as);
    return host;
}

/* Calls what for the part of each range's memory. */
static void for_memory(AddressSpace *as, GuestAddr at, uint64_t length,
    void (*what)(Region *memory, uint64_t offset, uint64_t length))
{
    const FlatMap *map = address_space_enter(as);

    while (length > 0) {
        const FlatRange *range = flat_map_find(map, at);
        uint64_t skip, part;

        if (!range) {
            break;
        }
        skip = at - range->start;
        part = MIN(length, range->size - skip);
        if (range->region && region_host(range->region)) {
            what(range->region, range->offset + skip, part);
        }
        at += part;
        length -= part;
    }
    address_space_leave(as);
}

void address_space_wrote(AddressSpace *as, GuestAddr at, uint64_t length)
{
    for_memory(as, at, length, region_wrote);
}

void address_space_filled(AddressSpace *as, GuestAddr at, uint64_t length)
{
    for_memory(as, at, length, region_filled);
}

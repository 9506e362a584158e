#include "core/region-impl.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/address-space.h"
#include "core/loop.h"
#include "core/trace.h"

/* A device that DMAs into a device that DMAs ...: a guest can close the circle. */
enum { MAX_NESTED_ACCESSES = 8 };

static unsigned batch_depth; /* with the machine lock */
static bool batch_dirty;
static RegionCodeWritten code_written;
static _Thread_local bool access_refused;
static _Thread_local unsigned access_depth;

/* ---- making and freeing ---- */

static Region *region_new(RegionKind kind, const char *name, uint64_t size)
{
    Region *region = g_new0(Region, 1);

    region->refs = 1;
    region->kind = kind;
    region->name = g_strdup(name);
    region->size = size;
    region->fd = -1;
    return region;
}

static void set_ops(Region *region, const RegionOps *ops, void *owner)
{
    region->ops = ops;
    region->owner = owner;
    region->guest = ops->guest.max ? ops->guest : (AccessSize){ 1, 8 };
    region->device = ops->device.max ? ops->device : region->guest;
}

Region *region_new_mmio(const char *name, uint64_t size, const RegionOps *ops, void *owner)
{
    Region *region = region_new(REGION_MMIO, name, size);

    set_ops(region, ops, owner);
    return region;
}

Region *region_new_container(const char *name, uint64_t size)
{
    Region *region = region_new(REGION_CONTAINER, name, size);

    region->children = g_ptr_array_new();
    return region;
}

Region *region_new_alias(const char *name, Region *target, uint64_t offset, uint64_t size)
{
    Region *region = region_new(REGION_ALIAS, name, size);

    region->target = region_ref(target);
    region->target_offset = offset;
    return region;
}

/* False with errno. */
static bool map_memory(Region *region)
{
    region->fd = memfd_create(region->name, MFD_CLOEXEC);
    if (region->fd < 0 || ftruncate(region->fd, region->size) < 0) {
        return false;
    }
    region->host = mmap(
        NULL, region->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, region->fd, 0);
    if (region->host == MAP_FAILED) {
        region->host = NULL;
        return false;
    }
    region->page_flags = g_try_malloc0(region->size >> PAGE_BITS);
    return region->page_flags != NULL;
}

static Region *new_memory(RegionKind kind, const char *name, uint64_t size, GError **error)
{
    const uint64_t page = UINT64_C(1) << PAGE_BITS;
    g_autoptr(Region) region = NULL;

    if (size == 0 || size > INT64_MAX - page) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
            "%" G_GUINT64_FORMAT " bytes of memory cannot be had", size);
        return NULL;
    }
    region = region_new(kind, name, (size + page - 1) & ~(page - 1));
    errno = 0;
    if (!map_memory(region)) {
        int saved = errno ? errno : ENOMEM;

        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(saved),
            "the host gives no %" G_GUINT64_FORMAT " MiB for '%s': %s", size >> 20, name,
            g_strerror(saved));
        return NULL;
    }
    return g_steal_pointer(&region);
}

Region *region_new_ram(const char *name, uint64_t size, GError **error)
{
    return new_memory(REGION_RAM, name, size, error);
}

Region *region_new_rom(const char *name, uint64_t size, GError **error)
{
    return new_memory(REGION_ROM, name, size, error);
}

Region *region_new_rom_device(
    const char *name, uint64_t size, const RegionOps *ops, void *owner, GError **error)
{
    Region *region = new_memory(REGION_ROM_DEVICE, name, size, error);

    if (region) {
        set_ops(region, ops, owner);
        region->rom_mode = true;
    }
    return region;
}

void region_free_owner(Region *region, GDestroyNotify free_func)
{
    region->free_owner = free_func;
}

Region *region_ref(Region *region)
{
    g_atomic_int_inc(&region->refs);
    return region;
}

static void free_children(Region *region)
{
    for (unsigned i = 0; region->children && i < region->children->len; i++) {
        Region *child = region->children->pdata[i];

        child->parent = NULL;
        region_unref(child);
    }
    g_clear_pointer(&region->children, g_ptr_array_unref);
}

void region_unref(Region *region)
{
    if (!region || !g_atomic_int_dec_and_test(&region->refs)) {
        return;
    }
    free_children(region);
    region_unref(region->target);
    if (region->host) {
        munmap(region->host, region->size);
    }
    if (region->fd >= 0) {
        close(region->fd);
    }
    if (region->free_owner) {
        region->free_owner(region->owner);
    }
    g_free(region->page_flags);
    g_free(region->label);
    g_free(region->name);
    g_free(region);
}

const char *region_name(const Region *region)
{
    return region->name;
}

const char *region_label(const Region *region)
{
    return region->label ? region->label : region->name;
}

void region_set_label(Region *region, const char *label)
{
    g_free(region->label);
    region->label = g_strdup(label);
    for (unsigned i = 0; region->children && i < region->children->len; i++) {
        Region *child = region->children->pdata[i];
        g_autofree char *inner = g_strdup_printf("%s.%s", label, child->name);

        region_set_label(child, inner);
    }
}

uint64_t region_size(const Region *region)
{
    return region->size;
}

RegionKind region_kind(const Region *region)
{
    return region->kind;
}

/* ---- the tree ---- */

static void tree_changed(void)
{
    if (batch_depth > 0) {
        batch_dirty = true;
    } else {
        address_space_rebuild_all();
    }
}

void region_batch_begin(void)
{
    batch_depth++;
}

void region_batch_end(void)
{
    g_assert(batch_depth > 0);
    if (--batch_depth == 0 && batch_dirty) {
        batch_dirty = false;
        address_space_rebuild_all();
    }
}

void region_map(Region *container, GuestAddr at, Region *child, int layer)
{
    unsigned place = 0;

    g_assert(container->kind == REGION_CONTAINER && !child->parent);
    child->parent = container;
    child->at = at;
    child->layer = layer;
    while (place < container->children->len &&
        ((Region *)container->children->pdata[place])->layer >= layer) {
        place++;
    }
    g_ptr_array_insert(container->children, place, region_ref(child));
    tree_changed();
}

void region_unmap(Region *child)
{
    if (child->parent) {
        g_ptr_array_remove(child->parent->children, child);
        child->parent = NULL;
        tree_changed();
        region_unref(child);
    }
}

bool region_address(const Region *region, GuestAddr *out)
{
    *out = 0;
    if (!region->parent) {
        return false;
    }
    for (; region->parent; region = region->parent) {
        *out += region->at;
    }
    return true;
}

void region_set_rom_mode(Region *region, bool on)
{
    g_assert(region->kind == REGION_ROM_DEVICE);
    if (region->rom_mode != on) {
        region->rom_mode = on;
        tree_changed();
    }
}

/* ---- accesses to devices ---- */

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

static uint64_t low_bytes(uint64_t value, unsigned size)
{
    return size >= 8 ? value : value & ((UINT64_C(1) << (8 * size)) - 1);
}

static bool guest_may(const Region *region, uint64_t offset, unsigned size)
{
    return region->ops && size >= region->guest.min && size <= region->guest.max &&
        offset < region->size && size <= region->size - offset &&
        (region->ops->guest_unaligned || (offset & (size - 1)) == 0);
}

/* The largest access that the device takes at offset, of at most `left` bytes where it can. */
static unsigned next_chunk(const Region *region, uint64_t offset, unsigned left)
{
    unsigned chunk = region->device.max;

    while (chunk > 1 && (chunk > left || (offset & (chunk - 1)))) {
        chunk >>= 1;
    }
    return chunk;
}

unsigned region_access_size(const Region *region, uint64_t offset, uint64_t left)
{
    unsigned size = region->guest.max ? region->guest.max : 8;

    while (size > 1 && (size > left || (offset & (size - 1)))) {
        size >>= 1;
    }
    return size;
}

static uint64_t read_chunk(Region *region, uint64_t offset, unsigned chunk)
{
    unsigned wide = MAX(chunk, region->device.min);
    uint64_t lane = offset & (wide - 1);
    uint64_t value = region->ops->read(region->owner, offset - lane, wide);

    if (region->ops->endian == ENDIAN_BIG) {
        value = swap_bytes(value, wide);
    }
    return low_bytes(value >> (8 * lane), chunk);
}

/* A write narrower than the device can take puts its bytes in their lanes, zeroes in the others. */
static void write_chunk(Region *region, uint64_t offset, unsigned chunk, uint64_t value)
{
    unsigned wide = MAX(chunk, region->device.min);
    uint64_t lane = offset & (wide - 1);

    value = low_bytes(value, chunk) << (8 * lane);
    if (region->ops->endian == ENDIAN_BIG) {
        value = swap_bytes(value, wide);
    }
    region->ops->write(region->owner, offset - lane, value, wide);
}

static uint64_t read_chunks(Region *region, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned done = 0, chunk; done < size; done += chunk) {
        chunk = next_chunk(region, offset + done, size - done);
        value |= read_chunk(region, offset + done, chunk) << (8 * done);
    }
    return value;
}

static void write_chunks(Region *region, uint64_t offset, unsigned size, uint64_t value)
{
    for (unsigned done = 0, chunk; done < size; done += chunk) {
        chunk = next_chunk(region, offset + done, size - done);
        write_chunk(region, offset + done, chunk, value >> (8 * done));
    }
}

/* The state of the access that this one interrupts: a callback may cause another by DMA. */
typedef struct Access {
    bool took_lock, outer_refused;
} Access;

static bool access_begin(Access *access)
{
    if (access_depth >= MAX_NESTED_ACCESSES) {
        return false;
    }
    access_depth++;
    access->took_lock = machine_lock_ensure();
    access->outer_refused = access_refused;
    access_refused = false;
    return true;
}

static MemResult access_end(const Access *access)
{
    MemResult result = access_refused ? MEM_DEVICE_ERROR : MEM_OK;

    access_refused = access->outer_refused;
    machine_lock_restore(access->took_lock);
    access_depth--;
    return result;
}

static const char *result_note(MemResult result)
{
    static const char *const notes[] = { "", " (nothing there)", " (refused)" };

    return notes[result];
}

MemResult region_read(Region *region, uint64_t offset, unsigned size, uint64_t *value)
{
    MemResult result = MEM_DECODE_ERROR;
    Access access;

    *value = 0;
    if (region->host && (region->kind != REGION_ROM_DEVICE || region->rom_mode)) {
        memcpy(value, region->host + offset, size);
        return MEM_OK;
    }
    if (guest_may(region, offset, size) && access_begin(&access)) {
        *value = read_chunks(region, offset, size);
        result = access_end(&access);
        *value = result == MEM_OK ? *value : 0;
    }
    TRACE(mmio, "read %s+0x%" G_GINT64_MODIFIER "x size %u: 0x%" G_GINT64_MODIFIER "x%s",
        region_label(region), offset, size, *value, result_note(result));
    return result;
}

MemResult region_write(Region *region, uint64_t offset, unsigned size, uint64_t value)
{
    MemResult result = MEM_DECODE_ERROR;
    Access access;

    if (region->kind == REGION_ROM) {
        return MEM_OK;
    }
    if (region->kind == REGION_RAM) {
        memcpy(region->host + offset, &value, size);
        region_wrote(region, offset, size);
        return MEM_OK;
    }
    if (guest_may(region, offset, size) && access_begin(&access)) {
        write_chunks(region, offset, size, value);
        result = access_end(&access);
    }
    TRACE(mmio, "write %s+0x%" G_GINT64_MODIFIER "x size %u: 0x%" G_GINT64_MODIFIER "x%s",
        region_label(region), offset, size, value, result_note(result));
    return result;
}

void region_refuse(void)
{
    access_refused = true;
}

/* ---- memory ---- */

uint8_t *region_host(const Region *region)
{
    return region->host;
}

uint8_t *region_page_flags(const Region *region)
{
    return region->page_flags;
}

int region_fd(const Region *region)
{
    return region->fd;
}

void region_on_code_written(RegionCodeWritten hook)
{
    code_written = hook;
}

void region_wrote(Region *ram, uint64_t offset, uint64_t length)
{
    if (length == 0 || !code_written) {
        return;
    }
    /* The bytes before the flags: the translator sets the flag, then reads the bytes. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (uint64_t page = offset >> PAGE_BITS; page <= (offset + length - 1) >> PAGE_BITS; page++) {
        if (__atomic_load_n(&ram->page_flags[page], __ATOMIC_RELAXED) & PAGE_CODE) {
            code_written(ram, offset, length);
            return;
        }
    }
}

void region_filled(Region *memory, uint64_t offset, uint64_t length)
{
    region_wrote(memory, offset, length);
    if (memory->kind == REGION_ROM_DEVICE && memory->ops->filled) {
        memory->ops->filled(memory->owner);
    }
}

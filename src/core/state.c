/*
 * A snapshot is a GVariant: (time, devices, memory). A device is its saved fields by name and the
 * levels of its outputs; memory, that of devices included, is what was ever touched, in chunks. All
 * of it may come from a file that somebody made up, so nothing in it is believed.
 */
#include "core/state.h"

#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/build-impl.h"
#include "core/device-impl.h"
#include "core/loop.h"

#define DEVICE_TYPE "(a{say}ab)"
#define MEMORY_TYPE "(stay)"
#define STATE_TYPE "(xa{s" DEVICE_TYPE "}a" MEMORY_TYPE ")"

enum { CHUNK = 1 << 16 };

static bool refuse(GError **error, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *fmt, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, fmt);
    what = g_strdup_vprintf(fmt, args);
    va_end(args);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "the snapshot does not fit: %s", what);
    return false;
}

static GVariant *bytes_variant(const void *data, size_t length)
{
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, length, 1);
}

/* ---- one device ---- */

static GVariant *save_device(const Device *dev)
{
    GVariantBuilder fields, levels;

    g_variant_builder_init(&fields, G_VARIANT_TYPE("a{say}"));
    for (const Saved *saved = dev->class->saved; saved && saved->name; saved++) {
        g_variant_builder_add(&fields, "{s@ay}", saved->name,
            bytes_variant((const char *)dev + saved->offset, saved->size));
    }
    g_variant_builder_init(&levels, G_VARIANT_TYPE("ab"));
    for (unsigned i = 0; i < dev->parts->output_count; i++) {
        g_variant_builder_add(&levels, "b", line_level(dev->parts->outputs[i]));
    }
    return g_variant_new(DEVICE_TYPE, &fields, &levels);
}

static bool load_field(Device *dev, const Saved *saved, GVariant *fields, GError **error)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(fields, saved->name, G_VARIANT_TYPE("ay"));
    gsize length = 0;
    const void *data = value ? g_variant_get_fixed_array(value, &length, 1) : NULL;

    if (!value || length != saved->size) {
        return refuse(error, "'%s' of '%s' is not in it, or of another size", saved->name, dev->id);
    }
    memcpy((char *)dev + saved->offset, data, length);
    return true;
}

static bool load_device(Device *dev, GVariant *state, GError **error)
{
    g_autoptr(GVariant) fields = g_variant_get_child_value(state, 0);
    g_autoptr(GVariant) levels = g_variant_get_child_value(state, 1);

    if (g_variant_n_children(levels) != dev->parts->output_count) {
        return refuse(error, "'%s' has another number of lines", dev->id);
    }
    for (const Saved *saved = dev->class->saved; saved && saved->name; saved++) {
        if (!load_field(dev, saved, fields, error)) {
            return false;
        }
    }
    for (unsigned i = 0; i < dev->parts->output_count; i++) {
        gboolean level;

        g_variant_get_child(levels, i, "b", &level);
        line_restore(dev->parts->outputs[i], level);
    }
    return true;
}

static void tell_loaded(Device *dev)
{
    if (dev->class->loaded) {
        dev->class->loaded(dev);
    }
}

static GBytes *to_bytes(GVariant *variant)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(variant);

    return g_variant_get_data_as_bytes(owned);
}

static GVariant *from_bytes(GBytes *state, const char *type)
{
    return g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(type), state, false));
}

GBytes *state_save_device(const Device *dev)
{
    return to_bytes(save_device(dev));
}

bool state_load_device(Device *dev, GBytes *state, GError **error)
{
    g_autoptr(GVariant) variant = from_bytes(state, DEVICE_TYPE);

    if (!load_device(dev, variant, error)) {
        return false;
    }
    tell_loaded(dev);
    return true;
}

/* ---- memory ---- */

static bool is_zero(const uint8_t *data, size_t length)
{
    return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

/* Chunks that hold something; holes of the memfd are not even looked at. */
static void save_memory(GVariantBuilder *out, const Region *region)
{
    const uint8_t *host = region_host(region);
    off_t size = region_size(region), at = 0, hole;

    while ((at = lseek(region_fd(region), at, SEEK_DATA)) >= 0 && at < size) {
        hole = lseek(region_fd(region), at, SEEK_HOLE);
        for (; at < hole; at += CHUNK) {
            size_t length = MIN(CHUNK, hole - at);

            if (!is_zero(host + at, length)) {
                g_variant_builder_add(out, "(st@ay)", region_label(region), (guint64)at,
                    bytes_variant(host + at, length));
            }
        }
        at = hole;
    }
}

/* Every region that has memory: the machine's and its devices'. Borrowed. */
static GPtrArray *all_memory(const Machine *machine)
{
    GPtrArray *all = g_ptr_array_new();

    g_ptr_array_extend(all, machine->memory_regions, NULL, NULL);
    for (unsigned i = 0; i < machine->devices->len; i++) {
        const Device *dev = machine->devices->pdata[i];

        for (unsigned k = 0; k < dev->parts->regions->len; k++) {
            Region *region = device_region(dev, k);

            if (region && region_host(region)) {
                g_ptr_array_add(all, region);
            }
        }
    }
    return all;
}

static Region *memory_labelled(const GPtrArray *all, const char *label)
{
    for (unsigned i = 0; i < all->len; i++) {
        if (strcmp(region_label(all->pdata[i]), label) == 0) {
            return all->pdata[i];
        }
    }
    return NULL;
}

static bool load_chunk(const GPtrArray *all, GVariant *chunk, GError **error)
{
    const char *name;
    guint64 at;
    g_autoptr(GVariant) bytes = NULL;
    Region *region;
    const void *data;
    gsize length;

    g_variant_get(chunk, "(&st@ay)", &name, &at, &bytes);
    data = g_variant_get_fixed_array(bytes, &length, 1);
    region = memory_labelled(all, name);
    if (!region || at > region_size(region) || length > region_size(region) - at) {
        return refuse(error, "the machine has no memory '%s' of that size", name);
    }
    memcpy(region_host(region) + at, data, length);
    return true;
}

static bool load_memories(const Machine *machine, GVariant *chunks, GError **error)
{
    g_autoptr(GPtrArray) all = all_memory(machine);

    for (unsigned i = 0; i < all->len; i++) {
        madvise(region_host(all->pdata[i]), region_size(all->pdata[i]), MADV_REMOVE);
    }
    for (gsize i = 0; i < g_variant_n_children(chunks); i++) {
        g_autoptr(GVariant) chunk = g_variant_get_child_value(chunks, i);

        if (!load_chunk(all, chunk, error)) {
            return false;
        }
    }
    for (unsigned i = 0; i < all->len; i++) {
        region_wrote(all->pdata[i], 0, region_size(all->pdata[i]));
    }
    return true;
}

/* ---- the machine ---- */

static void for_each(const Machine *machine, void (*fn)(Device *, void *), void *data)
{
    for (unsigned i = 0; i < machine->devices->len; i++) {
        fn(machine->devices->pdata[i], data);
    }
    for (unsigned i = 0; i < machine->cpus->len; i++) {
        fn(machine->cpus->pdata[i], data);
    }
}

static void save_one(Device *dev, void *builder)
{
    g_variant_builder_add(builder, "{s@" DEVICE_TYPE "}", dev->id, save_device(dev));
}

GBytes *state_save(Machine *machine)
{
    g_autoptr(GPtrArray) regions = all_memory(machine);
    GVariantBuilder devices, memory;

    g_assert(!machine->running);
    g_variant_builder_init(&devices, G_VARIANT_TYPE("a{s" DEVICE_TYPE "}"));
    for_each(machine, save_one, &devices);
    g_variant_builder_init(&memory, G_VARIANT_TYPE("a" MEMORY_TYPE));
    for (unsigned i = 0; i < regions->len; i++) {
        save_memory(&memory, regions->pdata[i]);
    }
    return to_bytes(
        g_variant_new(STATE_TYPE, (gint64)clock_now(machine->clock), &devices, &memory));
}

typedef struct Loading {
    GVariant *devices;
    GError **error;
    bool fine;
} Loading;

static void load_one(Device *dev, void *data)
{
    Loading *loading = data;
    g_autoptr(GVariant) state = NULL;

    if (!loading->fine) {
        return;
    }
    state = g_variant_lookup_value(loading->devices, dev->id, G_VARIANT_TYPE(DEVICE_TYPE));
    loading->fine = state ? load_device(dev, state, loading->error)
                          : refuse(loading->error, "there is nothing of '%s' in it", dev->id);
}

static void loaded_one(Device *dev, void *data)
{
    tell_loaded(dev);
}

static bool load(Machine *machine, GVariant *state, GError **error)
{
    g_autoptr(GVariant) devices = g_variant_get_child_value(state, 1);
    g_autoptr(GVariant) memory = g_variant_get_child_value(state, 2);
    Loading loading = { devices, error, true };
    gint64 now;

    g_variant_get_child(state, 0, "x", &now);
    clock_set(machine->clock, MAX(now, 0));
    for_each(machine, load_one, &loading);
    if (!loading.fine || !load_memories(machine, memory, error)) {
        return false;
    }
    /* Only now, because a device may look at another's memory. */
    for_each(machine, loaded_one, NULL);
    return true;
}

bool state_load(Machine *machine, GBytes *state, GError **error)
{
    g_autoptr(GVariant) variant = from_bytes(state, STATE_TYPE);
    bool taken = machine_lock_ensure();
    bool fine;

    g_assert(!machine->running);
    fine = load(machine, variant, error);
    machine_lock_restore(taken);
    return fine;
}

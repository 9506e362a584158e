#include "core/device-impl.h"

#include <stdarg.h>
#include <string.h>

#include "core/address-space.h"
#include "core/build.h"
#include "core/diag.h"
#include "core/trace.h"

const DeviceClass *device_class_find(const char *name)
{
    for (unsigned i = 0; device_classes[i]; i++) {
        if (strcmp(device_classes[i]->name, name) == 0) {
            return device_classes[i];
        }
    }
    return NULL;
}

/* ---- life ---- */

static void unref_region(void *region)
{
    if (region) {
        region_unmap(region);
        region_unref(region);
    }
}

static void free_line(void *line)
{
    line_free(line);
}

void device_init(Device *dev, Machine *machine, const char *id, Mark mark, unsigned output_count)
{
    DeviceParts *parts = g_new0(DeviceParts, 1);

    parts->regions = g_ptr_array_new_with_free_func(unref_region);
    parts->secure = g_ptr_array_new_with_free_func(unref_region);
    parts->groups = g_array_new(false, false, sizeof(InputGroup));
    parts->inputs = g_ptr_array_new_with_free_func(free_line);
    parts->outputs = g_new0(Line *, output_count);
    parts->output_count = output_count;
    parts->reported = g_hash_table_new(g_direct_hash, g_direct_equal);
    dev->parts = parts;
    dev->machine = machine;
    dev->id = id;
    dev->mark = mark;
}

void device_clear(Device *dev)
{
    DeviceParts *parts = dev->parts;

    if (!parts) {
        return;
    }
    if (parts->started && dev->class->stop) {
        dev->class->stop(dev);
    }
    g_ptr_array_unref(parts->regions);
    g_ptr_array_unref(parts->secure);
    g_ptr_array_unref(parts->inputs);
    g_array_unref(parts->groups);
    g_hash_table_unref(parts->reported);
    g_free(parts->outputs);
    g_free(parts);
    dev->parts = NULL;
}

Device *device_new(const DeviceClass *class, Machine *machine, const DeviceSpec *spec)
{
    Device *dev = g_malloc0(class->state_size);
    unsigned cpus = machine_cpu_count(machine);

    g_assert(class->state_size >= sizeof(Device));
    dev->class = class;
    dev->spec = spec;
    device_init(dev, machine, spec->id, spec->mark,
        spec->type->output_count + cpus * spec->type->cpu_output_count);
    return dev;
}

void device_free(Device *dev)
{
    if (dev) {
        device_clear(dev);
        g_free(dev);
    }
}

/* ---- properties ---- */

static bool set_link(Device *dev, const PropSpec *value, void *field, Diag *diag)
{
    Device *target = machine_find_device(dev->machine, value->text);

    if (!target) {
        return diag_error(
            diag, DIAG_UNKNOWN_REFERENCE, value->mark, "there is no device `%s`", value->text);
    }
    *(Device **)field = target;
    return true;
}

static bool set_word(Device *dev, const Prop *prop, const PropSpec *value, void *field)
{
    for (unsigned i = 0; prop->words[i]; i++) {
        if (strcmp(prop->words[i], value->text) == 0) {
            *(unsigned *)field = i;
            return true;
        }
    }
    g_error("%s: the class has no word '%s' for '%s'", dev->class->name, value->text, prop->name);
}

static bool set_prop(Device *dev, const Prop *prop, const PropSpec *value, Diag *diag)
{
    void *field = (char *)dev + prop->offset;

    switch (prop->kind) {
    case PROP_BOOL: *(bool *)field = value->number != 0; return true;
    case PROP_U32: *(uint32_t *)field = value->number; return true;
    case PROP_U64:
    case PROP_I64:
    case PROP_SIZE: *(uint64_t *)field = value->number; return true;
    case PROP_STRING: *(const char **)field = value->text; return true;
    case PROP_ENUM: return set_word(dev, prop, value, field);
    case PROP_LINK: return set_link(dev, value, field, diag);
    case PROP_BLOCK: *(void **)field = machine_drive(dev->machine, value->text); return true;
    case PROP_CHAR: *(void **)field = machine_channel(dev->machine, value->text); return true;
    case PROP_END: break;
    }
    g_assert_not_reached();
}

static const PropSpec *find_prop(const DeviceSpec *spec, const char *field)
{
    g_autofree char *key = g_strdelimit(g_strdup(field), "_", '-');

    return device_spec_prop(spec, key);
}

bool device_set_props(Device *dev, Diag *diag)
{
    bool fine = true;

    for (const Prop *prop = dev->class->props; prop && prop->name; prop++) {
        const PropSpec *value = find_prop(dev->spec, prop->name);

        fine &= !value || set_prop(dev, prop, value, diag);
    }
    return fine;
}

/* ---- regions ---- */

static void add_region(Device *dev, GPtrArray *regions, unsigned index, Region *region)
{
    g_autofree char *label = g_strdup_printf("%s.%s", dev->id, region_name(region));

    if (index >= regions->len) {
        g_ptr_array_set_size(regions, index + 1);
    }
    g_assert(!regions->pdata[index]);
    regions->pdata[index] = region;
    region_set_label(region, label);
}

void device_add_region(Device *dev, unsigned index, Region *region)
{
    add_region(dev, dev->parts->regions, index, region);
}

void device_add_secure_region(Device *dev, unsigned index, Region *region)
{
    add_region(dev, dev->parts->secure, index, region);
}

static Region *region_in(const GPtrArray *regions, unsigned index)
{
    return index < regions->len ? regions->pdata[index] : NULL;
}

Region *device_region(const Device *dev, unsigned index)
{
    return region_in(dev->parts->regions, index);
}

Region *device_secure_region(const Device *dev, unsigned index)
{
    return region_in(dev->parts->secure, index);
}

bool device_has_secure_state(const Device *dev)
{
    return machine_has_secure_memory(dev->machine);
}

/* ---- lines ---- */

void device_add_inputs(
    Device *dev, const char *group, unsigned first, unsigned count, unsigned base)
{
    InputGroup inputs = { group, first, count, base };

    g_array_append_val(dev->parts->groups, inputs);
}

static void input_changed(void *owner, unsigned index, bool level)
{
    Device *dev = owner;

    TRACE(irq, "%s: input %u is %s", dev->id, index, level ? "high" : "low");
    dev->class->set_input(dev, index, level);
}

Line *device_input(Device *dev, unsigned index)
{
    GPtrArray *inputs = dev->parts->inputs;

    if (!dev->class->set_input) {
        return NULL;
    }
    if (index >= inputs->len) {
        g_ptr_array_set_size(inputs, index + 1);
    }
    if (!inputs->pdata[index]) {
        inputs->pdata[index] = line_new(input_changed, dev, index);
    }
    return inputs->pdata[index];
}

Line *device_named_input(Device *dev, const char *group, unsigned number)
{
    for (unsigned i = 0; i < dev->parts->groups->len; i++) {
        const InputGroup *g = &g_array_index(dev->parts->groups, InputGroup, i);

        if (strcmp(g->name, group) == 0 && number - g->first < g->count) {
            return device_input(dev, g->base + (number - g->first));
        }
    }
    return NULL;
}

void device_connect(Device *dev, unsigned output, Line *line)
{
    g_assert(output < dev->parts->output_count);
    dev->parts->outputs[output] = line;
}

void device_set_irq(Device *dev, unsigned index, bool level)
{
    g_assert(index < dev->spec->type->output_count);
    line_set(dev->parts->outputs[index], level);
}

void device_set_cpu_irq(Device *dev, unsigned cpu, unsigned which, bool level)
{
    const DeviceType *type = dev->spec->type;
    unsigned index = type->output_count + cpu * type->cpu_output_count + which;

    g_assert(which < type->cpu_output_count);
    if (cpu < device_cpu_count(dev)) {
        line_set(dev->parts->outputs[index], level);
    }
}

unsigned device_cpu_count(const Device *dev)
{
    return machine_cpu_count(dev->machine);
}

/* ---- memory and time ---- */

AddressSpace *device_dma(const Device *dev)
{
    return machine_memory(dev->machine);
}

MemResult device_dma_read(Device *dev, GuestAddr at, void *out, uint64_t length)
{
    return address_space_read(device_dma(dev), at, out, length);
}

MemResult device_dma_write(Device *dev, GuestAddr at, const void *data, uint64_t length)
{
    return address_space_write(device_dma(dev), at, data, length);
}

void *device_dma_map(Device *dev, GuestAddr at, uint64_t *length, bool for_write)
{
    return address_space_map_ram(device_dma(dev), at, length, for_write);
}

void device_dma_wrote(Device *dev, GuestAddr at, uint64_t length)
{
    address_space_wrote(device_dma(dev), at, length);
}

Clock *device_clock(const Device *dev)
{
    return machine_clock(dev->machine);
}

int64_t device_now(const Device *dev)
{
    return clock_now(device_clock(dev));
}

int64_t device_time_of_day(const Device *dev)
{
    return machine_power_on_time(dev->machine) + device_now(dev);
}

uint64_t device_clock_hz(const Device *dev, const char *name)
{
    for (unsigned i = 0; i < dev->spec->clock_count; i++) {
        if (strcmp(dev->spec->clocks[i].name, name) == 0) {
            return dev->spec->clocks[i].rate_hz;
        }
    }
    return 0;
}

/* ---- errors ---- */

bool device_error(Device *dev, Diag *diag, const char *prop, const char *fmt, ...)
{
    const PropSpec *value = prop ? find_prop(dev->spec, prop) : NULL;
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, fmt);
    what = g_strdup_vprintf(fmt, args);
    va_end(args);
    if (!prop) {
        return diag_error(diag, DIAG_DEVICE, dev->mark, "`%s` %s", dev->id, what);
    }
    return diag_error(
        diag, DIAG_DEVICE, value ? value->mark : dev->mark, "`%s` of `%s` %s", prop, dev->id, what);
}

void device_guest_error(Device *dev, const char *fmt, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    if (!TRACE_IS_ON(guest) || !g_hash_table_add(dev->parts->reported, (void *)fmt)) {
        return;
    }
    va_start(args, fmt);
    what = g_strdup_vprintf(fmt, args);
    va_end(args);
    TRACE(guest, "%s: %s", dev->id, what);
}

/* MachineSpec -> Machine: create, set properties, start, connect, reset. */
#include "core/build-impl.h"

#include <string.h>

#include "core/device-impl.h"
#include "core/diag.h"
#include "core/loop.h"

/* ---- what there is ---- */

Machine *machine_new(const MachineSpec *spec)
{
    Machine *machine = g_new0(Machine, 1);

    machine->spec = spec;
    machine->drives = g_hash_table_new(g_str_hash, g_str_equal);
    machine->channels = g_hash_table_new(g_str_hash, g_str_equal);
    machine->devices_by_id = g_hash_table_new(g_str_hash, g_str_equal);
    machine->memory_regions = g_ptr_array_new();
    machine->cpus = g_ptr_array_new();
    machine->devices = g_ptr_array_new();
    return machine;
}

void machine_set_drive(Machine *machine, const char *name, void *node)
{
    g_hash_table_replace(machine->drives, (void *)g_intern_string(name), node);
}

void machine_set_channel(Machine *machine, const char *name, void *channel)
{
    g_hash_table_replace(machine->channels, (void *)g_intern_string(name), channel);
}

void *machine_drive(const Machine *machine, const char *name)
{
    return g_hash_table_lookup(machine->drives, name);
}

void *machine_channel(const Machine *machine, const char *name)
{
    return g_hash_table_lookup(machine->channels, name);
}

void machine_set_semihosting(Machine *machine, const SemihostingConsole *console, void *owner)
{
    machine->semihosting = console;
    machine->semihosting_owner = owner;
}

size_t machine_semihosting_write(Machine *machine, const void *bytes, size_t length)
{
    return machine->semihosting
        ? machine->semihosting->write(machine->semihosting_owner, bytes, length)
        : length;
}

size_t machine_semihosting_read(Machine *machine, void *bytes, size_t room)
{
    return machine->semihosting
        ? machine->semihosting->read(machine->semihosting_owner, bytes, room)
        : 0;
}

void machine_leave_slots_empty(Machine *machine)
{
    machine->slots_empty = true;
}

void machine_use_stepped_clock(Machine *machine)
{
    g_assert(!machine->clock);
    machine->clock = clock_new_stepped();
}

const MachineSpec *machine_spec(const Machine *machine)
{
    return machine->spec;
}

AddressSpace *machine_memory(const Machine *machine)
{
    return machine->memory;
}

AddressSpace *machine_cpu_memory(const Machine *machine)
{
    return machine->cpu_memory ? machine->cpu_memory : machine->memory;
}

AddressSpace *machine_all_memory(const Machine *machine)
{
    return machine->secure_memory ? machine->secure_memory : machine->memory;
}

bool machine_has_secure_memory(const Machine *machine)
{
    return machine->spec->has_secure;
}

Clock *machine_clock(const Machine *machine)
{
    return machine->clock;
}

int64_t machine_power_on_time(const Machine *machine)
{
    return machine->power_on_time;
}

unsigned machine_cpu_count(const Machine *machine)
{
    return machine_spec_cpu_count(machine->spec);
}

Cpu *machine_cpu(const Machine *machine, unsigned index)
{
    return index < machine->cpus->len ? machine->cpus->pdata[index] : NULL;
}

unsigned machine_device_count(const Machine *machine)
{
    return machine->devices->len;
}

Device *machine_device(const Machine *machine, unsigned index)
{
    return index < machine->devices->len ? machine->devices->pdata[index] : NULL;
}

Device *machine_find_device(const Machine *machine, const char *id)
{
    return g_hash_table_lookup(machine->devices_by_id, id);
}

bool machine_press(Machine *machine, const char *button)
{
    for (unsigned i = 0; i < machine->devices->len; i++) {
        Device *dev = machine->devices->pdata[i];

        if (dev->class->press && dev->class->press(dev, button)) {
            return true;
        }
    }
    return false;
}

/* ---- memory ---- */

static bool add_memory(Machine *machine, const MemorySpec *spec, Diag *diag)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Region) region = spec->kind == MEMORY_RAM
        ? region_new_ram(spec->name, spec->size, &error)
        : region_new_rom(spec->name, spec->size, &error);

    if (!region) {
        return diag_error(diag, DIAG_HOST_MEMORY, spec->mark, "%s", error->message);
    }
    region_map(spec->secure ? machine->secure_root : machine->root, spec->at, region, 0);
    g_ptr_array_add(machine->memory_regions, g_steal_pointer(&region));
    return true;
}

static void map_alias(Region *container, GuestAddr at, Region *target, int layer)
{
    g_autoptr(Region) alias = region_new_alias(
        region_name(target), target, 0, MIN(region_size(target), CPU_SECURE_BASE));

    region_map(container, at, alias, layer);
}

/* The secure state sees what is its own before all else; the CPUs have both views, one behind the other. */
static void add_secure_views(Machine *machine)
{
    machine->secure_root = region_new_container("secure", UINT64_MAX);
    machine->secure_all = region_new_container("secure", UINT64_MAX);
    machine->cpu_root = region_new_container("cpu", UINT64_MAX);
    map_alias(machine->secure_all, 0, machine->secure_root, 1);
    map_alias(machine->secure_all, 0, machine->root, 0);
    map_alias(machine->cpu_root, 0, machine->root, 0);
    map_alias(machine->cpu_root, CPU_SECURE_BASE, machine->secure_all, 0);
    machine->secure_memory = address_space_new("secure", machine->secure_all);
    machine->cpu_memory = address_space_new("cpu", machine->cpu_root);
}

static bool add_memories(Machine *machine, Diag *diag)
{
    bool fine = true;

    machine->root = region_new_container("system", UINT64_MAX);
    machine->memory = address_space_new("system", machine->root);
    if (machine->spec->has_secure) {
        add_secure_views(machine);
    }
    for (unsigned i = 0; i < machine->spec->memory_count; i++) {
        fine &= add_memory(machine, &machine->spec->memory[i], diag);
    }
    return fine;
}

/* ---- CPUs ---- */

static bool add_cpu(Machine *machine, CpuCreate create, const CpuClusterSpec *cluster, Diag *diag)
{
    unsigned index = machine->cpus->len;
    Cpu *cpu = create(machine, cluster, index, diag);
    g_autofree char *id = g_strdup_printf("cpu%u", index);

    if (!cpu) {
        return false;
    }
    cpu->index = index;
    cpu->spec = cluster;
    cpu->memory = machine_cpu_memory(machine);
    cpu->secure_base = machine->spec->has_secure ? CPU_SECURE_BASE : 0;
    device_init(&cpu->dev, machine, g_intern_string(id), cluster->mark, 0);
    g_ptr_array_add(machine->cpus, cpu);
    return true;
}

static bool add_cpus(Machine *machine, CpuCreate create, Diag *diag)
{
    for (unsigned i = 0; create && i < machine->spec->cluster_count; i++) {
        const CpuClusterSpec *cluster = &machine->spec->clusters[i];

        for (unsigned k = 0; k < cluster->count.value; k++) {
            /* What is wrong with one CPU is wrong with the others of its cluster. */
            if (!add_cpu(machine, create, cluster, diag)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- devices ---- */

static bool create_device(Machine *machine, const DeviceSpec *spec, Diag *diag)
{
    const DeviceClass *class = device_class_find(spec->type->name);
    Device *dev;

    if (!class) {
        return diag_error(diag, DIAG_UNKNOWN_DEVICE, spec->mark,
            "`%s` has a schema, but this program has no model of it", spec->type->name);
    }
    dev = device_new(class, machine, spec);
    dev->parent = spec->slot ? machine_find_device(machine, spec->slot) : NULL;
    g_ptr_array_add(machine->devices, dev);
    g_hash_table_insert(machine->devices_by_id, (void *)spec->id, dev);
    return true;
}

static Region *region_named(const Device *dev, const char *name)
{
    for (unsigned i = 0; i < dev->parts->regions->len; i++) {
        Region *region = dev->parts->regions->pdata[i];

        if (region && strcmp(region_name(region), name) == 0) {
            return region;
        }
    }
    return NULL;
}

/* What of a region the secure state sees as another one: at the same place. */
static Region *secure_twin(const Device *dev, const Region *region)
{
    for (unsigned i = 0; i < dev->parts->regions->len; i++) {
        if (dev->parts->regions->pdata[i] == region) {
            return device_secure_region(dev, i);
        }
    }
    return NULL;
}

static bool map_regions(Device *dev, Diag *diag)
{
    Machine *machine = dev->machine;

    for (unsigned i = 0; i < dev->spec->region_count; i++) {
        const RegionSpec *spec = &dev->spec->regions[i];
        Region *region = region_named(dev, spec->name);

        if (!region) {
            return diag_error(diag, DIAG_DEVICE, spec->mark, "the model of `%s` has no region `%s`",
                dev->spec->type->name, spec->name);
        }
        region_map(dev->spec->secure ? machine->secure_root : machine->root, spec->at, region, 0);
        if (machine->secure_root && secure_twin(dev, region)) {
            region_map(machine->secure_root, spec->at, secure_twin(dev, region), 0);
        }
    }
    return true;
}

static bool start_device(Device *dev, Diag *diag)
{
    bool fine = !dev->class->start || dev->class->start(dev, diag);

    /* From here on stop() has to be called, for it accepts a half-started device. */
    dev->parts->started = true;
    if (!fine || !map_regions(dev, diag)) {
        return false;
    }
    return !dev->parent || !dev->parent->class->plug ||
        dev->parent->class->plug(dev->parent, dev, diag);
}

/* ---- lines ---- */

static bool connect_irq(Device *dev, const IrqSpec *irq, Diag *diag)
{
    Device *controller = machine_find_device(dev->machine, irq->controller);
    Line *line = controller ? device_named_input(controller, irq->group, irq->line) : NULL;

    if (!line) {
        return diag_error(diag, DIAG_UNKNOWN_LINE, irq->mark, "`%s` has no line %s.%u",
            irq->controller, irq->group, irq->line);
    }
    device_connect(dev, irq->output, line);
    return true;
}

static void connect_cpus(Device *dev)
{
    const DeviceType *type = dev->spec->type;

    for (unsigned cpu = 0; cpu < dev->machine->cpus->len; cpu++) {
        Cpu *target = dev->machine->cpus->pdata[cpu];

        for (unsigned i = 0; i < type->cpu_output_count; i++) {
            device_connect(dev, type->output_count + cpu * type->cpu_output_count + i,
                device_input(&target->dev, type->cpu_outputs[i].input));
        }
    }
}

static bool connect(Device *dev, Diag *diag)
{
    bool fine = true;

    for (unsigned i = 0; i < dev->spec->irq_count; i++) {
        fine &= connect_irq(dev, &dev->spec->irqs[i], diag);
    }
    connect_cpus(dev);
    return fine;
}

/* ---- all of it ---- */

static bool for_each_device(Machine *machine, bool (*step)(Device *, Diag *), Diag *diag)
{
    bool fine = true;

    for (unsigned i = 0; i < machine->devices->len; i++) {
        fine &= step(machine->devices->pdata[i], diag);
    }
    return fine;
}

static bool build_devices(Machine *machine, Diag *diag)
{
    bool fine = true;

    for (unsigned i = 0; i < machine->spec->device_count; i++) {
        const DeviceSpec *spec = &machine->spec->devices[i];

        fine &= (machine->slots_empty && spec->slot) || create_device(machine, spec, diag);
    }
    return fine && for_each_device(machine, device_set_props, diag) &&
        for_each_device(machine, start_device, diag) && for_each_device(machine, connect, diag);
}

bool machine_build(Machine *machine, CpuCreate create, Diag *diag)
{
    bool taken = machine_lock_ensure();
    bool fine;

    if (!machine->clock) {
        machine->clock = clock_new();
    }
    machine->power_on_time = machine->spec->start_time.set
        ? (int64_t)machine->spec->start_time.value * NS_PER_SECOND
        : g_get_real_time() * 1000;
    region_batch_begin();
    fine = add_memories(machine, diag);
    fine = add_cpus(machine, create, diag) && fine;
    fine = build_devices(machine, diag) && fine;
    region_batch_end();
    if (fine) {
        machine_reset_devices(machine);
    }
    machine_lock_restore(taken);
    return fine;
}

/* ---- the end ---- */

static void free_cpu(Cpu *cpu)
{
    device_clear(&cpu->dev);
    cpu->ops->free(cpu);
}

static void free_parts(Machine *machine)
{
    region_batch_begin();
    for (unsigned i = machine->devices->len; i-- > 0;) {
        device_free(machine->devices->pdata[i]);
    }
    for (unsigned i = machine->cpus->len; i-- > 0;) {
        free_cpu(machine->cpus->pdata[i]);
    }
    machine_free_boot(machine);
    address_space_free(machine->cpu_memory);
    address_space_free(machine->secure_memory);
    address_space_free(machine->memory);
    region_batch_end();
    for (unsigned i = 0; i < machine->memory_regions->len; i++) {
        region_unref(machine->memory_regions->pdata[i]);
    }
    g_clear_pointer(&machine->cpu_root, region_unref);
    g_clear_pointer(&machine->secure_all, region_unref);
    g_clear_pointer(&machine->secure_root, region_unref);
    region_unref(machine->root);
    clock_free(machine->clock);
}

static void stop_cpus(Machine *machine)
{
    machine_pause(machine);
    for (unsigned i = 0; machine->started && i < machine->cpus->len; i++) {
        Cpu *cpu = machine->cpus->pdata[i];

        cpu->ops->stop(cpu);
    }
}

void machine_free(Machine *machine)
{
    bool taken;

    if (!machine) {
        return;
    }
    stop_cpus(machine);
    while (__atomic_load_n(&machine->request_pending, __ATOMIC_ACQUIRE)) {
        machine->on_request = NULL;
        loop_poll();
    }
    taken = machine_lock_ensure();
    free_parts(machine);
    machine_lock_restore(taken);
    g_hash_table_unref(machine->drives);
    g_hash_table_unref(machine->channels);
    g_hash_table_unref(machine->devices_by_id);
    g_ptr_array_unref(machine->memory_regions);
    g_ptr_array_unref(machine->cpus);
    g_ptr_array_unref(machine->devices);
    g_free(machine);
}

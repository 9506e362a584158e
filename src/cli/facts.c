/* A function for each part of the spec, then the device tree that was made from it. */
#include "cli/facts.h"

#include <string.h>

#include "cli/dtb.h"
#include "config/variants.h"
#include "core/cpu.h"
#include "core/fdt.h"
#include "core/machine.h"

#define HEX "0x%" G_GINT64_MODIFIER "x"

struct Facts {
    GArray *list; /* of Fact */
};

static void clear_fact(gpointer data)
{
    Fact *fact = data;

    g_free(fact->path);
    g_free(fact->value);
}

static void add(Facts *facts, char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Takes the path. */
static void add(Facts *facts, char *path, const char *format, ...)
{
    Fact fact = { .path = path };
    va_list args;

    va_start(args, format);
    fact.value = g_strdup_vprintf(format, args);
    va_end(args);
    g_array_append_val(facts->list, fact);
}

/* ---- from the spec ---- */

static char *path_of_cluster(const CpuClusterSpec *cluster)
{
    return strcmp(cluster->name, "cpus") == 0 ? g_strdup(cluster->name)
                                              : g_strconcat("cpus.", cluster->name, NULL);
}

static void add_cpus(Facts *facts, const CpuClusterSpec *cluster)
{
    g_autofree char *name = path_of_cluster(cluster);

    add(facts, g_strdup_printf("%s.isa", name), "%s", cluster->isa);
    add(facts, g_strdup_printf("%s.model", name), "%s", cluster->model.text);
    add(facts, g_strdup_printf("%s.count", name), "%" G_GUINT64_FORMAT, cluster->count.value);
    if (cluster->timebase_hz) {
        add(facts, g_strdup_printf("%s.timebase", name), "%" G_GUINT64_FORMAT "Hz",
            cluster->timebase_hz);
    }
    if (cluster->psci_conduit) {
        add(facts, g_strdup_printf("%s.psci", name), "%s %s",
            cluster->psci_version ? cluster->psci_version : "", cluster->psci_conduit);
    }
    if (cluster->semihosting) {
        add(facts, g_strdup_printf("%s.semihosting", name), "true");
    }
    for (unsigned i = 0; i < cluster->feature_count; i++) {
        if (cluster->features[i].on) {
            add(facts, g_strdup_printf("%s.features.%s", name, cluster->features[i].name), "true");
        }
    }
}

/* Where the registers of a CPU go to. */
typedef struct Registers {
    Facts *facts;
    const char *cluster; /* path */
} Registers;

/* "0x1124 PARange=4 ASIDBits=2": fields that are zero are left out. */
static void add_register(void *data, const CpuIdRegister *reg)
{
    const Registers *to = data;
    g_autoptr(GString) fields = g_string_new(NULL);

    for (unsigned i = 0; reg->fields && i < 64 / reg->field_bits; i++) {
        uint64_t value = reg->value >> i * reg->field_bits & ((1u << reg->field_bits) - 1);

        if (reg->fields[i] && value) {
            g_string_append_printf(fields, " %s=%" G_GUINT64_FORMAT, reg->fields[i], value);
        }
    }
    add(to->facts, g_strdup_printf("%s.%s", to->cluster, reg->name), HEX "%s", reg->value,
        fields->str);
}

static Cpu *first_of(Machine *machine, const CpuClusterSpec *cluster)
{
    Cpu *cpu;

    for (unsigned i = 0; (cpu = machine_cpu(machine, i)); i++) {
        if (cpu->spec == cluster) {
            return cpu;
        }
    }
    return NULL;
}

/* All CPUs of a cluster are alike. */
static void add_registers(Facts *facts, Machine *machine)
{
    const MachineSpec *spec = machine_spec(machine);

    for (unsigned i = 0; i < spec->cluster_count; i++) {
        g_autofree char *path = path_of_cluster(&spec->clusters[i]);
        Registers to = { facts, path };
        Cpu *cpu = first_of(machine, &spec->clusters[i]);

        if (cpu && cpu->ops->identify) {
            cpu->ops->identify(cpu, add_register, &to);
        }
    }
}

static void add_memory(Facts *facts, const MemorySpec *memory)
{
    static const char *const kinds[] = {
        [MEMORY_RAM] = "ram", [MEMORY_ROM] = "rom", [MEMORY_FLASH] = "flash"
    };

    add(facts, g_strdup_printf("memory.%s", memory->name), "%s at " HEX ", " HEX " bytes",
        kinds[memory->kind], memory->at, memory->size);
}

static void add_property(Facts *facts, const char *id, const PropSpec *prop)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (prop->kind == VALUE_STRING) {
        g_string_append(text, prop->text);
    } else if (prop->kind == VALUE_BOOL) {
        g_string_append(text, prop->number ? "true" : "false");
    } else if (prop->kind == VALUE_NUMBER) {
        g_string_append_printf(text, "%" G_GUINT64_FORMAT, prop->number);
    }
    for (unsigned i = 0; i < prop->count; i++) {
        if (prop->kind == VALUE_STRINGS) {
            g_string_append_printf(text, "%s ", prop->strings[i]);
        } else {
            g_string_append_printf(text, "%" G_GUINT64_FORMAT " ", prop->numbers[i]);
        }
    }
    add(facts, g_strdup_printf("%s.%s", id, prop->name), "%s", g_strchomp(text->str));
}

static void add_wiring(Facts *facts, const char *id, const DeviceSpec *device)
{
    static const char *const triggers[] = {
        [TRIGGER_LEVEL_HIGH] = "level-high",
        [TRIGGER_LEVEL_LOW] = "level-low",
        [TRIGGER_EDGE_RISING] = "edge-rising",
        [TRIGGER_EDGE_FALLING] = "edge-falling",
    };

    for (unsigned i = 0; i < device->region_count; i++) {
        add(facts, g_strdup_printf("%s.at.%s", id, device->regions[i].name), HEX ", " HEX " bytes",
            device->regions[i].at, device->regions[i].size);
    }
    for (unsigned i = 0; i < device->irq_count; i++) {
        const IrqSpec *irq = &device->irqs[i];

        add(facts, g_strdup_printf("%s.irq.%s", id, device->type->outputs[irq->output].name),
            "%s %s.%u %s", irq->controller, irq->group, irq->line, triggers[irq->trigger]);
    }
    for (unsigned i = 0; i < device->clock_count; i++) {
        add(facts, g_strdup_printf("%s.clock.%s", id, device->clocks[i].name),
            "%" G_GUINT64_FORMAT "Hz", device->clocks[i].rate_hz);
    }
}

/* "drives.root" is a path of the machine already; a board's device is below `devices`. */
static void add_device(Facts *facts, const DeviceSpec *device)
{
    g_autofree char *id = device->slot ? g_strdup(device->id)
                                       : g_strconcat("devices.", device->id, NULL);

    add(facts, g_strdup(id), "%s%s%s", device->type->name, device->slot ? " in " : "",
        device->slot ? device->slot : "");
    add_wiring(facts, id, device);
    for (unsigned i = 0; i < device->prop_count; i++) {
        if (!device->props[i].hidden) {
            add_property(facts, id, &device->props[i]);
        }
    }
}

/* ---- names of disks ---- */

static uint64_t place_of(const MachineSpec *spec, const DeviceSpec *plugged)
{
    for (unsigned i = 0; i < spec->device_count; i++) {
        const DeviceSpec *transport = &spec->devices[i];

        if (strcmp(transport->id, plugged->slot) == 0 && transport->region_count > 0) {
            return transport->regions[0].at;
        }
    }
    return 0;
}

static bool is_virtio_disk(const DeviceSpec *device)
{
    return device->slot && strcmp(device->type->name, "virtio-blk") == 0;
}

/* Linux counts them in the order of the device tree, which is that of the addresses: vda ... vdz, vdaa ... */
static void add_disk_name(Facts *facts, const MachineSpec *spec, const DeviceSpec *device)
{
    g_autoptr(GString) letters = g_string_new(NULL);
    uint64_t place = place_of(spec, device);
    unsigned number = 1;

    for (unsigned i = 0; i < spec->device_count; i++) {
        number += is_virtio_disk(&spec->devices[i]) && place_of(spec, &spec->devices[i]) < place;
    }
    for (; number > 0; number = (number - 1) / 26) {
        g_string_prepend_c(letters, 'a' + (number - 1) % 26);
    }
    add(facts, g_strconcat(device->id, ".disk", NULL), "/dev/vd%s in Linux", letters->str);
}

/* What the disk says about itself; not what is on it. */
static void add_drive(Facts *facts, const DriveSpec *drive)
{
    g_autofree char *id = g_strconcat("drives.", drive->id, NULL);

    add(facts, g_strconcat(id, ".write-cache", NULL), drive->cache.writeback ? "yes" : "no");
    add(facts, g_strconcat(id, ".read-only", NULL), drive->read_only ? "yes" : "no");
    add(facts, g_strconcat(id, ".discard", NULL), drive->discard ? "yes" : "no");
    if (drive->serial) {
        add(facts, g_strconcat(id, ".serial", NULL), "%s", drive->serial);
    }
    if (drive->size.set) {
        add(facts, g_strconcat(id, ".size", NULL), "%" G_GUINT64_FORMAT " bytes",
            drive->size.value);
    }
}

static void add_spec(Facts *facts, const MachineSpec *spec)
{
    for (unsigned i = 0; i < spec->cluster_count; i++) {
        add_cpus(facts, &spec->clusters[i]);
    }
    for (unsigned i = 0; i < spec->memory_count; i++) {
        add_memory(facts, &spec->memory[i]);
    }
    for (unsigned i = 0; i < spec->device_count; i++) {
        add_device(facts, &spec->devices[i]);
        if (is_virtio_disk(&spec->devices[i])) {
            add_disk_name(facts, spec, &spec->devices[i]);
        }
    }
    for (unsigned i = 0; i < spec->drive_count; i++) {
        add_drive(facts, &spec->drives[i]);
    }
    for (unsigned i = 0; i < spec->seen_count; i++) {
        add(facts, g_strdup(spec->seen[i].name), "%s", spec->seen[i].value);
    }
    if (spec->virtual_clock) {
        add(facts, g_strdup("clock.mode"), "virtual");
    }
}

/* ---- from the device tree ---- */

/* How the guest starts is no hardware: bootargs, where the initrd is, random numbers. */
static bool is_of_start(const char *path, const char *name)
{
    return strcmp(path, "/chosen") == 0 && strcmp(name, "stdout-path") != 0;
}

static void take_property(
    void *data, const char *path, const char *name, const void *value, unsigned length)
{
    g_autofree char *text = name ? dtb_value_text(value, length) : NULL;

    if (name && !is_of_start(path, name)) {
        add(data, g_strdup_printf("fdt %s %s", path, name), "%s", text);
    }
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const Fact *)left)->path, ((const Fact *)right)->path);
}

Facts *facts_of(Machine *machine)
{
    Facts *facts = g_new0(Facts, 1);
    g_autoptr(Fdt) fdt = fdt_of_machine(machine);
    g_autoptr(GBytes) blob = fdt_encode(fdt);

    facts->list = g_array_new(false, false, sizeof(Fact));
    g_array_set_clear_func(facts->list, clear_fact);
    add_spec(facts, machine_spec(machine));
    add_registers(facts, machine);
    dtb_each(blob, take_property, facts);
    g_array_sort(facts->list, by_path);
    return facts;
}

void facts_free(Facts *facts)
{
    if (facts) {
        g_array_unref(facts->list);
        g_free(facts);
    }
}

unsigned facts_count(const Facts *facts)
{
    return facts->list->len;
}

const Fact *facts_get(const Facts *facts, unsigned index)
{
    return &g_array_index(facts->list, Fact, index);
}

const char *facts_value(const Facts *facts, const char *path)
{
    Fact wanted = { .path = (char *)path };
    const Fact *found = bsearch(
        &wanted, facts->list->data, facts->list->len, sizeof(Fact), by_path);

    return found ? found->value : NULL;
}

/* ---- digests ---- */

char *facts_digest(const Facts *facts)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    for (unsigned i = 0; i < facts_count(facts); i++) {
        const Fact *fact = facts_get(facts, i);

        g_checksum_update(sum, (const guchar *)fact->path, strlen(fact->path) + 1);
        g_checksum_update(sum, (const guchar *)fact->value, strlen(fact->value) + 1);
    }
    return g_strconcat("sha256:", g_checksum_get_string(sum), NULL);
}

char *facts_fdt_digest(Machine *machine)
{
    g_autoptr(Fdt) fdt = fdt_of_machine(machine);
    g_autoptr(GBytes) blob = fdt_encode(fdt);
    g_autofree char *hex = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, blob);

    return g_strconcat("sha256:", hex, NULL);
}

/* ---- of all that a file can be ---- */

static char *hardware_of(const char *file, const MachineOptions *options, Diag *diag)
{
    g_auto(Bare) bare = { 0 };
    g_autoptr(Facts) facts = NULL;

    if (!bare_build(&bare, file, options, diag)) {
        return NULL;
    }
    facts = facts_of(bare.machine);
    return facts_digest(facts);
}

GPtrArray *facts_of_matrix(const char *file, const MachineOptions *options, Diag *diag)
{
    const ConfigOptions config = config_options(options);
    g_autoptr(GPtrArray) combinations = config_matrix(file, &config, diag);
    GPtrArray *out = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; combinations && i < combinations->len; i++) {
        char **sets = g_ptr_array_index(combinations, i);
        MachineOptions chosen = *options;
        g_autoptr(GStrvBuilder) all = g_strv_builder_new();
        g_auto(GStrv) both = NULL;
        char *hardware;

        g_strv_builder_addv(all, (const char **)sets);
        if (options->sets) {
            g_strv_builder_addv(all, (const char **)options->sets);
        }
        chosen.sets = both = g_strv_builder_end(all);
        hardware = hardware_of(file, &chosen, diag);
        if (hardware) {
            g_ptr_array_add(out, g_strjoinv(",", sets));
            g_ptr_array_add(out, hardware);
        }
    }
    g_ptr_array_add(out, NULL);
    return out;
}

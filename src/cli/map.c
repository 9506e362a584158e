/* `lathe map FILE|BOARD`: what is at which address, and what it is wired to. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/loading.h"

typedef struct Row {
    GuestAddr at;
    uint64_t size;
    char *name;
    const char *type;
    const DeviceSpec *device; /* NULL: memory */
} Row;

static void clear_row(void *row)
{
    g_free(((Row *)row)->name);
}

static int by_address(const void *left, const void *right)
{
    const Row *a = left, *b = right;

    return a->at < b->at ? -1 : a->at > b->at;
}

static void add_device(GArray *rows, const Machine *machine, const Device *dev)
{
    unsigned count = dev->spec->region_count;

    for (unsigned i = 0; i < count; i++) {
        const RegionSpec *region = &dev->spec->regions[i];
        const Region *live = device_region(dev, i);
        Row row = { .at = region->at, .type = dev->class->name, .device = dev->spec };

        row.size = live ? region_size(live) : region->size;
        row.name = count == 1 ? g_strdup(dev->id) : g_strdup_printf("%s.%s", dev->id, region->name);
        g_array_append_val(rows, row);
    }
}

static GArray *collect(const Machine *machine)
{
    static const char *const kinds[] = {
        [MEMORY_RAM] = "ram", [MEMORY_ROM] = "rom", [MEMORY_FLASH] = "flash"
    };
    GArray *rows = g_array_new(false, false, sizeof(Row));
    const MachineSpec *spec = machine_spec(machine);

    g_array_set_clear_func(rows, clear_row);
    for (unsigned i = 0; i < spec->memory_count; i++) {
        const MemorySpec *memory = &spec->memory[i];
        Row row = { memory->at, memory->size, g_strdup(memory->name), kinds[memory->kind], NULL };

        g_array_append_val(rows, row);
    }
    for (unsigned i = 0; i < machine_device_count(machine); i++) {
        add_device(rows, machine, machine_device(machine, i));
    }
    g_array_sort(rows, by_address);
    return rows;
}

static const char *trigger_word(Trigger trigger)
{
    static const char *const words[] = {
        [TRIGGER_LEVEL_HIGH] = "level-high",
        [TRIGGER_LEVEL_LOW] = "level-low",
        [TRIGGER_EDGE_RISING] = "edge-rising",
        [TRIGGER_EDGE_FALLING] = "edge-falling",
    };

    return words[trigger];
}

/* The lines of a device, then what is plugged into it. */
static char *wiring(const MachineSpec *spec, const DeviceSpec *device)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < device->irq_count; i++) {
        g_autofree char *line = g_strdup_printf(
            "%s.%u", device->irqs[i].group, device->irqs[i].line);

        g_string_append_printf(text, "  %-8s %s", line, trigger_word(device->irqs[i].trigger));
    }
    for (unsigned i = 0; i < spec->device_count; i++) {
        if (spec->devices[i].slot && strcmp(spec->devices[i].slot, device->id) == 0) {
            g_string_append_printf(text, "  %s", spec->devices[i].id);
        }
    }
    return g_string_free(text, false);
}

static void print_map(const Machine *machine)
{
    g_autoptr(GArray) rows = collect(machine);

    for (unsigned i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);

        g_autofree char *wires = row->device ? wiring(machine_spec(machine), row->device)
                                             : g_strdup("");

        printf("0x%08" G_GINT64_MODIFIER "x  0x%08" G_GINT64_MODIFIER "x  %-12s %-*s%s\n", row->at,
            row->at + (row->size - 1), row->name, wires[0] ? 14 : 0, row->type, wires);
    }
}

static int map_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_auto(Bare) bare = { 0 };
    g_autoptr(Diag) diag = diag_new();
    const char *name;

    if (!options_parse(&argc, &argv, NULL, &options) || !(name = only_operand(argc, argv))) {
        return EXIT_DESCRIPTION;
    }
    if (bare_build(&bare, name, &options, diag)) {
        print_map(bare.machine);
    }
    return finish_with(diag);
}

VERB(map) = {
    .name = "map",
    .arguments = "FILE|BOARD [--set PATH=VALUE]... [--profile NAME]... [--path DIR]...",
    .summary = "what is at which address, and how it is wired",
    .help = "Prints, for a machine's file or a board, first and last address, name and type of\n"
            "everything the CPUs can reach, then its interrupt lines and what is plugged in.\n",
    .run = map_run,
};

/* `lathe dump --stage=STAGE FILE`: a machine as text, at a stage of its way to running. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "core/fdt.h"
#include "core/machine-print.h"

static bool dump_doc(const char *name, const MachineOptions *options, Diag *diag)
{
    const ConfigOptions config = {
        .sets = options->sets,
        .profiles = options->profiles,
        .paths = options->paths,
    };
    g_autofree char *text = config_dump_doc(name, &config, diag);

    if (text) {
        fputs(text, stdout);
    }
    return text != NULL;
}

static bool dump_spec(const char *name, const MachineOptions *options, Diag *diag)
{
    g_autoptr(MachineSpec) spec = load_named(name, options, diag);

    if (spec) {
        machine_spec_print(spec, stdout);
    }
    return spec != NULL;
}

static void print_ranges(const FlatMap *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        const FlatRange *range = &map->ranges[i];

        printf("0x%08" G_GINT64_MODIFIER "x  0x%08" G_GINT64_MODIFIER "x  %s+0x%" G_GINT64_MODIFIER
               "x%s%s\n",
            range->start, range->start + (range->size - 1), region_label(range->region),
            range->offset, range->host ? "  memory" : "", range->readonly ? "  read-only" : "");
    }
}

static bool dump_map(const char *name, const MachineOptions *options, Diag *diag)
{
    g_auto(Bare) bare = { 0 };
    AddressSpace *memory;

    if (!bare_build(&bare, name, options, diag)) {
        return false;
    }
    memory = machine_memory(bare.machine);
    print_ranges(address_space_enter(memory));
    address_space_leave(memory);
    return true;
}

static bool dump_fdt(const char *name, const MachineOptions *options, Diag *diag)
{
    g_auto(Bare) bare = { 0 };
    g_autoptr(Fdt) fdt = NULL;

    if (!bare_build(&bare, name, options, diag)) {
        return false;
    }
    fdt = fdt_of_machine(bare.machine);
    fdt_print(fdt, stdout);
    return true;
}

static const struct {
    const char *name;
    bool (*dump)(const char *name, const MachineOptions *options, Diag *diag);
} stages[] = {
    { "doc", dump_doc },
    { "spec", dump_spec },
    { "map", dump_map },
    { "fdt", dump_fdt },
};

static int dump_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autofree char *stage = NULL;
    const GOptionEntry own[] = {
        { "stage", 0, 0, G_OPTION_ARG_STRING, &stage, NULL, NULL },
        { 0 },
    };
    g_autoptr(Diag) diag = diag_new();
    const char *name;

    if (!options_parse(&argc, &argv, own, &options) || !(name = only_operand(argc, argv))) {
        return EXIT_DESCRIPTION;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(stages); i++) {
        if (stage && strcmp(stages[i].name, stage) == 0) {
            stages[i].dump(name, &options, diag);
            return finish_with(diag);
        }
    }
    fputs("lathe dump: --stage wants doc, spec, map or fdt\n", stderr);
    return EXIT_DESCRIPTION;
}

VERB(dump) = {
    .name = "dump",
    .arguments = "--stage=doc|spec|map|fdt FILE|BOARD [--set PATH=VALUE]... [--path DIR]...",
    .summary = "a machine as text, at a stage of its way to running",
    .help = "Each stage is what the next one is made from:\n"
            "\n"
            "  doc     the file with all that it extends, profiles and --set merged in\n"
            "  spec    the machine as plain data: defaults filled in, names resolved\n"
            "  map     the flat map of what the CPUs see\n"
            "  fdt     the device tree, as source text\n"
            "\n"
            "What the translator makes is shown by `lathe run --trace in,ir,host`.\n",
    .run = dump_run,
};

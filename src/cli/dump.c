/* `lathe dump --stage=STAGE FILE`: a machine as text, at a stage of its way to running. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "core/boot.h"
#include "core/fdt.h"
#include "core/machine-print.h"
#include "tcg/tcg.h"

static bool dump_doc(const char *name, const MachineOptions *options, Diag *diag)
{
    const ConfigOptions config = config_options(options);
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

/* One block of what the first CPU would run, with the images of `boot` in memory. */
static bool dump_code(
    const char *name, const MachineOptions *options, const uint64_t *at, TcgStage stage, Diag *diag)
{
    g_auto(Bare) bare = { 0 };

    if (!bare_build(&bare, name, options, diag) || !machine_load_boot(bare.machine, diag)) {
        return false;
    }
    if (!tcg_dump(machine_cpu(bare.machine, 0), at, stage, stdout)) {
        return diag_error(diag, DIAG_HOST, NO_MARK, "there is no code at the address to translate");
    }
    return true;
}

static const struct {
    const char *name;
    bool (*dump)(const char *name, const MachineOptions *options, Diag *diag); /* NULL: code */
    TcgStage stage;
} stages[] = {
    { "doc", dump_doc, 0 },
    { "spec", dump_spec, 0 },
    { "map", dump_map, 0 },
    { "fdt", dump_fdt, 0 },
    { "in", NULL, TCG_STAGE_IN },
    { "ir", NULL, TCG_STAGE_IR },
    { "host", NULL, TCG_STAGE_HOST },
};

/* "0x80000000"; false when it is no number. */
static bool parse_address(const char *text, uint64_t *address)
{
    char *end;

    *address = g_ascii_strtoull(text, &end, 0);
    return *text && !*end;
}

static int dump_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autofree char *stage = NULL;
    g_autofree char *at = NULL;
    uint64_t address = 0;
    const GOptionEntry own[] = {
        { "stage", 0, 0, G_OPTION_ARG_STRING, &stage, NULL, NULL },
        { "at", 0, 0, G_OPTION_ARG_STRING, &at, NULL, NULL },
        { 0 },
    };
    g_autoptr(Diag) diag = diag_new();
    const char *name;

    if (!options_parse(&argc, &argv, own, &options) || !(name = only_operand(argc, argv))) {
        return EXIT_DESCRIPTION;
    }
    if (at && !parse_address(at, &address)) {
        fputs("lathe dump: --at wants an address, as in --at 0x80000000\n", stderr);
        return EXIT_DESCRIPTION;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(stages); i++) {
        if (!stage || strcmp(stages[i].name, stage) != 0) {
            continue;
        }
        if (stages[i].dump) {
            stages[i].dump(name, &options, diag);
        } else {
            dump_code(name, &options, at ? &address : NULL, stages[i].stage, diag);
        }
        return finish_with(diag);
    }
    fputs("lathe dump: --stage wants doc, spec, map, fdt, in, ir or host\n", stderr);
    return EXIT_DESCRIPTION;
}

VERB(dump) = {
    .name = "dump",
    .arguments =
        "--stage=doc|spec|map|fdt|in|ir|host FILE|BOARD [--at ADDRESS] [--set PATH=VALUE]...",
    .summary = "a machine as text, at a stage of its way to running",
    .help = "Each stage is what the next one is made from:\n"
            "\n"
            "  doc     the file with all that it extends, profiles and --set merged in\n"
            "  spec    the machine as plain data: defaults filled in, names resolved\n"
            "  map     the flat map of what the CPUs see\n"
            "  fdt     the device tree, as source text\n"
            "  in      the first block of guest code, disassembled\n"
            "  ir      what the translator's front end makes of it\n"
            "  host    what the back end makes of that (by objdump, if there is one)\n"
            "\n"
            "  --at ADDRESS   the block there, instead of where the first CPU begins\n"
            "  --path DIR     another folder with machines/ and schemas/\n"
            "\n"
            "Every block of a run is shown by `lathe run --trace in,ir,host`.\n",
    .run = dump_run,
};

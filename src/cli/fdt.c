/* `lathe fdt FILE|BOARD`: the device tree that the guest will get. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "core/fdt.h"

static int write_blob(Fdt *fdt, const char *output)
{
    g_autoptr(GBytes) blob = fdt_encode(fdt);
    size_t size;
    const void *data = g_bytes_get_data(blob, &size);
    FILE *out = output ? fopen(output, "wb") : stdout;
    bool fine = out && fwrite(data, size, 1, out) == 1;

    /* Closing tells of the error that a full disk gives late. */
    if (!fine || (output ? fclose(out) : fflush(out))) {
        fprintf(stderr, "lathe fdt: cannot write %s: %s\n", output ? output : "the tree",
            g_strerror(errno));
        return EXIT_HOST;
    }
    return EXIT_FINE;
}

static int print_tree(Machine *machine, gboolean as_text, const char *output)
{
    g_autoptr(Fdt) fdt = fdt_of_machine(machine);

    if (as_text || (!output && isatty(STDOUT_FILENO))) {
        fdt_print(fdt, stdout);
        return EXIT_FINE;
    }
    return write_blob(fdt, output);
}

static int fdt_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autofree char *output = NULL;
    gboolean as_text = FALSE;
    const GOptionEntry own[] = {
        { "dts", 0, 0, G_OPTION_ARG_NONE, &as_text, NULL, NULL },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, NULL, NULL },
        { 0 },
    };
    g_auto(Bare) bare = { 0 };
    g_autoptr(Diag) diag = diag_new();
    const char *name;

    if (!options_parse(&argc, &argv, own, &options) || !(name = only_operand(argc, argv))) {
        return EXIT_DESCRIPTION;
    }
    if (bare_build(&bare, name, &options, diag)) {
        int code = print_tree(bare.machine, as_text, output);

        return code == EXIT_FINE ? finish_with(diag) : code;
    }
    return finish_with(diag);
}

VERB(fdt) = {
    .name = "fdt",
    .arguments = "FILE|BOARD [--dts] [-o OUTPUT] [--set PATH=VALUE]... [--path DIR]...",
    .summary = "the device tree that a guest will get",
    .help = "Writes the tree as a blob to OUTPUT or standard output, to be read by dtc(1).\n"
            "\n"
            "  --dts        as source text; also when standard output is a terminal\n"
            "  -o OUTPUT    to a file\n"
            "\n"
            "`lathe run` adds to it where the initrd is, and random numbers.\n",
    .run = fdt_run,
};

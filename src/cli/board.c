/* `lathe board list | export BOARD | check BOARD [--dts FILE]`. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/devicetree.h"
#include "cli/loading.h"
#include "config/edit.h"
#include "core/fdt.h"

/* ---- list, export ---- */

static int list_boards(const MachineOptions *options, Diag *diag)
{
    const ConfigOptions config = config_options(options);
    g_autoptr(GPtrArray) names = config_list("boards", &config, diag);

    for (unsigned i = 0; i < names->len; i++) {
        g_autoptr(MachineSpec) spec = config_load_board(names->pdata[i], &config, diag);

        if (spec) {
            printf("%-20s %-8s %-10s up to %" G_GUINT64_FORMAT " CPUs\n", spec->name.text,
                spec->board_version, spec->arch, config_board_cpus(names->pdata[i], &config, diag));
        }
    }
    return finish_with(diag);
}

static int export_board(
    const char *name, const char *output, const MachineOptions *options, Diag *diag)
{
    const ConfigOptions config = config_options(options);
    g_autoptr(GBytes) text = config_board_text(name, &config, diag);
    g_autofree char *copy = NULL;
    g_autoptr(GError) error = NULL;
    gsize size;

    if (!text) {
        return finish_with(diag);
    }
    copy = g_strndup(g_bytes_get_data(text, &size), g_bytes_get_size(text));
    if (!output) {
        fputs(copy, stdout);
    } else if (!edit_write_file(output, copy, &error)) {
        fprintf(stderr, "lathe board: %s\n", error->message);
        return EXIT_HOST;
    }
    return EXIT_FINE;
}

/* ---- check ---- */

/* Words that say how something is reached, and not what it is. */
static const char *const general_words[] = { "arm,primecell", "simple-bus", "simple-mfd", "syscon",
    NULL };

static bool share_a_word(char **left, char **right)
{
    for (unsigned i = 0; left[i]; i++) {
        bool general = i > 0 && g_strv_contains(general_words, left[i]);

        if (!general && g_strv_contains((const char *const *)right, left[i])) {
            return true;
        }
    }
    return false;
}

/* The node that is the same kind of thing, best at the same address; NULL when there is none. */
static const TreeNode *counterpart(const TreeNode *node, const GArray *others, bool *same_place)
{
    const TreeNode *near = NULL;

    for (unsigned i = 0; i < others->len; i++) {
        const TreeNode *other = &g_array_index(others, TreeNode, i);

        if (!share_a_word(node->compatible, other->compatible)) {
            continue;
        }
        *same_place = node->placed == other->placed && (!node->placed || node->at == other->at);
        if (*same_place) {
            return other;
        }
        near = other;
    }
    return near;
}

/* What a comparison has counted. */
typedef struct Sums {
    unsigned same, different, missing, more;
} Sums;

static void print_line(char sign, const TreeNode *node, const char *note)
{
    printf("%c %-36s %-28s %s\n", sign, node->path, node->compatible[0] ? node->compatible[0] : "",
        note);
}

static void compare_node(Sums *sums, const TreeNode *theirs, const GArray *ours)
{
    bool same_place = false;
    const TreeNode *other = counterpart(theirs, ours, &same_place);
    g_autoptr(GString) note = g_string_new(NULL);

    if (!other) {
        sums->missing++;
        print_line(
            '-', theirs, theirs->disabled ? "not modelled; disabled there too" : "not modelled");
        return;
    }
    if (!same_place && theirs->placed && other->placed) {
        g_string_append_printf(note,
            "at 0x%" G_GINT64_MODIFIER "x, here at 0x%" G_GINT64_MODIFIER "x  ", theirs->at,
            other->at);
    } else if (!same_place) {
        g_string_append_printf(note, "%s an address there, %s one here  ",
            theirs->placed ? "has" : "has not", other->placed ? "has" : "has not");
    }
    if (theirs->placed && other->placed && theirs->size != other->size) {
        g_string_append_printf(note,
            "size 0x%" G_GINT64_MODIFIER "x, here 0x%" G_GINT64_MODIFIER "x  ", theirs->size,
            other->size);
    }
    if (g_strcmp0(theirs->interrupts, other->interrupts) != 0) {
        g_string_append_printf(note, "interrupts %s, here %s",
            theirs->interrupts ? theirs->interrupts : "none",
            other->interrupts ? other->interrupts : "none");
    }
    sums->same += note->len == 0;
    sums->different += note->len != 0;
    print_line(note->len ? '~' : '=', theirs, g_strchomp(note->str));
}

static int compare_trees(const GArray *ours, const GArray *theirs)
{
    Sums sums = { 0 };
    bool unused;

    for (unsigned i = 0; i < theirs->len; i++) {
        compare_node(&sums, &g_array_index(theirs, TreeNode, i), ours);
    }
    for (unsigned i = 0; i < ours->len; i++) {
        const TreeNode *node = &g_array_index(ours, TreeNode, i);

        if (!counterpart(node, theirs, &unused)) {
            sums.more++;
            print_line('+', node, "only here");
        }
    }
    printf("%u the same, %u different, %u not modelled, %u only here\n", sums.same, sums.different,
        sums.missing, sums.more);
    return sums.different + sums.missing + sums.more ? EXIT_DIFFERENT : EXIT_FINE;
}

static int compare_with(const char *file, Machine *machine)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) vendor = devicetree_read(file, &error);
    g_autoptr(Fdt) fdt = fdt_of_machine(machine);
    g_autoptr(GBytes) blob = fdt_encode(fdt);
    g_autoptr(GArray) ours = devicetree_nodes(blob),
                      theirs = vendor ? devicetree_nodes(vendor) : NULL;

    if (!theirs) {
        fprintf(stderr, "lathe board: %s\n", error ? error->message : "not a device tree");
        return EXIT_DESCRIPTION;
    }
    return compare_trees(ours, theirs);
}

static int check_board(const char *name, const char *dts, const MachineOptions *options, Diag *diag)
{
    g_auto(Bare) bare = { 0 };

    if (!bare_build(&bare, name, options, diag)) {
        return finish_with(diag);
    }
    if (dts) {
        return compare_with(dts, bare.machine);
    }
    printf("%s is right: %u devices, %u regions of memory\n", name, bare.spec->device_count,
        bare.spec->memory_count);
    return finish_with(diag);
}

/* ---- the verb ---- */

static int board_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autofree char *dts = NULL, *output = NULL;
    const GOptionEntry own[] = {
        { "dts", 0, 0, G_OPTION_ARG_FILENAME, &dts, NULL, NULL },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, NULL, NULL },
        { 0 },
    };
    g_autoptr(Diag) diag = diag_new();
    const char *what;

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "list") == 0 && argc == 2) {
        return list_boards(&options, diag);
    }
    if (strcmp(what, "export") == 0 && argc == 3) {
        return export_board(argv[2], output, &options, diag);
    }
    if (strcmp(what, "check") == 0 && argc == 3) {
        return check_board(argv[2], dts, &options, diag);
    }
    fputs("lathe board: wants list, export BOARD or check BOARD; see `lathe help board`\n", stderr);
    return EXIT_DESCRIPTION;
}

VERB(board) = {
    .name = "board",
    .arguments = "list|check|export BOARD|FILE [--dts FILE] [-o OUTPUT] [--path DIR]...",
    .summary = "list, check or copy boards",
    .help = "  lathe board list            the boards there are: version, instruction set, CPUs\n"
            "  lathe board export BOARD    its text, to be changed and kept beside a machine\n"
            "  lathe board check BOARD     is it right; a file or a name\n"
            "\n"
            "  --dts FILE   compare with a vendor's device tree, source or blob, both ways\n"
            "  -o OUTPUT    export to a file\n"
            "  --path DIR   another folder with machines/ and schemas/\n"
            "\n"
            "Comparing prints = the same, ~ different, - not modelled, + only here; nodes are "
            "matched by\n"
            "`compatible` and address.\n"
            "\n"
            "Exit status: 0 it is right, 1 it differs from the tree, 2 it is wrong.\n",
    .run = board_run,
};

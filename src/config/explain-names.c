/* What stands in boards and in the files of CPUs: boards, their options, models, features. */
#include <string.h>

#include "config/explain.h"
#include "config/loader.h"

static const char *text_at(const Node *node, const char *key)
{
    const char *text = node_text(node_get(node, key));

    return text ? text : "";
}

static bool is_map(const Node *node)
{
    return node && node->kind == NODE_MAP;
}

static void append_words(GString *out, const Node *list)
{
    for (unsigned i = 0; list && list->kind == NODE_LIST && i < list->list.count; i++) {
        g_string_append_printf(out, " %s", node_text(list->list.items[i]));
    }
    g_string_append_c(out, '\n');
}

/* ---- boards ---- */

/* "el1 | el2 | el3; default el1" */
static void append_choices(GString *out, const Node *option)
{
    const char *separator = "";

    for (unsigned i = 0; i < option->map.count; i++) {
        if (strcmp(option->map.entries[i].key, "default") != 0) {
            g_string_append_printf(out, "%s%s", separator, option->map.entries[i].key);
            separator = " | ";
        }
    }
    g_string_append_printf(out, "; default %s\n", text_at(option, "default"));
}

static char *explain_board(const char *name, const Node *board)
{
    const Node *cpus = node_get(board, "cpus"), *options = node_get(board, "options");
    GString *out = g_string_new(NULL);

    g_string_append_printf(
        out, "%s    board %s, %s\n", name, text_at(board, "version"), text_at(board, "arch"));
    explain_append(out, text_at(board, "doc"), 2);
    if (node_get(cpus, "models")) {
        g_string_append(out, "  CPU models:");
        append_words(out, node_get(cpus, "models"));
    }
    if (is_map(options)) {
        g_string_append_printf(
            out, "  Options, as in `board: { use: %s@1, options: { ... } }`\n", name);
    }
    for (unsigned i = 0; is_map(options) && i < options->map.count; i++) {
        g_string_append_printf(out, "    %-18s ", options->map.entries[i].key);
        append_choices(out, options->map.entries[i].value);
    }
    return g_string_free(out, false);
}

/* The board of this name, or NULL and, for each that has an option of it, a line in `out`. */
static char *find_in_boards(Loader *l, const char *what, GString *out)
{
    g_autoptr(GPtrArray) names = library_list(l->library, "machines", ".yaml");
    g_autofree char *stem = g_strndup(what, strcspn(what, "@"));

    for (unsigned i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *file = g_strdup_printf("machines/%s.yaml", name);
        const Node *board = library_load(l->library, file);
        const Node *option = node_get(node_get(board, "options"), what);

        if (strcmp(name, stem) == 0 && board) {
            return explain_board(name, board);
        }
        if (is_map(option)) {
            g_string_append_printf(out, "%s    option of %s    ", what, name);
            append_choices(out, option);
        }
    }
    return NULL;
}

/* ---- CPUs ---- */

static void append_cpu(GString *out, const char *isa, const char *what, const Node *cpus)
{
    const Node *model = node_get(node_get(cpus, "models"), what);
    const Node *feature = node_get(node_get(cpus, "features"), what);

    if (model) {
        g_string_append_printf(out, "%s/%s    CPU model\n", isa, what);
        explain_append(out, text_at(model, "doc"), 2);
        g_string_append(out, "  Features:");
        append_words(out, node_get(model, "features"));
    }
    if (feature) {
        g_string_append_printf(out, "%s    feature of %s CPUs\n", what, isa);
        explain_append(out, text_at(feature, "doc"), 2);
    }
}

/* "aarch64/max" is one of `lathe list cpus`; "max" may be of several. */
static void find_in_cpus(Loader *l, const char *what, GString *out)
{
    g_autoptr(GPtrArray) isas = library_list(l->library, "schemas/cpus", ".yaml");
    const char *slash = strchr(what, '/');

    for (unsigned i = 0; i < isas->len; i++) {
        const char *isa = isas->pdata[i];
        g_autofree char *file = g_strdup_printf("schemas/cpus/%s.yaml", isa);
        bool meant = !slash ||
            (strlen(isa) == (size_t)(slash - what) && g_str_has_prefix(what, isa));

        if (meant) {
            append_cpu(out, isa, slash ? slash + 1 : what, library_load(l->library, file));
        }
    }
}

/* ---- all of them ---- */

char *explain_name(Loader *l, const char *what)
{
    g_autoptr(GString) out = g_string_new(NULL);
    char *board = find_in_boards(l, what, out);

    if (board) {
        return board;
    }
    find_in_cpus(l, what, out);
    if (g_str_has_prefix(what, "x-")) {
        g_string_append_printf(out,
            "%s    anything\n  Keys that begin with x- are for others than lathe: x-qemu and "
            "x-libvirt "
            "hold what\n  `lathe translate` needs on the way back.\n",
            what);
    }
    return out->len ? g_string_free(g_steal_pointer(&out), false) : NULL;
}

/* The stages that end in the trees of machine and board, and the one that makes the spec. */
#include "config/loader.h"

#include <string.h>

#include "config/checks.h"
#include "config/layers.h"
#include "config/params.h"
#include "config/resolve.h"
#include "config/suggest.h"
#include "config/validate.h"

void loader_init(Loader *l, const ConfigOptions *options, Diag *diag)
{
    static const ConfigOptions none = { 0 };

    *l = (Loader){ .options = options ? options : &none, .diag = diag };
    l->errors_before = diag_errors(diag);
    l->arena = arena_create();
    l->library = library_create((const char *const *)l->options->paths, l->arena, diag);
    l->schemas = schema_set_create(l->library, l->arena, diag);
}

void loader_clear(Loader *l)
{
    schema_set_free(l->schemas);
    library_free(l->library);
    arena_free(l->arena);
}

/* ---- trees ---- */

/* The first key says what a file is; without the right one, nothing else in it makes sense. */
static bool check_kind(Loader *l, const Node *root, const char *kind)
{
    const Node *lathe = node_get(root, "lathe");
    Mark at = lathe ? lathe->mark : root->mark;

    if (lathe && lathe->bad) {
        return false;
    }
    if (!lathe) {
        diag_error(l->diag, DIAG_KIND, at, "the file does not say what it is");
        diag_hint(l->diag, "begin it with `lathe: %s`", kind);
        return false;
    }
    if (g_strcmp0(node_text(lathe), kind) != 0) {
        diag_error(l->diag, DIAG_KIND, at, "`lathe` must be `%s` here", kind);
        return false;
    }
    return true;
}

static void apply_options(Loader *l)
{
    for (unsigned i = 0; l->options->profiles && l->options->profiles[i]; i++) {
        layers_apply_profile(l->machine, l->options->profiles[i], l->arena, l->diag);
    }
    for (unsigned i = 0; l->options->sets && l->options->sets[i]; i++) {
        layers_apply_set(l->machine, l->options->sets[i], i + 1, l->arena, l->diag);
    }
    params_apply(l->machine, l->arena, l->diag);
}

bool loader_validate(Loader *l, Node *root, const char *schema_name)
{
    const Schema *schema = schema_load(l->schemas, schema_name);

    if (!schema) {
        return false;
    }
    validate(schema, root, "", root->mark, l->diag);
    validate_fill_defaults(schema, root, l->arena);
    return true;
}

bool loader_read_machine(Loader *l, const Source *source)
{
    l->machine = layers_load_source(source, l->arena, l->diag);
    if (!l->machine || !check_kind(l, l->machine, "machine/v1")) {
        return false;
    }
    apply_options(l);
    return true;
}

/* ---- the board ---- */

static void report_unknown_board(Loader *l, const Node *asked, const char *name)
{
    g_autoptr(GPtrArray) boards = library_list(l->library, "machines", ".yaml");
    const char *near = suggest(name, boards);
    g_autofree char *stem = g_strndup(name, strcspn(name, "."));
    g_autofree char *file = g_strconcat(stem, ".yaml", NULL);
    g_autoptr(GString) list = NULL;

    diag_error(l->diag, DIAG_UNKNOWN_BOARD, asked ? asked->mark : NO_MARK,
        "there is no board `%.60s`", name);
    if (near) {
        diag_hint(l->diag, "did you mean `%s`?", near);
    }
    if (g_file_test(file, G_FILE_TEST_IS_REGULAR)) {
        diag_note(l->diag, NO_MARK, "there is a file `%s`", file);
    }
    list = g_string_new(NULL);
    for (unsigned i = 0; i < boards->len; i++) {
        g_string_append_printf(list, " %s", (const char *)boards->pdata[i]);
    }
    diag_note(l->diag, NO_MARK, "there are:%s", list->str);
}

/* "1" allows 1.x.y, "1.2" allows 1.2 and later 1.x, a full version itself. */
static bool version_fits(const char *there, const char *asked)
{
    unsigned have[3] = { 0 }, want[3] = { 0 };
    int parts = sscanf(asked, "%u.%u.%u", &want[0], &want[1], &want[2]);

    sscanf(there, "%u.%u.%u", &have[0], &have[1], &have[2]);
    if (parts == 3) {
        return memcmp(have, want, sizeof(have)) == 0;
    }
    return have[0] == want[0] && have[1] >= want[1];
}

static void check_version(Loader *l, const Node *asked, const char *version)
{
    const Node *there = node_good(l->board, "version");

    if (node_text(there) && !version_fits(node_text(there), version)) {
        diag_error(l->diag, DIAG_UNKNOWN_BOARD, asked->mark, "the board is version %s, not %s",
            node_text(there), version);
        diag_hint(l->diag, "write %.*s@%.*s", (int)strcspn(node_text(asked), "@"), node_text(asked),
            (int)strcspn(node_text(there), "."), node_text(there));
        diag_note(l->diag, there->mark, "its version");
    }
}

/* "riscv-virt@1", or a path when there is a slash in it. `asked` is NULL on the command line. */
static bool load_board(Loader *l, const char *text, const Node *asked)
{
    const char *at = strchr(text, '@');
    g_autofree char *name = at ? g_strndup(text, at - text) : g_strdup(text);
    g_autofree char *file = g_strdup_printf("machines/%s.yaml", name);
    unsigned errors = diag_errors(l->diag);

    if (strchr(text, '/') || g_str_has_suffix(text, ".yaml")) {
        const char *path = asked ? layers_path_beside(asked, l->arena) : text;
        g_autoptr(Source) source = source_read(path, l->diag, asked ? asked->mark : NO_MARK);

        l->board = source ? layers_load_source(source, l->arena, l->diag) : NULL;
        return l->board && check_kind(l, l->board, "board/v1");
    }
    l->board = library_load(l->library, file);
    if (!l->board && diag_errors(l->diag) == errors) {
        report_unknown_board(l, asked, name);
    }
    if (!l->board || !check_kind(l, l->board, "board/v1")) {
        return false;
    }
    if (at && asked) {
        check_version(l, asked, at + 1);
    }
    return true;
}

static bool finish_board(Loader *l, const Node *choices)
{
    layers_apply_options(l->board, choices, l->arena, l->diag);
    return loader_validate(l, l->board, "schemas/board.v1.yaml");
}

/* `board: name@1`, or `board: { use: name@1, options: ... }`. */
bool loader_read_machine_board(Loader *l)
{
    const Node *board = node_good(l->machine, "board");
    const Node *use = board && board->kind == NODE_MAP ? node_good(board, "use") : board;

    return node_text(use) && load_board(l, node_text(use), use) &&
        finish_board(l, node_good(board, "options"));
}

bool loader_read_board(Loader *l, const char *text)
{
    return load_board(l, text, NULL) && finish_board(l, NULL);
}

/* ---- the spec ---- */

MachineSpec *loader_finish(Loader *l, const char *file)
{
    ResolveInput input = {
        .machine = l->machine,
        .board = l->board,
        .lock = l->lock,
        .files_may_miss = l->options->files_may_miss,
        .bench = l->bench,
        .library = l->library,
        .schemas = l->schemas,
        .arena = l->arena,
        .diag = l->diag,
    };
    g_autoptr(MachineSpec) spec = machine_spec_create();

    spec->file = g_intern_string(file);
    resolve(&input, spec);
    checks_run(spec, l->diag);
    if (diag_errors(l->diag) != l->errors_before) {
        return NULL;
    }
    spec->arena = g_steal_pointer(&l->arena);
    spec->arena_free = (GDestroyNotify)arena_free;
    return g_steal_pointer(&spec);
}

/* Merging, and where the things that are merged come from. */
#include "config/layers.h"

#include <string.h>

#include "config/events.h"
#include "config/suggest.h"

enum { LONGEST_CHAIN = 16 };

/* What a patch removes where there is nothing is not there afterwards either. */
static void drop_nulls(Node *node)
{
    for (unsigned i = node->kind == NODE_MAP ? node->map.count : 0; i > 0; i--) {
        const Entry *entry = &node->map.entries[i - 1];

        if (entry->value->kind == NODE_NULL && !entry->value->bad) {
            node_map_remove(node, entry->key);
        } else {
            drop_nulls(entry->value);
        }
    }
}

/* Keys of a file that hold patches: a null in one removes something later, not now. */
static bool holds_patches(const char *key)
{
    return strcmp(key, "profiles") == 0 || strcmp(key, "options") == 0;
}

typedef enum MergeMode { MERGE_ROOT, MERGE_INSIDE, MERGE_PATCHES } MergeMode;

static Node *merge(Arena *arena, Node *base, Node *patch, MergeMode mode)
{
    if (!base || base->kind != NODE_MAP || patch->kind != NODE_MAP) {
        if (mode != MERGE_PATCHES) {
            drop_nulls(patch);
        }
        patch->under = base;
        return patch;
    }
    for (unsigned i = 0; i < patch->map.count; i++) {
        const Entry *entry = &patch->map.entries[i];
        bool patches = mode == MERGE_PATCHES || (mode == MERGE_ROOT && holds_patches(entry->key));
        Node *there = node_get(base, entry->key);

        if (entry->value->kind == NODE_NULL && !entry->value->bad && mode != MERGE_PATCHES) {
            node_map_remove(base, entry->key);
        } else {
            node_map_set(arena, base, entry->key, entry->mark,
                merge(arena, there, entry->value, patches ? MERGE_PATCHES : MERGE_INSIDE));
        }
    }
    return base;
}

Node *layers_merge(Arena *arena, Node *base, Node *patch)
{
    return merge(arena, base, patch, MERGE_ROOT);
}

void layers_name(Node *node, const char *layer)
{
    node->layer = layer;
    for (unsigned i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        layers_name(node->map.entries[i].value, layer);
    }
    for (unsigned i = 0; node->kind == NODE_LIST && i < node->list.count; i++) {
        layers_name(node->list.items[i], layer);
    }
}

char *layers_path_beside(const Node *node, Arena *arena)
{
    const char *path = node_text(node);
    g_autofree char *folder = node->mark.file ? g_path_get_dirname(node->mark.file) : g_strdup(".");
    g_autofree char *joined = NULL;

    if (g_path_is_absolute(path) || strcmp(folder, ".") == 0) {
        return arena_text(arena, path, strlen(path));
    }
    joined = g_build_filename(folder, path, NULL);
    return arena_text(arena, joined, strlen(joined));
}

/* ---- extends ---- */

/* A file that is being read, and the one that asked for it. */
typedef struct Chain Chain;
struct Chain {
    const Chain *up;
    const char *file;
    unsigned length;
};

static bool is_in(const Chain *chain, const char *file)
{
    for (; chain; chain = chain->up) {
        g_autofree char *left = g_canonicalize_filename(chain->file, NULL);
        g_autofree char *right = g_canonicalize_filename(file, NULL);

        if (strcmp(left, right) == 0) {
            return true;
        }
    }
    return false;
}

static Node *load(const Source *source, const Chain *up, Arena *arena, Diag *diag);

/* NULL after reporting; the file then counts as empty. */
static Node *load_extended(const Node *item, const Chain *chain, Arena *arena, Diag *diag)
{
    const char *file = layers_path_beside(item, arena);
    g_autoptr(Source) source = NULL;

    if (is_in(chain, file)) {
        diag_error(diag, DIAG_EXTENDS, item->mark, "`%s` extends itself", file);
        for (const Chain *link = chain; link->up; link = link->up) {
            diag_note(diag, NO_MARK, "`%s` is extended by `%s`", link->file, link->up->file);
        }
        return NULL;
    }
    if (chain->length == LONGEST_CHAIN) {
        diag_error(
            diag, DIAG_EXTENDS, item->mark, "more than %d files extend each other", LONGEST_CHAIN);
        return NULL;
    }
    source = source_read(file, diag, item->mark);
    return source ? load(source, chain, arena, diag) : NULL;
}

/* What is not a list of texts is left for the schema to refuse. */
static Node *load(const Source *source, const Chain *up, Arena *arena, Diag *diag)
{
    Chain chain = { .up = up, .file = source->name, .length = up ? up->length + 1 : 1 };
    Node *root = events_parse(source, arena, diag), *base = NULL;
    const Node *extends = root ? node_good(root, "extends") : NULL;

    if (!extends || extends->kind != NODE_LIST) {
        return root;
    }
    for (unsigned i = 0; i < extends->list.count; i++) {
        const Node *item = extends->list.items[i];
        Node *parent = node_text(item) && !item->bad ? load_extended(item, &chain, arena, diag)
                                                     : NULL;

        if (parent) {
            base = base ? layers_merge(arena, base, parent) : parent;
        }
    }
    return base ? layers_merge(arena, base, root) : root;
}

Node *layers_load_source(const Source *source, Arena *arena, Diag *diag)
{
    return load(source, NULL, arena, diag);
}

/* ---- profiles ---- */

static void hint_near(Diag *diag, const char *word, const Node *map)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GString) list = g_string_new(NULL);
    const char *near;

    for (unsigned i = 0; map && map->kind == NODE_MAP && i < map->map.count; i++) {
        const char *name = map->map.entries[i].key;

        if (strcmp(name, "default") != 0) {
            g_ptr_array_add(names, (gpointer)name);
            g_string_append_printf(list, " %s", name);
        }
    }
    near = suggest(word, names);
    if (near) {
        diag_hint(diag, "did you mean `%s`?", near);
    }
    diag_note(diag, NO_MARK, list->len ? "there are:%s" : "there are none%s", list->str);
}

bool layers_apply_profile(Node *root, const char *name, Arena *arena, Diag *diag)
{
    const Node *profiles = node_good(root, "profiles"), *profile = node_good(profiles, name);
    Node *patch;

    if (!profile) {
        diag_error(diag, DIAG_UNKNOWN_PROFILE, (Mark){ .file = root->mark.file },
            "there is no profile `%s`", name);
        hint_near(diag, name, profiles);
        return false;
    }
    if (profile->kind == NODE_MAP) {
        patch = node_copy(arena, profile);
        layers_name(patch, arena_printf(arena, "profile %s", name));
        layers_merge(arena, root, patch);
    }
    return true;
}

/* ---- --set ---- */

static bool bad_set(Diag *diag, Mark at, const char *message, const char *hint)
{
    diag_error(diag, DIAG_SET, at, "%s", message);
    diag_hint(diag, "%s", hint);
    return false;
}

/* The value alone, blanks in the place of the path, so that its columns are those of the text. */
static Node *parse_value(const Source *source, unsigned from, Arena *arena, Diag *diag)
{
    gsize length;
    const char *text = g_bytes_get_data(source->text, &length);
    g_autofree char *blanked = g_strndup(text, length);
    g_autoptr(GBytes) bytes = NULL;

    if (from == length) {
        return node_new_string(arena, "", (Mark){ source->name, 1, from, 1 });
    }
    memset(blanked, ' ', from);
    bytes = g_bytes_new(blanked, length);
    return events_parse(&(Source){ source->name, bytes }, arena, diag);
}

bool layers_apply_set(Node *root, const char *assignment, unsigned number, Arena *arena, Diag *diag)
{
    const char *name = number > 1 ? arena_printf(arena, "--set (%u)", number) : "--set";
    g_autoptr(Source) source = source_from_text(name, assignment, -1, diag);
    const char *equals = strchr(assignment, '=');
    g_autofree char *path = equals ? g_strndup(assignment, equals - assignment) : NULL;
    g_auto(GStrv) keys = g_strsplit(path ? path : "", ".", -1);
    unsigned depth = g_strv_length(keys);
    Node *value;
    Mark at = { source->name, 1, 1, strlen(assignment) };

    if (!equals || depth == 0 || g_strv_contains((const char *const *)keys, "")) {
        return bad_set(diag, at, "not a path and a value", "write drives.root.cache=none");
    }
    if (depth > DEEPEST_NESTING / 2) {
        return bad_set(diag, at, "the path is too deep", "write drives.root.cache=none");
    }
    at.width = equals - assignment;
    value = parse_value(source, equals + 1 - assignment, arena, diag);
    if (!value) {
        return false;
    }
    for (unsigned i = depth; i > 0; i--) {
        Node *map = node_new(arena, NODE_MAP, at);

        node_map_set(arena, map, arena_text(arena, keys[i - 1], strlen(keys[i - 1])), at, value);
        value = map;
    }
    layers_name(value, "--set");
    layers_merge(arena, root, value);
    return true;
}

/* ---- board options ---- */

static bool apply_option(
    Node *board, const Entry *option, const Node *asked, Arena *arena, Diag *diag)
{
    const Node *chosen = asked ? asked : node_good(option->value, "default");
    const Node *patch = node_text(chosen) ? node_good(option->value, node_text(chosen)) : NULL;
    Node *copy;

    if (!node_text(chosen)) {
        return true; /* the schema has said so */
    }
    if (!patch || strcmp(node_text(chosen), "default") == 0) {
        diag_error(diag, DIAG_UNKNOWN_OPTION, chosen->mark, "`%s` is no choice for the option `%s`",
            node_text(chosen), option->key);
        hint_near(diag, node_text(chosen), option->value);
        return false;
    }
    if (patch->kind == NODE_MAP) {
        copy = node_copy(arena, patch);
        layers_name(copy, arena_printf(arena, "option %s=%s", option->key, node_text(chosen)));
        layers_merge(arena, board, copy);
    }
    return true;
}

bool layers_apply_options(Node *board, const Node *choices, Arena *arena, Diag *diag)
{
    const Node *options = node_good(board, "options");
    bool good = true;

    for (unsigned i = 0; choices && choices->kind == NODE_MAP && i < choices->map.count; i++) {
        const Entry *choice = &choices->map.entries[i];

        if (!node_entry(options, choice->key)) {
            good = diag_error(diag, DIAG_UNKNOWN_OPTION, choice->mark,
                "the board has no option `%s`", choice->key);
            hint_near(diag, choice->key, options);
        }
    }
    for (unsigned i = 0; options && options->kind == NODE_MAP && i < options->map.count; i++) {
        const Entry *option = &options->map.entries[i];

        good &= apply_option(board, option, node_good(choices, option->key), arena, diag);
    }
    return good;
}

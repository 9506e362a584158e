#include "cli/changes.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum { LONGEST_VALUE = 60 };

static bool is_of_fdt(const Fact *fact)
{
    return g_str_has_prefix(fact->path, "fdt ");
}

char *changes_thing(const char *path)
{
    const char *dot = strchr(path, '.');
    size_t length;

    if (g_str_has_prefix(path, "memory") || g_str_has_prefix(path, "cpus")) {
        return g_strndup(path, strcspn(path, "."));
    }
    length = dot ? (size_t)(dot + 1 - path) + strcspn(dot + 1, ".") : strlen(path);

    return g_strndup(path, length);
}

/* ---- registers: "0x1124 PARange=4 ASIDBits=2" ---- */

/* The value of a field among such words; of one that is left out, "0". Free it. */
static char *field_of(char *const *words, const char *name)
{
    for (unsigned i = 0; words[i]; i++) {
        size_t length = strcspn(words[i], "=");

        if (strlen(name) == length && strncmp(words[i], name, length) == 0) {
            return g_strdup(words[i] + length + 1);
        }
    }
    return g_strdup("0");
}

/* "PARange 2 -> 4" for each field of `of` that is not the same; those not in `but`. */
static void append_fields(
    GString *out, char *const *of, char *const *but, char *const *before, char *const *now)
{
    for (unsigned i = 1; of[0] && of[i]; i++) {
        g_autofree char *name = g_strndup(of[i], strcspn(of[i], "="));
        g_autofree char *left = field_of(before, name), *right = field_of(now, name);
        g_autofree char *twice = but ? field_of(but, name) : g_strdup("0");

        if (strcmp(left, right) != 0 && strcmp(twice, "0") == 0) {
            g_string_append_printf(out, "%s%s %s -> %s", out->len ? ", " : "", name, left, right);
        }
    }
}

static bool is_register(const Fact *fact)
{
    return g_str_has_prefix(fact->path, "cpus") && g_str_has_prefix(fact->value, "0x");
}

static void show_register(char sign, const Fact *fact, const char *before)
{
    g_auto(GStrv) old = g_strsplit(before, " ", -1), new = g_strsplit(fact->value, " ", -1);
    g_autoptr(GString) fields = g_string_new(NULL);

    append_fields(fields, old, NULL, old, new);
    append_fields(fields, new, old, old, new);
    printf("%c %-*s  %s -> %s%s%s\n", sign, CHANGES_PATH_WIDTH, fact->path, old[0], new[0],
        fields->len ? "    " : "", fields->str);
}

/* ---- all but the device tree ---- */

static void show(GHashTable *things, char sign, const Fact *fact, const char *before)
{
    g_hash_table_add(things, changes_thing(fact->path));
    if (before && is_register(fact)) {
        show_register(sign, fact, before);
    } else {
        printf("%c %-*s  %s%s%s\n", sign, CHANGES_PATH_WIDTH, fact->path, before ? before : "",
            before ? " -> " : "", fact->value);
    }
}

/* Whether there was any. */
static bool show_facts(GHashTable *things, const Facts *old, const Facts *new)
{
    bool any = false;

    for (unsigned i = 0; i < facts_count(old); i++) {
        const Fact *fact = facts_get(old, i);

        if (!is_of_fdt(fact) && !facts_value(new, fact->path)) {
            show(things, '-', fact, NULL);
            any = true;
        }
    }
    for (unsigned i = 0; i < facts_count(new); i++) {
        const Fact *fact = facts_get(new, i);
        const char *before = facts_value(old, fact->path);

        if (!is_of_fdt(fact) && (!before || strcmp(before, fact->value) != 0)) {
            show(things, before ? '~' : '+', fact, before);
            any = true;
        }
    }
    return any;
}

/* ---- the device tree: "fdt NODE PROPERTY" ---- */

/* A change of a property in all nodes that are alike: cpu@0, cpu@1 ... */
typedef struct TreeChange {
    char sign;
    char *node;
    char *text; /* "mmu-type \"riscv,sv39\" -> \"riscv,sv57\"" */
    unsigned count;
} TreeChange;

static void clear_tree_change(gpointer data)
{
    TreeChange *change = data;

    g_free(change->node);
    g_free(change->text);
}

static char *node_of(const Fact *fact)
{
    return g_strndup(fact->path, strrchr(fact->path, ' ') - fact->path);
}

static bool has_node(const Facts *facts, const char *node)
{
    size_t length = strlen(node);

    for (unsigned i = 0; i < facts_count(facts); i++) {
        const char *path = facts_get(facts, i)->path;

        if (strncmp(path, node, length) == 0 && path[length] == ' ') {
            return true;
        }
    }
    return false;
}

/* The same but for the address in one of its names: cpu@0 and cpu@1. */
static bool are_alike(const char *left, const char *right)
{
    size_t stem = strcspn(left, "@");
    bool same = left[stem] && strncmp(left, right, stem + 1) == 0;

    left += stem;
    right += stem;
    return same && strcmp(left + strcspn(left, "/"), right + strcspn(right, "/")) == 0;
}

/* Takes the text. */
static void add_tree_change(GArray *changes, char sign, const char *node, char *text)
{
    TreeChange change = { sign, g_strdup(node), text, 1 };

    for (unsigned i = 0; i < changes->len; i++) {
        TreeChange *other = &g_array_index(changes, TreeChange, i);

        if (other->sign == sign && strcmp(other->text, text) == 0 &&
            (strcmp(other->node, node) == 0 || are_alike(other->node, node))) {
            other->count += strcmp(other->node, node) != 0;
            clear_tree_change(&change);
            return;
        }
    }
    g_array_append_val(changes, change);
}

static const char *shown_value(const char *value)
{
    return strlen(value) <= LONGEST_VALUE ? value : "...";
}

/* " +zba": the words of one list that the other has not. */
static void append_words(GString *out, char sign, char *const *words, char *const *other)
{
    for (unsigned i = 0; words[i]; i++) {
        if (*words[i] && !g_strv_contains((const char *const *)other, words[i])) {
            g_string_append_printf(out, " %c%s", sign, words[i]);
        }
    }
}

/* "mmu-type \"riscv,sv39\" -> \"riscv,sv57\""; of long lists what came and what went. Free it. */
static char *change_of(const Fact *fact, const char *before)
{
    const char *name = strrchr(fact->path, ' ') + 1;
    g_auto(GStrv) old = g_strsplit_set(before, "\", _", -1);
    g_auto(GStrv) new = g_strsplit_set(fact->value, "\", _", -1);
    g_autoptr(GString) words = g_string_new(NULL);
    bool text = *before == '"' && *fact->value == '"';

    if (text && MAX(strlen(before), strlen(fact->value)) > LONGEST_VALUE) {
        append_words(words, '-', old, new);
        append_words(words, '+', new, old);
    }
    return words->len && words->len <= LONGEST_VALUE
        ? g_strconcat(name, words->str, NULL)
        : g_strdup_printf("%s %s -> %s", name, shown_value(before), shown_value(fact->value));
}

/* Of what is in `facts` and not in `other`; with `changed`, of what is in both and differs. */
static void find_tree_changes(
    GArray *changes, char sign, const Facts *facts, const Facts *other, bool changed)
{
    g_autofree char *whole =
        NULL; /* a node that is in `facts` only; its properties come in a row */

    for (unsigned i = 0; i < facts_count(facts); i++) {
        const Fact *fact = facts_get(facts, i);
        const char *before = facts_value(other, fact->path);
        g_autofree char *node = NULL;

        if (!is_of_fdt(fact) || (before && (!changed || strcmp(before, fact->value) == 0))) {
            continue;
        }
        node = node_of(fact);
        if (before) {
            add_tree_change(changes, '~', node, change_of(fact, before));
        } else if (has_node(other, node)) {
            add_tree_change(changes, sign, node,
                g_strdup_printf("%s %s", strrchr(fact->path, ' ') + 1, shown_value(fact->value)));
        } else if (g_strcmp0(node, whole) != 0) {
            add_tree_change(changes, sign, node, g_strdup("the node"));
            g_free(whole);
            whole = g_steal_pointer(&node);
        }
    }
}

static bool show_tree(const Facts *old, const Facts *new)
{
    g_autoptr(GArray) changes = g_array_new(false, false, sizeof(TreeChange));

    g_array_set_clear_func(changes, clear_tree_change);
    find_tree_changes(changes, '-', old, new, false);
    find_tree_changes(changes, '+', new, old, true);
    for (unsigned i = 0; i < changes->len; i++) {
        const TreeChange *change = &g_array_index(changes, TreeChange, i);

        printf("%c %-*s  %s", change->sign, CHANGES_PATH_WIDTH, change->node, change->text);
        if (change->count > 1) {
            printf("    and %u alike", change->count - 1);
        }
        putchar('\n');
    }
    return changes->len > 0;
}

bool changes_print(const Facts *old, const Facts *new, GHashTable *things)
{
    bool facts = show_facts(things, old, new), tree = show_tree(old, new);

    return facts || tree;
}

/* The tree: making, finding, comparing, printing. */
#include "config/doc.h"

#include <string.h>

enum { SMALL_MAP = 8 };

Node *node_new(Arena *arena, NodeKind kind, Mark mark)
{
    Node *node = ARENA_NEW(arena, Node);

    node->kind = kind;
    node->mark = mark;
    node->end_line = mark.line;
    node->end_column = mark.column + mark.width;
    return node;
}

Node *node_new_string(Arena *arena, const char *text, Mark mark)
{
    Node *node = node_new(arena, NODE_STRING, mark);

    node->scalar.text = arena_text(arena, text, strlen(text));
    return node;
}

Node *node_copy(Arena *arena, const Node *node)
{
    Node *copy = ARENA_NEW(arena, Node);

    *copy = *node;
    if (node->kind == NODE_MAP) {
        copy->map = (NodeMap){ 0 };
        for (unsigned i = 0; i < node->map.count; i++) {
            const Entry *entry = &node->map.entries[i];

            node_map_set(arena, copy, entry->key, entry->mark, node_copy(arena, entry->value));
        }
    } else if (node->kind == NODE_LIST) {
        copy->list = (NodeList){ 0 };
        for (unsigned i = 0; i < node->list.count; i++) {
            node_list_add(arena, copy, node_copy(arena, node->list.items[i]));
        }
    }
    return copy;
}

/* Room for one more; what is left behind is at most as large as what there is. */
static void *grown(Arena *arena, void *old, unsigned count, unsigned *room, size_t size)
{
    void *grown_to;

    if (count < *room) {
        return old;
    }
    *room = *room ? *room * 2 : 4;
    grown_to = arena_alloc(arena, *room * size);
    if (count) {
        memcpy(grown_to, old, count * size);
    }
    return grown_to;
}

/* ---- maps ---- */

/* The place of the key in the index, or the free place where it belongs. */
static uint32_t *index_slot(const NodeMap *map, const char *key)
{
    unsigned mask = map->index_size - 1;
    unsigned at = g_str_hash(key) * 2654435769u >> 7 & mask;

    while (map->index[at] && strcmp(map->entries[map->index[at] - 1].key, key) != 0) {
        at = (at + 1) & mask;
    }
    return &map->index[at];
}

static void fill_index(NodeMap *map)
{
    memset(map->index, 0, map->index_size * sizeof(*map->index));
    for (unsigned i = 0; i < map->count; i++) {
        *index_slot(map, map->entries[i].key) = i + 1;
    }
}

/* At most half full, so that a search is short. */
static void index_newest(Arena *arena, NodeMap *map)
{
    if (map->count <= SMALL_MAP) {
        return;
    }
    if (map->index_size < map->count * 2) {
        map->index_size = map->index_size ? map->index_size * 2 : SMALL_MAP * 4;
        map->index = arena_alloc(arena, map->index_size * sizeof(*map->index));
        fill_index(map);
    } else {
        *index_slot(map, map->entries[map->count - 1].key) = map->count;
    }
}

Entry *node_entry(const Node *node, const char *key)
{
    if (!node || node->kind != NODE_MAP) {
        return NULL;
    }
    if (node->map.index) {
        uint32_t found = *index_slot(&node->map, key);

        return found ? &node->map.entries[found - 1] : NULL;
    }
    for (unsigned i = 0; i < node->map.count; i++) {
        if (strcmp(node->map.entries[i].key, key) == 0) {
            return &node->map.entries[i];
        }
    }
    return NULL;
}

void node_map_set(Arena *arena, Node *node, const char *key, Mark mark, Node *value)
{
    Entry *there = node_entry(node, key);

    if (there) {
        there->value = value;
        there->mark = mark;
    } else {
        node_map_add(arena, node, key, mark, value);
    }
}

void node_map_add(Arena *arena, Node *node, const char *key, Mark mark, Node *value)
{
    NodeMap *map = &node->map;

    map->entries = grown(arena, map->entries, map->count, &map->room, sizeof(Entry));
    map->entries[map->count++] = (Entry){ .key = key, .mark = mark, .value = value };
    index_newest(arena, map);
}

void node_map_remove(Node *node, const char *key)
{
    Entry *entry = node_entry(node, key);
    NodeMap *map = &node->map;

    if (entry) {
        unsigned behind = map->entries + map->count - (entry + 1);

        memmove(entry, entry + 1, behind * sizeof(*entry));
        map->count--;
        if (map->index) {
            fill_index(map);
        }
    }
}

void node_list_add(Arena *arena, Node *node, Node *item)
{
    NodeList *list = &node->list;

    list->items = grown(arena, list->items, list->count, &list->room, sizeof(Node *));
    list->items[list->count++] = item;
}

void node_reserve(Arena *arena, Node *node, unsigned count)
{
    if (node->kind == NODE_MAP) {
        node->map.entries = arena_alloc(arena, count * sizeof(Entry));
        node->map.room = count;
    } else {
        node->list.items = arena_alloc(arena, count * sizeof(Node *));
        node->list.room = count;
    }
}

/* ---- reading ---- */

Node *node_get(const Node *node, const char *key)
{
    Entry *entry = node_entry(node, key);

    return entry ? entry->value : NULL;
}

Node *node_good(const Node *node, const char *key)
{
    Node *value = node_get(node, key);

    return value && !value->bad ? value : NULL;
}

Node *node_at(const Node *node, const char *path)
{
    g_auto(GStrv) keys = g_strsplit(path, ".", -1);
    Node *at = (Node *)node;

    for (unsigned i = 0; at && keys[i]; i++) {
        at = node_get(at, keys[i]);
    }
    return at;
}

const char *node_text(const Node *node)
{
    return node && node->kind == NODE_STRING ? node->scalar.text : NULL;
}

bool node_is_true(const Node *node)
{
    return node && node->kind == NODE_BOOL && node->scalar.magnitude;
}

uint64_t node_uint(const Node *node)
{
    if (node && node->kind == NODE_FLOAT && node->scalar.real >= 0 && node->scalar.real < 0x1p64) {
        return (uint64_t)node->scalar.real;
    }
    return node && node->kind == NODE_INT ? node->scalar.magnitude : 0;
}

double node_real(const Node *node)
{
    double magnitude = (double)node->scalar.magnitude;

    if (node->kind == NODE_FLOAT) {
        return node->scalar.real;
    }
    return node->negative ? -magnitude : magnitude;
}

int node_compare(const Node *left, const Node *right)
{
    if (left->kind == NODE_INT && right->kind == NODE_INT && !left->negative && !right->negative) {
        return (left->scalar.magnitude > right->scalar.magnitude) -
            (left->scalar.magnitude < right->scalar.magnitude);
    }
    return (node_real(left) > node_real(right)) - (node_real(left) < node_real(right));
}

static bool maps_equal(const Node *left, const Node *right)
{
    for (unsigned i = 0; i < left->map.count; i++) {
        const Node *other = node_get(right, left->map.entries[i].key);

        if (!other || !node_equal(left->map.entries[i].value, other)) {
            return false;
        }
    }
    return left->map.count == right->map.count;
}

static bool lists_equal(const Node *left, const Node *right)
{
    bool equal = left->list.count == right->list.count;

    for (unsigned i = 0; equal && i < left->list.count; i++) {
        equal = node_equal(left->list.items[i], right->list.items[i]);
    }
    return equal;
}

static bool is_number(const Node *node)
{
    return node->kind == NODE_INT || node->kind == NODE_FLOAT;
}

bool node_equal(const Node *left, const Node *right)
{
    if (is_number(left) && is_number(right)) {
        return node_compare(left, right) == 0;
    }
    if (left->kind != right->kind) {
        return false;
    }
    switch ((NodeKind)left->kind) {
    case NODE_MAP: return maps_equal(left, right);
    case NODE_LIST: return lists_equal(left, right);
    case NODE_STRING: return strcmp(left->scalar.text, right->scalar.text) == 0;
    case NODE_BOOL: return left->scalar.magnitude == right->scalar.magnitude;
    default: return true;
    }
}

const char *node_kind_name(NodeKind kind)
{
    static const char *const names[] = {
        [NODE_NULL] = "nothing",
        [NODE_BOOL] = "true or false",
        [NODE_INT] = "a number",
        [NODE_FLOAT] = "a fraction",
        [NODE_STRING] = "a text",
        [NODE_LIST] = "a list",
        [NODE_MAP] = "a map",
    };

    return names[kind];
}

/* ---- printing ---- */

static void print_scalar(GString *out, const char *path, const Node *node)
{
    g_autofree char *escaped = node->kind == NODE_STRING ? g_strescape(node->scalar.text, NULL)
                                                         : NULL;

    if (escaped) {
        g_string_append_printf(out, "%s: \"%s\"", path, escaped);
    } else if (node->kind == NODE_MAP || node->kind == NODE_LIST) {
        g_string_append_printf(out, "%s: %s", path, node->kind == NODE_MAP ? "{}" : "[]");
    } else {
        g_string_append_printf(
            out, "%s: %s", path, node->kind == NODE_NULL ? "null" : node->scalar.text);
    }
    g_string_append_printf(out, "  %s:%u:%u", node->mark.file ? node->mark.file : "built-in",
        node->mark.line, node->mark.column);
    g_string_append_printf(out, node->layer ? "  %s\n" : "\n", node->layer);
}

static void print_node(GString *out, const char *path, const Node *node)
{
    const char *dot = *path ? "." : "";

    if (node->kind == NODE_MAP && node->map.count) {
        for (unsigned i = 0; i < node->map.count; i++) {
            const Entry *entry = &node->map.entries[i];
            g_autofree char *below = g_strdup_printf("%s%s%s", path, dot, entry->key);

            print_node(out, below, entry->value);
        }
    } else if (node->kind == NODE_LIST && node->list.count) {
        for (unsigned i = 0; i < node->list.count; i++) {
            g_autofree char *below = g_strdup_printf("%s[%u]", path, i);

            print_node(out, below, node->list.items[i]);
        }
    } else {
        print_scalar(out, path, node);
    }
}

char *node_to_string(const Node *node)
{
    GString *out = g_string_new(NULL);

    print_node(out, "", node);
    return g_string_free(out, false);
}

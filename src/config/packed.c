/*
 * A node is its kind, its place, and what it holds; a collection's nodes follow it. Numbers are LEB128
 * (seven bits a byte, the lowest first), texts end with a zero.
 */
#include "config/packed.h"

#include <string.h>

enum { KIND_MASK = 7, FLAG_NEGATIVE = 8, FLAG_QUOTED = 16 };

/* ---- writing ---- */

static void put_number(GByteArray *out, uint64_t number)
{
    uint8_t byte;

    do {
        byte = (number & 0x7f) | (number > 0x7f ? 0x80 : 0);
        g_byte_array_append(out, &byte, 1);
        number >>= 7;
    } while (number);
}

static void put_text(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const guint8 *)text, strlen(text) + 1);
}

static void put_place(GByteArray *out, Mark mark)
{
    put_number(out, mark.line);
    put_number(out, mark.column);
    put_number(out, mark.width);
}

static void put_node(GByteArray *out, const Node *node)
{
    uint8_t head = node->kind | (node->negative ? FLAG_NEGATIVE : 0) |
        (node->quoted ? FLAG_QUOTED : 0);

    g_byte_array_append(out, &head, 1);
    put_place(out, node->mark);
    put_number(out, node->end_line);
    put_number(out, node->end_column);
    if (node->kind == NODE_MAP) {
        put_number(out, node->map.count);
        for (unsigned i = 0; i < node->map.count; i++) {
            put_text(out, node->map.entries[i].key);
            put_place(out, node->map.entries[i].mark);
            put_node(out, node->map.entries[i].value);
        }
    } else if (node->kind == NODE_LIST) {
        put_number(out, node->list.count);
        for (unsigned i = 0; i < node->list.count; i++) {
            put_node(out, node->list.items[i]);
        }
    } else {
        put_text(out, node->scalar.text ? node->scalar.text : "");
        put_number(out, node->scalar.magnitude); /* of a fraction: its bits */
    }
}

GByteArray *packed_write(const Node *root)
{
    GByteArray *out = g_byte_array_new();

    put_node(out, root);
    return out;
}

/* ---- reading ---- */

typedef struct Unpacker {
    const uint8_t *at;
    const char *file;
    Arena *arena;
} Unpacker;

static uint64_t take_number(Unpacker *u)
{
    uint64_t number = 0;
    unsigned shift = 0;

    do {
        number |= (uint64_t)(*u->at & 0x7f) << shift;
        shift += 7;
    } while (*u->at++ & 0x80);
    return number;
}

static const char *take_text(Unpacker *u)
{
    const char *text = (const char *)u->at;

    u->at += strlen(text) + 1;
    return text;
}

static Mark take_place(Unpacker *u)
{
    Mark mark = { .file = u->file };

    mark.line = take_number(u);
    mark.column = take_number(u);
    mark.width = take_number(u);
    return mark;
}

static Node *take_node(Unpacker *u)
{
    Node *node = ARENA_NEW(u->arena, Node);
    uint8_t head = *u->at++;
    unsigned count;

    node->kind = head & KIND_MASK;
    node->negative = head & FLAG_NEGATIVE;
    node->quoted = head & FLAG_QUOTED;
    node->mark = take_place(u);
    node->end_line = take_number(u);
    node->end_column = take_number(u);
    if (node->kind != NODE_MAP && node->kind != NODE_LIST) {
        node->scalar.text = take_text(u);
        node->scalar.magnitude = take_number(u);
        return node;
    }
    count = take_number(u);
    node_reserve(u->arena, node, count);
    for (unsigned i = 0; i < count && node->kind == NODE_MAP; i++) {
        const char *key = take_text(u);
        Mark mark = take_place(u);

        node_map_add(u->arena, node, key, mark, take_node(u));
    }
    for (unsigned i = 0; i < count && node->kind == NODE_LIST; i++) {
        node_list_add(u->arena, node, take_node(u));
    }
    return node;
}

Node *packed_read(const uint8_t *bytes, const char *file, Arena *arena)
{
    Unpacker unpacker = { .at = bytes, .file = file, .arena = arena };

    return take_node(&unpacker);
}

/*
 * Doc: what a YAML file says, as a tree in which every node knows where it was written.
 *
 * A node belongs to one place of one tree; an alias is a copy. Nodes live in an Arena. When a
 * layer replaces a node, the new one remembers the old one, so that blame needs no second pass.
 */
#ifndef CONFIG_DOC_H
#define CONFIG_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "config/arena.h"
#include "core/mark.h"

typedef enum NodeKind {
    NODE_NULL,
    NODE_BOOL,
    NODE_INT,
    NODE_FLOAT,
    NODE_STRING,
    NODE_LIST,
    NODE_MAP
} NodeKind;

typedef struct Node Node;

typedef struct Entry {
    const char *key;
    Node *value;
    Mark mark; /* of the key */
} Entry;

typedef struct NodeMap {
    Entry *entries;  /* in the order of the file */
    uint32_t *index; /* hash table of entry numbers + 1; NULL while the map is small */
    unsigned count, room, index_size;
} NodeMap;

typedef struct NodeList {
    Node **items;
    unsigned count, room;
} NodeList;

typedef struct NodeScalar {
    const char *text; /* as written, escapes resolved */
    union {
        uint64_t magnitude; /* NODE_INT, and NODE_BOOL: 0 or 1 */
        double real;        /* NODE_FLOAT */
    };
} NodeScalar;

struct Node {
    uint8_t kind;                  /* NodeKind */
    bool negative;                 /* NODE_INT */
    bool quoted;                   /* a scalar between quotes, or a block scalar */
    bool bad;                      /* reported already: readers behave as if it were not there */
    unsigned end_line, end_column; /* behind the last character */
    Mark mark;
    const char *layer; /* "profile fast", "default" ...; NULL: the file itself */
    Node *under;       /* what it replaced in an earlier layer */
    union {
        NodeMap map;
        NodeList list;
        NodeScalar scalar;
    };
};

Node *node_new(Arena *arena, NodeKind kind, Mark mark);
Node *node_new_string(Arena *arena, const char *text, Mark mark);
Node *node_copy(Arena *arena, const Node *node);

/* Replaces the value of a key that is there already, in its place. */
void node_map_set(Arena *arena, Node *map, const char *key, Mark mark, Node *value);
void node_map_remove(Node *map, const char *key);
void node_list_add(Arena *arena, Node *list, Node *item);

/* Room for so many, in an empty map or list; and a key that is known not to be there yet. */
void node_reserve(Arena *arena, Node *node, unsigned count);
void node_map_add(Arena *arena, Node *map, const char *key, Mark mark, Node *value);

/* NULL when node is no map or has no such key. */
Entry *node_entry(const Node *node, const char *key);
Node *node_get(const Node *node, const char *key);

/* As node_get, but a node that was reported as bad is not there. */
Node *node_good(const Node *node, const char *key);

/* By a path such as "drives.root.cache". */
Node *node_at(const Node *node, const char *path);

const char *node_text(const Node *node);               /* of a string; NULL otherwise */
bool node_is_true(const Node *node);                   /* a bool that is true */
uint64_t node_uint(const Node *node);                  /* of an integer; 0 otherwise */
double node_real(const Node *node);                    /* of a number */
int node_compare(const Node *left, const Node *right); /* numbers: <0, 0, >0 */
bool node_equal(const Node *left, const Node *right);  /* as JSON Schema compares values */

/* "a map", "a text", as in messages. */
const char *node_kind_name(NodeKind kind);

/* One line for each scalar: `drives.root.cache: "none"  m.yaml:4:12`. */
char *node_to_string(const Node *node);

#endif

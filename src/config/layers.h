/*
 * Layers: one rule, RFC 7386, for extends, profiles, board options and --set. Maps merge, null
 * removes, anything else replaces. What is replaced stays reachable through Node.under.
 */
#ifndef CONFIG_LAYERS_H
#define CONFIG_LAYERS_H

#include "config/doc.h"
#include "config/source.h"

/* Merges patch into base and gives the result (base, when both are maps). Takes patch. */
Node *layers_merge(Arena *arena, Node *base, Node *patch);

/* Marks the tree as belonging to a layer: "profile fast". */
void layers_name(Node *node, const char *layer);

/* The file, on top of all that it extends. NULL when there is no tree to go on with. */
Node *layers_load_source(const Source *source, Arena *arena, Diag *diag);

/* `name` under profiles, or an error that is pointed at where it was asked for. */
bool layers_apply_profile(Node *root, const char *name, Arena *arena, Diag *diag);

/* "drives.root.cache=none"; the value is YAML. `number` tells several apart, from 1. */
bool layers_apply_set(
    Node *root, const char *assignment, unsigned number, Arena *arena, Diag *diag);

/* A board's `options`, with the choices of the machine (a map, or NULL). */
bool layers_apply_options(Node *board, const Node *choices, Arena *arena, Diag *diag);

/* The path, seen from the folder of the file in which the node was written. */
char *layers_path_beside(const Node *node, Arena *arena);

#endif

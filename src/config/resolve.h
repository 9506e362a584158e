/*
 * Resolve: validated trees → MachineSpec. Defaults are in the trees by then; here names become
 * references, quantities numbers, and `count` devices.
 */
#ifndef CONFIG_RESOLVE_H
#define CONFIG_RESOLVE_H

#include "config/library.h"
#include "config/schema.h"
#include "core/machine.h"

typedef struct ResolveInput {
    Node *machine; /* NULL: the board alone */
    Node *board;
    const Node *lock; /* of the machine; NULL: it has none */
    bool files_may_miss;
    bool bench; /* a device alone: its interrupts lead nowhere */
    Library *library;
    SchemaSet *schemas;
    Arena *arena; /* everything in the spec is in it */
    Diag *diag;
} ResolveInput;

/* Fills what is good, reports what is not. */
void resolve(const ResolveInput *input, MachineSpec *spec);

#endif

/*
 * One run of the loader, for the files that make up its entries (config.c, device-text.c,
 * inspect.c). Others include config/config.h.
 */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include "config/config.h"
#include "config/library.h"
#include "config/schema.h"
#include "config/source.h"

/* What one run holds. The arena outlives it, inside the spec. */
typedef struct Loader {
    const ConfigOptions *options;
    Diag *diag;
    Arena *arena;
    Library *library;
    SchemaSet *schemas;
    Node *machine, *board;
    const Node *lock;       /* NULL: the machine has none */
    unsigned errors_before; /* of others, in the same Diag */
    bool bench;             /* a device alone: see resolve.h */
} Loader;

void loader_init(Loader *loader, const ConfigOptions *options, Diag *diag);
void loader_clear(Loader *loader);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Loader, loader_clear)

/* The machine's tree after extends, profiles, --set and parameters; false when there is none. */
bool loader_read_machine(Loader *loader, const Source *source);

/* Reads the lock that belongs to the machine's file, if there is one. */
void loader_read_lock(Loader *loader, const char *machine);

/* Against its schema, then defaults are filled in. False: the schema itself is wrong. */
bool loader_validate(Loader *loader, Node *root, const char *schema_name);

/* The board that the machine names, with its choices of options; validated. */
bool loader_read_machine_board(Loader *loader);

/* "riscv-virt@1", or a path when there is a slash in it; validated, with the default options. */
bool loader_read_board(Loader *loader, const char *text);

/* Resolve and checks. NULL when anything was reported since loader_init. */
MachineSpec *loader_finish(Loader *loader, const char *file);

#endif

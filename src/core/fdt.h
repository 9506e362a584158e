/*
 * The device tree that a guest will see, made from the devices that exist.
 *
 * A tree of nodes is built in any order and encoded at the end, with libfdt. Names differ from
 * libfdt's so that both can be used in one file.
 */
#ifndef CORE_FDT_H
#define CORE_FDT_H

#include <stdio.h>

#include "core/device.h"

typedef struct Fdt Fdt;
/* FdtNode belongs to its tree. */

Fdt *fdt_new(void);
void fdt_free(Fdt *fdt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fdt, fdt_free)

FdtNode *fdt_root(Fdt *fdt);
Fdt *fdt_tree(FdtNode *node);
/* The child of that name; made when it is not there. */
FdtNode *fdt_child(FdtNode *parent, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
FdtNode *fdt_find(Fdt *fdt, const char *path); /* NULL when there is none */
char *fdt_path(const FdtNode *node);           /* caller frees */
uint32_t fdt_handle(FdtNode *node);            /* its phandle, given on first use */

/* Properties; one that is there already is replaced. */
void fdt_put_flag(FdtNode *node, const char *name);
void fdt_put_u32(FdtNode *node, const char *name, uint32_t value);
void fdt_put_u64(FdtNode *node, const char *name, uint64_t value);
void fdt_put_string(FdtNode *node, const char *name, const char *value);
void fdt_put_strings(FdtNode *node, const char *name, const char *const *values); /* NULL ends */
void fdt_put_cells(FdtNode *node, const char *name, const uint32_t *cells, unsigned count);
void fdt_put_bytes(FdtNode *node, const char *name, const void *data, size_t length);
void fdt_add_string(FdtNode *node, const char *name, const char *value); /* appends */
void fdt_add_cell(FdtNode *node, const char *name, uint32_t cell);       /* appends */
void fdt_add_cell64(FdtNode *node, const char *name, uint64_t value);    /* appends two */

/* Remembers a node by what it describes (a Device, a ClockSpec); NULL when that has none. */
void fdt_bind(FdtNode *node, const void *what);
FdtNode *fdt_node_for(Fdt *fdt, const void *what);

/* The blob. Its boot CPU is 0. */
GBytes *fdt_encode(Fdt *fdt);

/* As source text, for people and for tests. */
void fdt_print(Fdt *fdt, FILE *out);

/* Everything a machine has: /cpus, /memory, /chosen, devices, aliases, the board's own nodes. */
Fdt *fdt_of_machine(Machine *machine);

#endif

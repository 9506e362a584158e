/*
 * Facts: all that a guest can tell about its machine, a line each: a path and a value. Two machines
 * with the same facts are the same hardware; what differs is what `lathe plan` shows.
 */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include "cli/loading.h"
#include "core/build.h"

typedef struct Fact {
    char *path;  /* "devices.uart0.irq.intr", "fdt /cpus/cpu@0 reg" */
    char *value; /* "plic line.10 level-high" */
} Fact;

/* Of Fact, sorted by path. Without what only says how the guest starts: kernel, command line. */
typedef struct Facts Facts;

Facts *facts_of(Machine *machine);
void facts_free(Facts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Facts, facts_free)

unsigned facts_count(const Facts *facts);
const Fact *facts_get(const Facts *facts, unsigned index);
const char *facts_value(const Facts *facts, const char *path); /* NULL: no such fact */

/* "sha256:...". Free them. */
char *facts_digest(const Facts *facts);
char *facts_fdt_digest(Machine *machine);

/*
 * Name ("cpus.count=2,memory=1GiB") and digest of each combination of a file's matrix, in turn; ends
 * with NULL. Free with g_ptr_array_unref.
 */
GPtrArray *facts_of_matrix(const char *file, const MachineOptions *options, Diag *diag);

#endif

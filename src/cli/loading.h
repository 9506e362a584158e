/*
 * Verbs that look at a machine without running it: loading what was named, and building it bare.
 */
#ifndef CLI_LOADING_H
#define CLI_LOADING_H

#include "cli/options.h"
#include "config/config.h"
#include "core/build.h"

/* As the loader wants them; borrowed. */
ConfigOptions config_options(const MachineOptions *options);

/* A machine that is there to be looked at. */
typedef struct Bare {
    MachineSpec *spec;
    Machine *machine;
} Bare;

void bare_clear(Bare *bare);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bare, bare_clear)

/* A file, of a machine or a board, or the name of a board. NULL: said to diag. */
MachineSpec *load_named(const char *name, const MachineOptions *options, Diag *diag);

/*
 * The same, built: with its CPUs, but without what is plugged into slots and without host ends.
 * Kernels and the like need not be there.
 */
bool bare_build(Bare *bare, const char *name, const MachineOptions *options, Diag *diag);

/* Whether all images that come from elsewhere are pinned and in the cache. False: said to diag. */
bool images_are_there(const MachineSpec *spec, Diag *diag);

/* Opens the files to boot and each drive as a run would; what cannot be kept is said to diag. */
void try_files(const MachineSpec *spec, Diag *diag);

/* What a verb ends with: prints what diag has; its exit code. */
int finish_with(const Diag *diag);

/* The one operand of a verb, or NULL after saying so. */
const char *only_operand(int argc, char **argv);

#endif

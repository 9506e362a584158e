/*
 * The loader: a machine file and its board → MachineSpec.
 *
 * The stages are files of their own: source, events, layers, params, schema, validate, resolve,
 * checks. All errors of a run go to Diag; a spec comes back only when there are none.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "core/diag.h"
#include "core/machine.h"

/* Each an array that ends with NULL, or NULL. */
typedef struct ConfigOptions {
    char **sets; /* "drives.root.cache=none", applied last, in this order */
    char **profiles;
    char **paths;        /* folders with machines/ and schemas/, before the embedded ones */
    bool files_may_miss; /* kernels and the like; for who only looks */
} ConfigOptions;

/* NULL after reporting. `options` may be NULL. */
MachineSpec *config_load(const char *file, const ConfigOptions *options, Diag *diag);
MachineSpec *config_load_text(
    const char *name, const char *text, gssize length, const ConfigOptions *options, Diag *diag);

/*
 * For tests: a machine of nothing but one device, "{type: ns16550a}". It has 64MiB of RAM at
 * 0x80000000, two CPUs of the isa "bench", and the clocks "slow" (1MHz) and "fast" (10MHz). The
 * device's id is "device"; one that plugs in has "bus" in front of it. `at` and `irq` may be left
 * out; interrupts lead nowhere.
 */
MachineSpec *config_load_device_text(const char *text, Diag *diag);

/* A board alone, with the CPUs and memory that a machine would have to choose; for `map` and
 * checks. */
MachineSpec *config_load_board(const char *name, const ConfigOptions *options, Diag *diag);

/* The machine's (or board's) tree after the layers, as text; for `dump --stage=doc`. Free it. */
char *config_dump_doc(const char *file, const ConfigOptions *options, Diag *diag);

/* What is in force: the machine (or board) with all layers, parameters and defaults. Free it. */
typedef enum ConfigForm {
    CONFIG_YAML,
    CONFIG_JSON,
    CONFIG_ORIGINS,
    CONFIG_VALUES /* a line for each: path, tab, value */
} ConfigForm;
char *config_print(const char *file, const ConfigOptions *options, ConfigForm form, Diag *diag);

/* The names of what there is: "boards", "devices", "cpus" or "formats". Free with g_ptr_array_unref. */
GPtrArray *config_list(const char *what, const ConfigOptions *options, Diag *diag);

/* A board's file as it is, and how many CPUs it has room for. NULL and 0 after reporting. */
GBytes *config_board_text(const char *name, const ConfigOptions *options, Diag *diag);
uint64_t config_board_cpus(const char *name, const ConfigOptions *options, Diag *diag);

/* What its file says about itself in a line: title of a schema, first sentence of a board. Free it.
 */
char *config_summary(const char *what, const char *name, const ConfigOptions *options, Diag *diag);

#endif

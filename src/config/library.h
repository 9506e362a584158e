/*
 * The library: boards, schemas and CPU models by name.
 *
 * They are looked for in the folders of --path and LATHE_PATH, first to last, and then among those
 * embedded in the program. A name is a path below such a folder: "machines/riscv-virt.yaml".
 */
#ifndef CONFIG_LIBRARY_H
#define CONFIG_LIBRARY_H

#include "config/doc.h"
#include "config/source.h"

typedef struct Library Library;

/* `path`: folders, ends with NULL; NULL for none. LATHE_PATH comes behind them. */
Library *library_create(const char *const *path, Arena *arena, Diag *diag);
void library_free(Library *library);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Library, library_free)

/* Parsed once. NULL when there is none (reports nothing), or when it is no YAML (reported). */
Node *library_load(Library *library, const char *name);
bool library_has(const Library *library, const char *name);

/*
 * What there is in a folder: "machines" gives "riscv-virt", ".yaml" taken away. Sorted, each name
 * once; the strings belong to the array.
 */
GPtrArray *library_list(const Library *library, const char *folder, const char *suffix);

#endif

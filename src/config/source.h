/*
 * Source: the text of one file, kept for carets and for edits by span.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <glib.h>

#include "core/diag.h"

typedef struct Source {
    const char *name; /* as in messages: a path, or machines/riscv-virt.yaml; interned */
    GBytes *text;
} Source;

/* NULL after reporting at `wanted_by` (the line that names the file, or NO_MARK). */
Source *source_read(const char *path, Diag *diag, Mark wanted_by);
Source *source_from_text(const char *name, const char *text, gssize length, Diag *diag);
Source *source_from_bytes(const char *name, GBytes *text, Diag *diag);
void source_free(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

/* A place in the file as a whole. */
Mark source_mark(const Source *source);

#endif

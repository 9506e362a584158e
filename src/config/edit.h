/*
 * Edits: patches of the source text by span. Everything else keeps every byte: comments, order,
 * blank lines, line ends.
 */
#ifndef CONFIG_EDIT_H
#define CONFIG_EDIT_H

#include <glib.h>
#include <stdbool.h>

#include "core/diag.h"

typedef struct Edits Edits;

Edits *edits_new(void);
void edits_free(Edits *edits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edits, edits_free)

/* Puts text in the place of the mark's span. Of two that overlap, the first one counts. */
void edits_add(Edits *edits, Mark at, const char *text);

/* All that the reports offer; and what those of one kind offer. */
void edits_add_fixes(Edits *edits, const Diag *diag);
void edits_add_fixes_of(Edits *edits, const Diag *diag, DiagCode code);

/*
 * Writes the files on disk; what is not one of them is passed over. Gives the number of edits
 * made, and -1 when a file could not be written.
 */
int edits_write(const Edits *edits, GError **error);

/* The text of one file with its edits. Free it. */
char *edits_apply(
    const Edits *edits, const char *file, const char *text, size_t size, unsigned *made);

/* A new file in the place of the old one, with its permissions; never half written. */
bool edit_write_file(const char *file, const char *text, GError **error);

#endif

/*
 * Translations for other verbs.
 */
#ifndef CLI_TRANSLATE_H
#define CLI_TRANSLATE_H

#include "core/diag.h"

#define TRANSLATION_FILE "the translation" /* what its text is called in marks */

typedef struct Translation Translation;

/*
 * The machine file of a command line of QEMU: the arguments begin with the program. What is not
 * exact is said on stderr. NULL after reporting why QEMU would refuse it.
 */
Translation *translation_new(char *const *arguments, unsigned count, Diag *diag);
void translation_free(Translation *translation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Translation, translation_free)

const char *translation_text(const Translation *translation);

/* Prints what was found wrong with the text, each with the option that is to blame underlined. */
void translation_print(const Translation *translation, const Diag *found, FILE *out);

#endif

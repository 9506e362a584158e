/*
 * Words of a command line, as a POSIX shell or make cuts them: quotes, backslashes, variables.
 *
 * Each byte of a word knows the byte of the source that it came from, so that a caret can stand
 * under one key of one option, whatever quotes and variables were around it.
 */
#ifndef CONFIG_LEGACY_WORDS_H
#define CONFIG_LEGACY_WORDS_H

#include "config/arena.h"
#include "config/source.h"
#include "core/diag.h"

/* Bytes of the source. */
typedef struct Span {
    unsigned from, to;
} Span;

typedef struct Word {
    const char *text;
    unsigned length;
    const unsigned *at; /* length + 1 places in the source */
} Word;

/* `count` bytes of the word, from byte `first` on. */
Span word_span(const Word *word, unsigned first, unsigned count);

/* The place of a span, for reports. Only its first line is underlined. */
Mark span_mark(const Source *source, Span span);

/* What the text is taken for. */
typedef enum ScriptKind {
    SCRIPT_SHELL,
    SCRIPT_MAKE, /* $(X) and $$, recipes behind tabs, X := ... */
} ScriptKind;

/* Variables by name: char * -> char *. What stands in it when the reading starts wins. */
typedef GHashTable Variables;

/*
 * All commands of a text whose first word names a QEMU program: a GPtrArray of GArray of Word.
 * A variable that is not known is reported where it stands. Words belong to the arena.
 */
GPtrArray *words_commands(
    const Source *source, ScriptKind kind, Variables *variables, Arena *arena, Diag *diag);

/* Whether it is UTF-8 without characters that YAML cannot have. */
bool words_are_text(const char *text, size_t size);
bool words_is_character(gunichar c);

/* Whether a word calls QEMU: `qemu-system-x86_64`, `/usr/bin/kvm`, `qemu`. */
bool words_is_program(const char *text);

/* What make reads, by its look. */
ScriptKind words_guess_kind(const char *text);

/* The arguments as one text that a shell would cut into them again. Free it. */
char *words_quote(char *const *arguments, unsigned count);

#endif

/*
 * Option strings: `key=value,flag,nothing`, as -drive, -device and -netdev take them.
 *
 * A doubled comma is one comma of a value, and there is no other escape. An element without `=` is
 * a flag: `on`, or, if it begins with the letters "no", the rest is `off`. (QEMU 7.2,
 * util/qemu-option.c and its manual; DRIVE.md, section 1.)
 */
#ifndef CONFIG_LEGACY_OPTSTR_H
#define CONFIG_LEGACY_OPTSTR_H

#include <stdint.h>

#include "config/legacy/words.h"

typedef enum OptType { OPT_TEXT, OPT_NUMBER, OPT_BOOL, OPT_NULL } OptType;

typedef struct Opt {
    const char *key, *value;
    Span key_at, value_at;
    OptType type; /* of a value from JSON; OPT_TEXT from an option string */
    bool flag;    /* written without `=` */
    bool used;    /* somebody has looked at it */
} Opt;

/* Ordered, as written. */
typedef struct Opts {
    const char *option; /* "-drive" */
    Span at;            /* of all of it */
    Opt *items;
    unsigned count, room;
    bool json; /* typed by its writer */
    Arena *arena;
} Opts;

/* `implied`: the key that a first element without `=` is the value of, or NULL. */
Opts *opts_parse(const char *option, const Word *word, const char *implied, Arena *arena);
Opts *opts_new(const char *option, Span at, Arena *arena);

/* Adds `key`=`value` behind all others; the strings are borrowed and must stay. */
Opt *opts_add(Opts *opts, const char *key, const char *value, Span at);

/* The last one of that key; NULL when there is none. opts_get() marks all of that key as used. */
Opt *opts_find(const Opts *opts, const char *key);
Opt *opts_get(Opts *opts, const char *key);
const char *opts_text(Opts *opts, const char *key);

unsigned opts_times(const Opts *opts, const char *key); /* how often it was given */

/* Takes all of that key away. */
void opts_drop(Opts *opts, const char *key);

/* The first one that nobody has used, from item `from` on; NULL when there is none. */
Opt *opts_unused(const Opts *opts, unsigned from);

/* ---- values ---- */

bool opt_bool(const char *text, bool *value);       /* on yes true y, off no false n */
bool opt_number(const char *text, uint64_t *value); /* C notation; false: no number or too big */
bool opt_size(const char *text, uint64_t *value);   /* "1.5G", "0x100" */
bool opt_is_id(const char *text); /* a letter, then letters, digits, `-`, `.`, `_` */

/* Whether one of the words of `list` ("on off auto") is `word`. */
bool opt_is_among(const char *list, const char *word);

#endif

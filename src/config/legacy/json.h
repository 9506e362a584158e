/*
 * JSON as QEMU's options take it: `-blockdev {...}`, `-device {...}`, `file=json:{...}`.
 *
 * Nested objects become dotted keys, lists numbered ones: {"file": {"driver": "nbd"}} is
 * file.driver=nbd.
 */
#ifndef CONFIG_LEGACY_JSON_H
#define CONFIG_LEGACY_JSON_H

#include "config/legacy/optstr.h"

/*
 * Adds what the object in the word's bytes from `first` on has. NULL when all is well, else what
 * is wrong, and `at` is where.
 */
const char *json_flatten(Opts *opts, const Word *word, unsigned first, Span *at);

#endif

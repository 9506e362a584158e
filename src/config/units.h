/*
 * Quantities: "64KiB", "30s", "24MHz" → bytes, nanoseconds, hertz.
 */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum UnitKind { UNIT_NONE, UNIT_BYTES, UNIT_TIME, UNIT_RATE } UnitKind;

/* By the word after x-unit; UNIT_NONE if there is no such kind. */
UnitKind unit_kind_find(const char *name);
const char *unit_kind_name(UnitKind kind); /* "a size" */

/* False if it is not a number with a unit of this kind, or more than 64 bits hold. */
bool units_parse(UnitKind kind, const char *text, uint64_t *value);

/* What was probably meant by "1G", "1 GB", "512": the text to write, or NULL. Free it. */
char *units_suggest(UnitKind kind, const char *text);

const char *units_list(UnitKind kind); /* "B KiB MiB GiB TiB" */

#endif

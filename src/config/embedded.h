/*
 * Schemas and boards, which are part of the program: as texts, and packed as the trees that they are
 * (config/packed.h). The build writes the table.
 */
#ifndef CONFIG_EMBEDDED_H
#define CONFIG_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>

typedef struct Embedded {
    const char *name; /* "machines/arm-virt.yaml" */
    const char *text; /* ends with a zero byte, which `size` does not count */
    size_t size;
    const uint8_t *packed;
} Embedded;

extern const Embedded embedded[]; /* by name; ends with a NULL name */

/* NULL: there is none. */
const Embedded *embedded_find(const char *name);

#endif

/*
 * Packed trees: what a YAML file says, in a form that is read as fast as it is copied.
 *
 * The build packs the schemas and boards that are part of the program (mkpacked.c), so that no start
 * has to parse them. A packed tree is our own: it is trusted, and only read by the program that it
 * was built into.
 */
#ifndef CONFIG_PACKED_H
#define CONFIG_PACKED_H

#include "config/doc.h"

/* Free it. */
GByteArray *packed_write(const Node *root);

/* Texts of the tree stay in the bytes, which have to live as long; `file` is that of its marks. */
Node *packed_read(const uint8_t *bytes, const char *file, Arena *arena);

#endif

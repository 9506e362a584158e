/* The header of a qcow2 image and its extensions: reading, checking, writing. */
#ifndef BLOCK_QCOW2_HEADER_H
#define BLOCK_QCOW2_HEADER_H

#include "block/qcow2/qcow2.h"

/* Between the two byte orders, either way. */
void qcow2_header_swap(Qcow2Header *header);

/* [co] Reads and checks all that needs no table; fills q->header and what follows from it. */
bool qcow2_read_header(Qcow2 *q, bool accept_corrupt, GError **error);

/*
 * [co] Writes another header with what is based on, keeping all extensions that other programs have
 * written. On stable storage when it ends, and as it was before or new whenever the power fails.
 */
int qcow2_rewrite_header(
    Qcow2 *q, const Qcow2Header *wanted, const char *backing, const char *backing_format);

/* [co] Writes the fixed part; what it refers to must be on stable storage. */
int qcow2_write_header(Qcow2 *q);

#endif

/*
 * Plain scalars: what `1`, `yes` and `0x10` are.
 *
 * YAML 1.1 and the core schema of 1.2 disagree about some. Those are errors, so that every editor
 * and script reads a file as lathe does.
 */
#ifndef CONFIG_SCALAR_H
#define CONFIG_SCALAR_H

#include "config/doc.h"

typedef enum ScalarVerdict { SCALAR_CLEAR, SCALAR_AMBIGUOUS, SCALAR_TOO_LARGE } ScalarVerdict;

typedef struct ScalarReading {
    ScalarVerdict verdict;
    NodeKind kind;         /* by YAML 1.2 */
    const char *old, *now; /* ambiguous: what 1.1 and 1.2 make of it */
} ScalarReading;

/* Fills the node's kind and value from node->scalar.text. */
ScalarReading scalar_read(Node *node);

#endif

/*
 * Which rows of the translator's tables tests reach: decode tables, the interpreter's operations, those of hosts.
 * Debug builds only. With LATHE_COVERAGE=FILE every process adds to the file, when it ends, a line for each row of
 * each table that it came to: TABLE NUMBER NAME 0|1. tests/coverage.sh sums up.
 */
#ifndef TCG_COVERAGE_H
#define TCG_COVERAGE_H

#include <stddef.h>

#ifdef LATHE_DEBUG
#define COVERAGE_REACH(table, row, count, names, stride)                                           \
    coverage_reach(table, row, count, names, stride)
#else
#define COVERAGE_REACH(table, row, count, names, stride) ((void)0)
#endif

/* The row is one of count; names: the name of the first, each `stride` bytes behind the one before. Any thread. */
void coverage_reach(
    const char *table, unsigned row, unsigned count, const void *names, size_t stride);

#endif

/*
 * Named trace points, off unless asked for: one load and one branch each.
 *
 *     TRACE(irq, "%s: line %u is %s", dev->id, index, level ? "high" : "low");
 *
 * Any thread; lines come out whole.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum TracePoint {
#define T(id, help) TRACE_##id,
#include "core/trace-points.h"
#undef T
    TRACE_COUNT
} TracePoint;

extern bool trace_on[TRACE_COUNT];

#define TRACE(point, ...)                                                                          \
    do {                                                                                           \
        if (G_UNLIKELY(trace_on[TRACE_##point])) {                                                 \
            trace_write(TRACE_##point, __VA_ARGS__);                                               \
        }                                                                                          \
    } while (0)
#define TRACE_IS_ON(point) G_UNLIKELY(trace_on[TRACE_##point])

/* "irq,mmio"; on a name that there is none of, GError lists those there are. */
bool trace_enable(const char *names, GError **error);
void trace_set_output(FILE *out); /* stderr when never called; borrowed */
void trace_list(FILE *out);       /* each point and its help */

void trace_write(TracePoint point, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

#endif

/*
 * Interrupt lines: a wire with two ends, driven by one, seen by the other.
 *
 * A line belongs to its receiving end. It has one driver; two drivers of one input are joined by
 * a LineOr, never by accident. Lines carry levels: an edge is a line set and cleared. Only with
 * the machine lock.
 */
#ifndef CORE_LINE_H
#define CORE_LINE_H

#include <glib.h>
#include <stdbool.h>

typedef struct Line Line;

/* The receiving end; called when the level has changed, never when it is set to what it was. */
typedef void (*LineSink)(void *owner, unsigned index, bool level);

Line *line_new(LineSink sink, void *owner, unsigned index);
void line_free(Line *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Line, line_free)

void line_set(Line *line, bool level); /* a NULL line is one that is not connected */
bool line_level(const Line *line);
/* Loading a snapshot: the receiver knows already, from its own saved state. */
void line_restore(Line *line, bool level);

/* A gate whose output is high while any input is. */
typedef struct LineOr LineOr;

LineOr *line_or_new(Line *output); /* output is borrowed */
Line *line_or_input(LineOr *gate); /* another input, owned by the gate */
void line_or_free(LineOr *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LineOr, line_or_free)

#endif

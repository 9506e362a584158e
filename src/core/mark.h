/*
 * A span of source text: where something a person wrote stands.
 */
#ifndef CORE_MARK_H
#define CORE_MARK_H

#include <stddef.h>

/* Lines and columns start at 1 and count characters. No file: a built-in default. */
typedef struct Mark {
    const char *file;      /* interned: never freed, compare by pointer */
    unsigned line, column; /* line 0: the file as a whole */
    unsigned width;        /* characters to underline, on the first line */
} Mark;

#define NO_MARK ((Mark){ 0 })

/*
 * A line of UTF-8 text, counted as YAML counts: breaks are LF, CRLF, CR, NEL, LS and PS, and a
 * byte order mark is not there. NULL when the text has fewer lines; length is without the break.
 */
const char *mark_line(const char *text, size_t size, unsigned line, size_t *length);

/* How many bytes the line break at the text's start has; 0: there is none. */
size_t mark_break(const char *text, size_t size);

/* Bytes before the first character: those of a byte order mark. */
size_t mark_text_start(const char *text, size_t size);

/* Where the mark begins, as bytes from the start of the text; behind the line's end at most. */
size_t mark_offset(const char *text, size_t size, unsigned line, unsigned column);

/* Line and column of what would stand behind the text. */
void mark_place(const char *text, size_t size, unsigned *line, unsigned *column);

#endif

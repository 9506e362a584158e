/*
 * A span of source text: where something a person wrote stands.
 */
#ifndef CORE_MARK_H
#define CORE_MARK_H

/* Lines and columns start at 1 and count characters. No file: a built-in default. */
typedef struct Mark {
    const char *file;           /* interned: never freed, compare by pointer */
    unsigned line, column;      /* line 0: the file as a whole */
    unsigned width;             /* characters to underline, on the first line */
} Mark;

#define NO_MARK ((Mark){ 0 })

#endif

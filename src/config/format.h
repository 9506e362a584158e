/*
 * Format: the one layout of a YAML file. Only blanks and empty lines change: two blanks a level,
 * lists indented below their key, `{ a: 1, b: [2, 3] }`, one blank behind a colon unless the values
 * of neighbouring lines stand in a column, no trailing blanks, at most one empty line in a row.
 *
 * Words, quotes, comments, order and line ends stay; so does what a multi-line text says.
 */
#ifndef CONFIG_FORMAT_H
#define CONFIG_FORMAT_H

#include "config/source.h"

/* The text in its layout; NULL after reporting that it is not YAML that lathe reads. Free it. */
char *format_yaml(const Source *source, Diag *diag);

/* The same for a text of our own making, which must be right. Free it. */
char *format_text(const char *text);

#endif

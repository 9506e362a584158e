/*
 * The halves of mkdecode: a text becomes a Decoder (mkdecode-read.c), whose rows are compared with one another
 * (mkdecode-check.c), and which becomes C (mkdecode-write.c). Nothing is freed: the program ends soon.
 */
#ifndef TCG_MKDECODE_H
#define TCG_MKDECODE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tcg/decode.h"

enum { MAX_OPERANDS = 8 };

typedef struct Place {
    const char *file;
    unsigned line;
} Place;

typedef struct Field {
    DecodeField decode; /* decode.name is the field's own name */
    unsigned bits;
    Place at;
    bool used;
} Field;

typedef struct Format {
    const char *name, *print;
    const struct Format *shape; /* itself, or whose struct it fills */
    DecodeField operands[MAX_OPERANDS];
    unsigned count;
    Place at;
    bool used;
} Format;

typedef struct Row {
    DecodeRow decode;
    char *function;
    const Format *format;
    DecodeField operands[MAX_OPERANDS];
    unsigned count;
    Place at;
    unsigned index;
} Row;

typedef struct Decoder {
    Place at;              /* what is being read */
    const char *condition; /* "if=..." of every row of this file; NULL: none */
    unsigned errors;
    char *prefix, *camel;
    GPtrArray *features; /* of char * */
    GPtrArray *fields, *formats, *rows;
} Decoder;

/* Says so, and counts it. */
void error_at(Decoder *d, Place at, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* Adds what a file says. False: it cannot be read; what is wrong in it is counted in errors. */
bool decoder_read(Decoder *d, const char *file);

/* Errors of the whole: rows that overlap or are never reached, what is not used. */
void decoder_check(Decoder *d);

void decoder_write_header(FILE *out, const Decoder *d);
void decoder_write_code(FILE *out, const Decoder *d, const char *header);

#endif

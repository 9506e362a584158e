/*
 * The parts of mkdecode: a text becomes a Decoder (mkdecode-read.c), whose rows are compared with one another
 * (mkdecode-check.c) and told apart by a tree (mkdecode-tree.c), and which becomes C (mkdecode-write.c). Nothing is
 * freed: the program ends soon.
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

/*
 * The bits that choose the first step, of words that have the bits of `when`; of the others, when its mask is 0. If
 * there are two roots, their first piece is the same, and `when` and the other pieces are among the lowest bits.
 */
typedef struct Root {
    DecodeMatch when;
    Field index;
} Root;

enum { MAX_ROOTS = 2, MAX_ROOT_BITS = 12, MAX_LOW_BITS = 8 };

typedef struct Decoder {
    Place at;              /* what is being read */
    const char *condition; /* "if=..." of every row of this file; NULL: none */
    unsigned errors;
    char *prefix, *camel;
    GPtrArray *features; /* of char * */
    GPtrArray *fields, *formats, *rows;
    Root roots[MAX_ROOTS];
    unsigned root_count;
} Decoder;

/* In Tree.entries: below is a row's number, behind are numbers of steps, and places in lists; the first is empty. */
enum { TREE_STEP = 1 << 16, TREE_LIST = 1 << 17 };

/*
 * DecodeTree, to be written. The first step is first[begins[LOW] + TOP]: LOW are the lowest bits of the instruction,
 * behind those of the features that are split by; TOP is the first piece of the index, or all of an only root's.
 */
typedef struct Tree {
    uint64_t split;    /* features; each set of them has first steps of its own */
    unsigned low_bits; /* of the instruction */
    DecodeField top;
    GArray *begins;  /* of unsigned */
    GArray *first;   /* of DecodeStep */
    GArray *entries; /* of unsigned */
    unsigned alone;  /* so many at the beginning are what a first step without bits leads to */
    GArray *steps;   /* of DecodeStep */
    GArray *lists;   /* of unsigned */
} Tree;

/* Says so, and counts it. */
void error_at(Decoder *d, Place at, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* Adds what a file says. False: it cannot be read; what is wrong in it is counted in errors. */
bool decoder_read(Decoder *d, const char *file);

/* Errors of the whole: rows that overlap or are never reached, what is not used. */
void decoder_check(Decoder *d);

/* The bits of an instruction in which a field has this value (before shift and add). */
DecodeMatch field_match(const DecodeField *field, int64_t value);

/* Is everything that has these bits excluded from the row? */
bool row_excludes_all(const Row *row, DecodeMatch match);

Tree *tree_new(const Decoder *d);

/* The tables of the tree, into the code; X_find(), into the header. */
void write_tree(FILE *out, const Decoder *d, const Tree *tree);
void write_find(FILE *out, const Decoder *d, const Tree *tree);

/* Adds the pieces of insn, joined, as C: "(insn >> 12 & 0x7) << 5 | (insn >> 2 & 0x1f)". */
void add_pieces(GString *out, const DecodeField *f);

void decoder_write_header(FILE *out, const Decoder *d, const Tree *tree);
void decoder_write_code(FILE *out, const Decoder *d, const Tree *tree, const char *header);

#endif

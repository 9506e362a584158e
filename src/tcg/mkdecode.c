/*
 * mkdecode: makes a decoder from insn.decode.
 *
 *   mkdecode src/targets/riscv/insn.decode build/gen/targets/riscv/insn.gen
 *
 * writes insn.gen.h (a struct for each shape of operands, the features, the prototypes of the translate
 * functions) and insn.gen.c (the decision tree as tables, the call of each row, the tables of tcg/decode.h).
 *
 * The text, a line each; `#` starts a comment:
 *
 *   isa PREFIX Prefix                     of the names made: rv Rv -> rv_find, RvR, RvTranslator
 *   features NAME...                      in the order of their bits
 *   index [BITS] PIECE...                 the bits that the search for a row begins with, best those that tell most
 *                                         rows apart; with BITS, of words that end in these, and another line is for
 *                                         those that do not: both begin with the same piece, the others are among
 *                                         the lowest 8 bits
 *   include FILE [if=FEATURE]             rows and more of a file beside this one; all its rows have the condition
 *   %name  PIECE... [<<N] [+N]            a field; pieces LSB:LENGTH, topmost first, the first :sLENGTH if signed
 *   @name[:SHAPE] name=%field name=N... "print"      a format; SHAPE: it fills the struct of that format
 *   NAME[=FUNCTION] BITS @format [name=... ] [name!=N[,N]] [if=[!]feature[+...]]
 *
 * "print" is DecodeRow.print of tcg/decode.h: what the disassembler writes behind the mnemonic.
 *
 * BITS are 16 or 32 of `0`, `1`, `.` in as many groups as one likes. FUNCTION is NAME when left out. Two rows
 * may not take the same instruction: an overlap, and a row that nothing can reach, are errors.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "tcg/mkdecode.h"

void error_at(Decoder *d, Place at, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s:%u: error: ", at.file, at.line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    d->errors++;
}

static FILE *create(const char *base, const char *suffix)
{
    g_autofree char *name = g_strconcat(base, suffix, NULL);
    FILE *out = fopen(name, "w");

    if (!out) {
        perror(name);
        exit(1);
    }
    return out;
}

static bool finish(FILE *out)
{
    bool bad = ferror(out);

    return !fclose(out) && !bad;
}

int main(int argc, char **argv)
{
    Decoder d = {
        .features = g_ptr_array_new(),
        .fields = g_ptr_array_new(),
        .formats = g_ptr_array_new(),
        .rows = g_ptr_array_new(),
    };

    if (argc != 3) {
        fprintf(stderr, "usage: mkdecode INSN.DECODE OUTPUT\n");
        return 2;
    }
    if (!decoder_read(&d, argv[1])) {
        return 1;
    }
    if (!d.errors) {
        decoder_check(&d);
    }
    if (d.errors) {
        return 1;
    }
    d.root_count = MAX(d.root_count, 1); /* no index: one of no bits */

    g_autofree char *base = g_path_get_basename(argv[2]);
    g_autofree char *header = g_strconcat(base, ".h", NULL);
    Tree *tree = tree_new(&d);
    FILE *h = create(argv[2], ".h"), *c = create(argv[2], ".c");

    decoder_write_header(h, &d, tree);
    decoder_write_code(c, &d, tree, header);
    return finish(h) && finish(c) ? 0 : 1;
}

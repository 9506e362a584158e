/*
 * What mkdecode makes of an insn.decode: the tree that finds an instruction's row, and the rows as data. The
 * disassembler, the random instructions of the fuzzers and the coverage counter read the rows; translation only
 * those that the tree leaves in doubt.
 */
#ifndef TCG_DECODE_H
#define TCG_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DECODE_MAX_PIECES = 8, DECODE_MAX_EXCLUDES = 4 };

/* In DecodeRow.print: parts two operands and prints nothing; at its start, no tab follows the mnemonic. */
#define DECODE_JOIN '~'

typedef struct DecodePiece {
    uint8_t lsb, length;
} DecodePiece;

/* A field: pieces joined, the first one topmost, then shifted left and added to. No pieces: the constant add. */
typedef struct DecodeField {
    const char *name;
    DecodePiece pieces[DECODE_MAX_PIECES];
    uint8_t count, shift;
    bool is_signed;
    int32_t add;
} DecodeField;

typedef struct DecodeMatch {
    uint32_t mask, value;
} DecodeMatch;

/* A line of insn.decode. */
typedef struct DecodeRow {
    const char *name; /* the mnemonic */
    DecodeMatch match;
    uint8_t bits; /* 16 or 32 */
    uint8_t exclude_count;
    DecodeMatch excludes[DECODE_MAX_EXCLUDES];
    uint64_t need, deny; /* features */
    const DecodeField *fields;
    unsigned field_count;
    const char *print; /* operands: `k.field` is a field in the ISA's notation k, else literal */
} DecodeRow;

typedef struct DecodeTable {
    const DecodeRow *rows;
    unsigned row_count;
    const char *const *features; /* name of each bit */
    unsigned feature_count;
    int (*find)(uint32_t insn, uint64_t features); /* row number, -1: none */
} DecodeTable;

/* Where to go on: at an entry that some bits of the instruction choose. */
typedef struct DecodeStep {
    uint16_t base;
    uint8_t lsb, mask;
} DecodeStep;

enum { DECODE_LIST_END = UINT16_MAX };

/*
 * A decision tree: X_find() of the table begins at first[begins[LOW] + TOP], two numbers made of bits of the
 * instruction and of features. An entry below row_count is a row, which takes the instruction if the CPU has what
 * the row needs; one of the step_count behind is another step; a higher one is the place of a list: the first row
 * there takes it that matches.
 */
typedef struct DecodeTree {
    const uint16_t *begins;
    const DecodeStep *first;
    const uint16_t *entries;
    const DecodeStep *steps;
    const uint16_t *lists;   /* each ends with DECODE_LIST_END */
    const uint8_t *needs_of; /* of each row, an index of needs */
    const uint64_t *needs;
    const DecodeRow *rows;
    unsigned row_count, step_count;
} DecodeTree;

/* Goes on at an entry, whatever it is. */
int decode_further(const DecodeTree *tree, unsigned entry, uint32_t insn, uint64_t features);

static inline unsigned decode_step(const DecodeTree *tree, const DecodeStep *step, uint32_t insn)
{
    return tree->entries[step->base + (insn >> step->lsb & step->mask)];
}

/*
 * Finds the row, -1: none, from the first step on. Nothing is branched on but what nearly always goes the same way:
 * which instruction comes next cannot be predicted, and a branch that depends on it costs as much as fifty
 * instructions.
 */
static inline int decode_walk(
    const DecodeTree *tree, const DecodeStep *first, uint32_t insn, uint64_t features)
{
    unsigned entry = decode_step(tree, first, insn);

    if (entry < tree->row_count && !(tree->needs[tree->needs_of[entry]] & ~features)) {
        return (int)entry;
    }
    return decode_further(tree, entry, insn, features);
}

int64_t decode_field(const DecodeField *field, uint32_t insn);
/* Puts a value into an instruction's field; false: it does not fit there. */
bool decode_set_field(const DecodeField *field, int64_t value, uint32_t *insn);

const DecodeField *decode_row_field(const DecodeRow *row, const char *name);

/* Would the row take this instruction, if it were alone? */
bool decode_row_matches(const DecodeRow *row, uint32_t insn, uint64_t features);

/* Writes an operand in notation `kind`; pc is the instruction's. */
typedef void DecodePrintOperand(char *out, size_t room, char kind, int64_t value, uint64_t pc);

/* Disassembles insn, which the row matches: "add\ta0,a1,a2". */
void decode_print(const DecodeRow *row, uint32_t insn, uint64_t pc, DecodePrintOperand *operand,
    char *out, size_t room);

/* Makes a random instruction of the row; the generator's state changes. False: the row's rules were not met. */
bool decode_random(const DecodeRow *row, uint64_t *random, uint32_t *insn);

/* A bit of a feature by name; 0 when there is none. */
uint64_t decode_feature(const DecodeTable *table, const char *name, size_t length);

/* A small number for a set of features, the same for all CPUs that have it; for CpuEnv.mode. Any thread. */
unsigned decode_model_number(uint64_t features);

#endif

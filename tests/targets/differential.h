/*
 * Random programs on us and on a reference, qemu-ISA-static: registers and memory must be equal after each
 * sequence of instructions.
 *
 * One program serves both: an ELF file for the reference, the same bytes in RAM at the same addresses for us. It
 * restores the registers from a record, runs a sequence, saves them back into the record, and so on; then writes all
 * records and memory to its output (the reference), and makes a system call that we take as the end.
 */
#ifndef TESTS_TARGETS_DIFFERENTIAL_H
#define TESTS_TARGETS_DIFFERENTIAL_H

#include "tests/tcg/vectors.h"

#define DIFF_CODE UINT64_C(0x10000000)
#define DIFF_PRIVATE                                                                               \
    UINT64_C(0x10300000) /* what only we use: the end is noted there (DiffEnd), tables, a stack */
#define DIFF_DATA UINT64_C(0x10400000)

enum {
    DIFF_SCRATCH = 4096, /* bytes at DIFF_DATA that loads and stores reach */
    DIFF_CODE_ROOM = 2 << 20,
    DIFF_MAX_RECORDS = 2000,
    DIFF_MAX_RECORD = 128, /* words */
    DIFF_RAM = 8 << 20,
    DIFF_STACK = 64 << 10, /* behind the data, not compared */
    DIFF_SEED = 1,         /* of the reference's random numbers */
};

/* A part of a record, for messages. */
typedef struct DiffPart {
    const char *name; /* NULL ends the list */
    unsigned words;
} DiffPart;

/* Where our program notes how it ended. */
typedef struct DiffEnd {
    uint64_t cause, pc;
} DiffEnd;

typedef struct DiffProgram DiffProgram;

typedef struct DiffIsa {
    const char *isa, *model;           /* ours; model NULL: the only one */
    const char *reference, *cpu;       /* the program and its -cpu */
    unsigned bits, machine, elf_flags; /* of the ELF file */
    const DiffPart *record;
    unsigned records_of_each;     /* 0: one */
    void (*make)(DiffProgram *p); /* fills code and data, see diff_begin */
    bool (*ended_well)(const DiffEnd *end);
} DiffIsa;

struct DiffProgram {
    const DiffIsa *isa;
    unsigned record_words, sequences;
    unsigned records_of_each; /* of a sequence: it runs on one after the other */
    Random random;
    uint64_t rows; /* state of decode_random */
    uint8_t code[DIFF_CODE_ROOM];
    uint32_t size;
    uint32_t start[DIFF_MAX_RECORDS], end[DIFF_MAX_RECORDS]; /* offsets of each sequence */
    uint64_t entry, own_entry;
    uint64_t scratch[DIFF_SCRATCH / 8];
    uint64_t records[DIFF_MAX_RECORDS * DIFF_MAX_RECORD]; /* behind scratch in memory */
};

uint64_t *diff_record(DiffProgram *p, unsigned n);
/* Bytes at DIFF_DATA, a whole number of pages. */
uint64_t diff_data_size(const DiffProgram *p);
void diff_put(DiffProgram *p, uint32_t insn, unsigned bytes);

/* Runs programs of seeds first, first + 1, ... on the reference and on every host; fails the test on a difference. */
void diff_run(const DiffIsa *isa, unsigned first, unsigned programs, unsigned sequences);

#endif

/*
 * The frame around random A64 instructions, for us and for qemu-aarch64-static: registers from a record and back,
 * what steps over undefined instructions, how both come to the same state. See tests/targets/differential.h.
 *
 * Both run it at EL0, in pages that are guarded (FEAT_BTI), with the same keys for pointers, and with tags ignored.
 */
#ifndef TESTS_TARGETS_AARCH64_FRAME_H
#define TESTS_TARGETS_AARCH64_FRAME_H

#include "tests/targets/differential.h"

enum {
    RECORD =
        28, /* x28: the record, x29: the middle of memory, x30: link; not written by sequences */
    MEMORY = 29,
    LINK = 30,
    STACK_POINTER = 31,
    FIRST_RESERVED = RECORD,
};

/* Words of a record. */
enum { WORD_X = 0, WORD_FLAGS = 28, WORD_FPCR, WORD_FPSR, WORD_UNDEFINED, WORD_V };

enum {
    A64_MSR_NZCV = 0xd51b4200,
    A64_MRS_NZCV = 0xd53b4200,
    A64_MSR_FPCR = 0xd51b4400,
    A64_MRS_FPCR = 0xd53b4400,
    A64_MSR_FPSR = 0xd51b4420,
    A64_MRS_FPSR = 0xd53b4420,
    A64_RET = 0xd65f03c0, /* to x30 */
    A64_NOP = 0xd503201f,
};

void put(DiffProgram *p, uint32_t insn);
uint64_t here(const DiffProgram *p);
void put_constant(DiffProgram *p, unsigned rd, uint64_t value);
void put_bl(DiffProgram *p, uint64_t target);

/* What comes in front of the sequences, and behind them. */
typedef struct Frame {
    uint64_t restore, save; /* to be called by put_bl() around each */
    uint32_t code_size;     /* where the size of all code is set */
} Frame;
Frame frame_put_start(DiffProgram *p);
/* Goes back to `target` until record `end` is the next. */
void frame_put_repeat(DiffProgram *p, uint64_t target, unsigned end);
void frame_put_end(DiffProgram *p, const Frame *frame);

#endif

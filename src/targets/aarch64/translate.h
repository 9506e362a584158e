/*
 * What the translate functions share: operands, results, flags, and ways to end a block.
 *
 * A translate function (a64_NAME, one for each row of insn.decode or for several that share it) appends the IR
 * of one instruction. It returns false when the encoding is not allocated here; it has appended nothing then.
 */
#ifndef TARGETS_AARCH64_TRANSLATE_H
#define TARGETS_AARCH64_TRANSLATE_H

#include "targets/aarch64/state.h"

typedef enum A64FlagsOp {
    FLAGS_NZCV,  /* a: NZCV in bits 31 to 28 */
    FLAGS_SUB64, /* of a - b */
    FLAGS_SUB32,
    FLAGS_ADD64, /* of a + b */
    FLAGS_ADD32,
    FLAGS_LOGIC64, /* N and Z of a, C and V 0 */
    FLAGS_LOGIC32,
    FLAGS_FLOAT64, /* of a compared with b, bits of floats */
    FLAGS_FLOAT32,
    FLAGS_UNKNOWN, /* in the translator only: what the block was entered with */
    FLAGS_EITHER,  /* in the translator only: as A64Either says */
} A64FlagsOp;

/* How an operation's flags are kept. Of a subtraction, b may be a small number. */
typedef struct A64Flags {
    uint8_t op; /* A64FlagsOp */
    bool is_small;
    int32_t number;
} A64Flags;

/* What a conditional comparison has left: the flags of that if test, else nzcv. */
typedef struct A64Either {
    A64Flags flags;
    uint8_t nzcv;
    Val test, a, b;
    unsigned labels; /* that there were: no value lives across one */
} A64Either;

typedef enum A64Before {
    BEFORE_FIRST = 1,   /* it is the block's first */
    BEFORE_ENABLED = 2, /* interrupts may have become enabled */
    BEFORE_MODE = 4,    /* the mode says that there is something in front of each */
} A64Before;

typedef enum A64After {
    AFTER_SP_SET = 1,  /* it has changed the stack pointer */
    AFTER_LANDING = 2, /* BTYPE is to be cleared, but not if it faults */
} A64After;

struct A64Translator {
    IrBlock *b;
    A64Cpu *cpu;
    uint64_t pc, next; /* of this instruction, of the one behind it */
    uint32_t insn;
    const uint8_t *code; /* what has been fetched: from code_pc to code_end */
    uint64_t code_pc, code_end;
    uint64_t features;
    unsigned el;
    uint32_t mode;
    bool ended;     /* the last operation leaves the block */
    bool leave;     /* what follows must be looked up anew: end after this instruction */
    bool sp_open;   /* SP may be misaligned, and the mode says that it is not: see check_sp() */
    uint8_t before; /* what is to be seen to in front of the next instruction: A64Before */
    uint8_t after;  /* and behind this one: A64After */

    A64Flags flags;   /* how this block has last set them */
    A64Either either; /* FLAGS_EITHER */
};

#define NO_VAL ((Val){ 0 })

/* ---- operands: sf is bit 31 of most instructions, 1 for 64 bits ---- */

static inline IrType type_of_sf(unsigned sf)
{
    return sf ? I64 : I32;
}

static inline Val constant(A64Translator *t, IrType type, uint64_t value)
{
    return ir_const(t->b, type, value);
}

static inline bool is_constant(const A64Translator *t, Val v)
{
    uint64_t value;

    return ir_is_const(t->b, v, &value);
}

/* A register; 31 is zero. */
static inline Val xreg(A64Translator *t, unsigned n)
{
    return n == 31 ? constant(t, I64, 0) : ir_get(t->b, GVAR_X + n);
}

/* A register; 31 is the stack pointer. */
static inline Val xreg_sp(A64Translator *t, unsigned n)
{
    return ir_get(t->b, GVAR_X + n);
}

static inline Val narrowed(A64Translator *t, unsigned sf, Val v)
{
    return sf ? v : ir_trunc32(t->b, v);
}

static inline Val reg(A64Translator *t, unsigned sf, unsigned n)
{
    return narrowed(t, sf, xreg(t, n));
}

static inline Val reg_sp(A64Translator *t, unsigned sf, unsigned n)
{
    return narrowed(t, sf, xreg_sp(t, n));
}

static inline bool is_wide_value(const A64Translator *t, Val v)
{
    return t->b->types[v.id] == I64;
}

/* The same, where it may have been narrowed already. */
static inline Val of_width(A64Translator *t, unsigned sf, Val v)
{
    return is_wide_value(t, v) ? narrowed(t, sf, v) : v;
}

static inline Val widened(A64Translator *t, unsigned sf, Val v)
{
    return sf ? v : ir_zext32(t->b, v);
}

/* Sets a register to a value of sf's type; a write to 31 is dropped. */
static inline void set_reg(A64Translator *t, unsigned sf, unsigned n, Val v)
{
    if (n != 31) {
        ir_put(t->b, GVAR_X + n, widened(t, sf, v));
    }
}

/* Sets a register to a number, cut to sf's width. */
static inline void set_reg_to(A64Translator *t, unsigned sf, unsigned n, uint64_t value)
{
    if (n != 31) {
        ir_put(t->b, GVAR_X + n, constant(t, I64, sf ? value : (uint32_t)value));
    }
}

static inline void set_reg_sp(A64Translator *t, unsigned sf, unsigned n, Val v)
{
    t->after |= n == GVAR_SP ? AFTER_SP_SET : 0;
    ir_put(t->b, GVAR_X + n, widened(t, sf, v));
}

/* A register extended or shifted left, as register offsets and extended operands are (option: C6.1.2). */
Val extended_reg(A64Translator *t, unsigned n, unsigned option, unsigned amount);

/* The value of an immediate of logic instructions; false: reserved. */
bool decode_bit_mask(unsigned sf, unsigned n, unsigned imms, unsigned immr, uint64_t *mask);

/* ---- memory: translate-mem.c ---- */

/* Raises an alignment fault when the address in rn is not a multiple of 1 << size. */
void check_alignment(A64Translator *t, unsigned rn, unsigned size, bool is_store);

/* How data of 1 << size bytes is accessed now. */
MemOp data_memop(const A64Translator *t, unsigned size);

/* mode: 0 offset, 1 post-indexed, 2 unprivileged, 3 pre-indexed; write_back() comes behind the accesses. */
int32_t access_offset(unsigned mode, int32_t imm);
void write_back(A64Translator *t, unsigned mode, unsigned rn, int32_t imm);
Val register_address(A64Translator *t, unsigned rn, unsigned rm, unsigned option, unsigned shift);

/* ---- flags: flags.c ---- */

/*
 * The flags are those of an operation on values of op's width; of a 32-bit one only the lower halves count, and
 * either type is fine.
 */
void set_flags(A64Translator *t, A64FlagsOp op, Val a, Val b);
/* The flags are those of a comparison of two floats of type F32 or F64, none of which is to be flushed to zero. */
void set_float_flags(A64Translator *t, IrType type, Val x, Val y);
/* The flags are bits 31 to 28 of an I64. */
void set_nzcv(A64Translator *t, Val nzcv);
/* If test (I32): the flags of op on a and b; else the constant bits nzcv (3 to 0). */
void set_flags_if(A64Translator *t, Val test, A64FlagsOp op, Val a, Val b, unsigned nzcv);

/* NZCV in bits 31 to 28 of an I64. */
Val get_nzcv(A64Translator *t);
/* Is condition `cond` (0 to 15) true? An I32, 0 or 1. */
Val condition(A64Translator *t, unsigned cond);
/* C as an I32, 0 or 1. */
Val carry(A64Translator *t);
/* Leaves the block for pc when the condition is true. */
void goto_if(A64Translator *t, unsigned cond, uint64_t pc);

/* ---- ends ---- */

/* Raises an exception of this instruction, and ends the block. */
void raise_exception(A64Translator *t, uint32_t syndrome, Val far);

/* Jumps to an address, which may be known; JUMP_CALL: the address behind this instruction goes to X30. */
void jump_to(A64Translator *t, JumpKind kind, Val target);

/* The same behind BR, BLR, RET and those that authenticate: what BTYPE becomes depends on register rn. */
void branch_indirectly(A64Translator *t, JumpKind kind, unsigned rn, Val target);

/* ---- translate-pauth.c ---- */

/* Hints that make and check pointers. */
void pac_hint(A64Translator *t, unsigned op);
/* In front of the first instruction of a block and behind it: it may have come by an indirect branch. */
void land(A64Translator *t);
void landed(A64Translator *t);

/* Takes a pending interrupt, in front of the instruction that has just begun. */
void take_enabled(A64Translator *t);

/* Goes on at a pc that was computed. */
static inline void leave_to(A64Translator *t, JumpKind kind, Val pc)
{
    ir_goto_val(t->b, kind, pc);
    t->ended = true;
}

#endif

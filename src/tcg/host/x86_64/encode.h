/*
 * x86-64 instructions as bytes: general, SSE, VEX and EVEX forms with typed operands.
 *
 * Nothing here knows about the IR. References to opcode tables are to the Intel manual, volume 2.
 */
#ifndef TCG_HOST_X86_64_ENCODE_H
#define TCG_HOST_X86_64_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum Reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    NO_REG = 0xf0, /* vector registers are plain numbers, 0 to 31 */
} Reg;

/* The condition codes of jcc, setcc and cmovcc. */
typedef enum Cond {
    COND_O,
    COND_NO,
    COND_B,
    COND_AE,
    COND_E,
    COND_NE,
    COND_BE,
    COND_A,
    COND_S,
    COND_NS,
    COND_P,
    COND_NP,
    COND_L,
    COND_GE,
    COND_LE,
    COND_G,
} Cond;

/* The second operand of nearly everything: a register, or memory. */
typedef struct Rm {
    uint8_t base;  /* the register itself, or the base; NO_REG: none */
    uint8_t index; /* NO_REG: none */
    uint8_t scale; /* log2 */
    uint8_t kind;  /* RmKind */
    int32_t disp;
} Rm;

typedef enum RmKind {
    RM_REG,
    RM_MEM,
    RM_AREA, /* rip-relative, disp from Code.area */
    RM_IMM,  /* disp itself, sign-extended: for those who ask rm_is_imm() first */
} RmKind;

/* Made as a word: byte by byte the compiler goes through memory. */
static inline Rm rm_make(RmKind kind, unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    uint64_t word = (base & 0xff) | index << 8 | scale << 16 | (unsigned)kind << 24 |
        (uint64_t)(uint32_t)disp << 32;
    Rm rm;

    memcpy(&rm, &word, sizeof(rm));
    return rm;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(Rm) == 8 &&
        offsetof(Rm, index) == 1 && offsetof(Rm, kind) == 3 && offsetof(Rm, disp) == 4,
    "see rm_make");

static inline Rm rm_reg(unsigned reg)
{
    return rm_make(RM_REG, reg, NO_REG, 0, 0);
}

static inline Rm rm_mem(Reg base, int32_t disp)
{
    return rm_make(RM_MEM, base, NO_REG, 0, disp);
}

static inline Rm rm_index(Reg base, Reg index, unsigned scale, int32_t disp)
{
    return rm_make(RM_MEM, base, index, scale, disp);
}

static inline Rm rm_area(int32_t offset)
{
    return rm_make(RM_AREA, NO_REG, NO_REG, 0, offset);
}

static inline Rm rm_imm(int32_t value)
{
    return rm_make(RM_IMM, NO_REG, NO_REG, 0, value);
}

static inline bool rm_is_imm(Rm rm)
{
    return rm.kind == RM_IMM;
}

static inline bool rm_is(Rm rm, unsigned reg)
{
    return rm.kind == RM_REG && rm.base == reg;
}

/* Where instructions go: written at `p`, run at `p + to_exec`. */
typedef struct Code {
    uint8_t *p;
    intptr_t to_exec;
    const uint8_t *area; /* executable address that RM_AREA counts from */
} Code;

/* An opcode: byte, map (0: one byte, 1: 0F, 2: 0F38, 3: 0F3A), mandatory prefix, EVEX.W. */
typedef enum Opcode {
#define OPCODE(map, prefix, byte) ((map) << 8 | (prefix) << 10 | (byte))
    PREFIX_NONE = 0,
    PREFIX_66 = 1,
    PREFIX_F3 = 2,
    PREFIX_F2 = 3,
    EVEX_W = 1 << 12,    /* only looked at where the EVEX form is chosen */
    BYTE_REG = 1 << 13,  /* the register field is 8 bits wide: spl bpl sil dil need a REX */
    BYTE_RM = 1 << 14,   /* the same for a register as the second operand */
    ONLY_EVEX = 1 << 15, /* there is no other form */

    OP_TEST = OPCODE(0, 0, 0x85),
    OP_XCHG = OPCODE(0, 0, 0x87),
    OP_XCHG8 = OPCODE(0, 0, 0x86) | BYTE_REG | BYTE_RM,
    OP_STORE8 = OPCODE(0, 0, 0x88) | BYTE_REG | BYTE_RM,
    OP_STORE = OPCODE(0, 0, 0x89),
    OP_MOV = OPCODE(0, 0, 0x8b),
    OP_LEA = OPCODE(0, 0, 0x8d),
    OP_SHIFT_IMM = OPCODE(0, 0, 0xc1), /* reg field: Shift; then the count */
    OP_MOVSXD = OPCODE(0, 0, 0x63),
    OP_MOVZX8 = OPCODE(1, 0, 0xb6) | BYTE_RM,
    OP_MOVZX16 = OPCODE(1, 0, 0xb7),
    OP_MOVSX8 = OPCODE(1, 0, 0xbe) | BYTE_RM,
    OP_MOVSX16 = OPCODE(1, 0, 0xbf),
    OP_IMUL = OPCODE(1, 0, 0xaf),
    OP_IMUL_IMM = OPCODE(0, 0, 0x69),
    OP_CMOV = OPCODE(1, 0, 0x40),
    OP_SETCC = OPCODE(1, 0, 0x90) | BYTE_RM,
    OP_CMPXCHG8 = OPCODE(1, 0, 0xb0) | BYTE_REG | BYTE_RM,
    OP_CMPXCHG = OPCODE(1, 0, 0xb1),
    OP_XADD8 = OPCODE(1, 0, 0xc0) | BYTE_REG | BYTE_RM,
    OP_XADD = OPCODE(1, 0, 0xc1),
    OP_POPCNT = OPCODE(1, PREFIX_F3, 0xb8),
    OP_BSF = OPCODE(1, 0, 0xbc),
    OP_BSR = OPCODE(1, 0, 0xbd),
    OP_TZCNT = OPCODE(1, PREFIX_F3, 0xbc),
    OP_LZCNT = OPCODE(1, PREFIX_F3, 0xbd),
    OP_MXCSR = OPCODE(1, 0, 0xae), /* reg field: MXCSR_LOAD, MXCSR_STORE */
    OP_MOVBE_LOAD = OPCODE(2, 0, 0xf0),
    OP_MOVBE_STORE = OPCODE(2, 0, 0xf1),

    /* VEX-coded general instructions. */
    VOP_ANDN = OPCODE(2, 0, 0xf2),
    VOP_SHLX = OPCODE(2, PREFIX_66, 0xf7),
    VOP_SHRX = OPCODE(2, PREFIX_F2, 0xf7),
    VOP_SARX = OPCODE(2, PREFIX_F3, 0xf7),
    VOP_RORX = OPCODE(3, PREFIX_F2, 0xf0),
    VOP_MULX = OPCODE(2, PREFIX_F2, 0xf6),

    /* Vector and floating point. S: f32, D: f64. */
    VOP_MOVSS = OPCODE(1, PREFIX_F3, 0x10),
    VOP_MOVSD = OPCODE(1, PREFIX_F2, 0x10) | EVEX_W,
    VOP_MOVSS_STORE = OPCODE(1, PREFIX_F3, 0x11),
    VOP_MOVSD_STORE = OPCODE(1, PREFIX_F2, 0x11) | EVEX_W,
    VOP_MOVUPS = OPCODE(1, 0, 0x10),
    VOP_MOVUPS_STORE = OPCODE(1, 0, 0x11),
    VOP_MOVAPS = OPCODE(1, 0, 0x28),
    VOP_MOVQ = OPCODE(1, PREFIX_F3, 0x7e) | EVEX_W, /* zeroes above */
    VOP_INSERTPS = OPCODE(3, PREFIX_66, 0x21),      /* imm8 */
    VOP_ROUNDSS = OPCODE(3, PREFIX_66, 0x0a),       /* imm8 */
    VOP_ROUNDSD = OPCODE(3, PREFIX_66, 0x0b) | EVEX_W,
    VOP_MOVD = OPCODE(1, PREFIX_66, 0x6e),
    VOP_MOVD_STORE = OPCODE(1, PREFIX_66, 0x7e),
    VOP_ADD = OPCODE(1, 0, 0x58),
    VOP_MUL = OPCODE(1, 0, 0x59),
    VOP_SUB = OPCODE(1, 0, 0x5c),
    VOP_MIN = OPCODE(1, 0, 0x5d),
    VOP_DIV = OPCODE(1, 0, 0x5e),
    VOP_MAX = OPCODE(1, 0, 0x5f),
    VOP_SQRT = OPCODE(1, 0, 0x51),
    VOP_CVTSS_SD = OPCODE(1, 0, 0x5a),
    VOP_CVTSI = OPCODE(1, 0, 0x2a),
    VOP_CVTTSI = OPCODE(1, 0, 0x2c),
    VOP_CVTSI_OUT = OPCODE(1, 0, 0x2d),
    VOP_CVTUSI = OPCODE(1, 0, 0x7b) | ONLY_EVEX,
    VOP_UCOMIS = OPCODE(1, 0, 0x2e),
    VOP_COMIS = OPCODE(1, 0, 0x2f),
    VOP_AND = OPCODE(1, 0, 0x54),
    VOP_ANDN_PS = OPCODE(1, 0, 0x55),
    VOP_OR = OPCODE(1, 0, 0x56),
    VOP_XOR = OPCODE(1, 0, 0x57),
    VOP_FMADD231 = OPCODE(2, PREFIX_66, 0xb9),
    VOP_FMSUB231 = OPCODE(2, PREFIX_66, 0xbb),
    VOP_FNMADD231 = OPCODE(2, PREFIX_66, 0xbd),
    VOP_FNMSUB231 = OPCODE(2, PREFIX_66, 0xbf),
} Opcode;

/* The eight operations of opcodes 00..3F and group 1, and the shifts of group 2: numbered as encoded. */
typedef enum Alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP } Alu;
typedef enum Shift { SHIFT_ROL, SHIFT_ROR, SHIFT_SHL = 4, SHIFT_SHR = 5, SHIFT_SAR = 7 } Shift;
enum { MXCSR_LOAD = 2, MXCSR_STORE = 3 };
/* Group 3 (opcode F7). */
typedef enum Group3 {
    G3_NOT = 2,
    G3_NEG = 3,
    G3_MUL = 4,
    G3_IMUL = 5,
    G3_DIV = 6,
    G3_IDIV = 7
} Group3;

/* wide: 64-bit operands, else 32. */
void x_op_reg(Code *c, unsigned opcode, bool wide, unsigned reg, unsigned rm);
void x_op_mem(Code *c, unsigned opcode, bool wide, unsigned reg, Rm rm);

/* What the second operand is, is mostly known where it is called. */
static inline void x_op(Code *c, unsigned opcode, bool wide, unsigned reg, Rm rm)
{
    if (rm.kind == RM_REG) {
        x_op_reg(c, opcode, wide, reg, rm.base);
    } else {
        x_op_mem(c, opcode, wide, reg, rm);
    }
}

void x_op16(Code *c, unsigned opcode, unsigned reg, Rm rm); /* 16-bit operands */
void x_lock(Code *c);                                       /* before a read-modify-write */
void x_mov_imm(Code *c, Reg reg, uint64_t value);           /* keeps the flags */
void x_store_imm(Code *c, unsigned size_log2, Rm rm, int32_t value);

/* reg = reg op rm */
static inline void x_alu(Code *c, Alu alu, bool wide, Reg reg, Rm rm)
{
    x_op(c, alu << 3 | 3, wide, reg, rm);
}

/* rm = rm op reg */
static inline void x_alu_mem(Code *c, Alu alu, bool wide, Rm rm, Reg reg)
{
    x_op(c, alu << 3 | 1, wide, reg, rm);
}

void x_alu_imm(Code *c, Alu alu, bool wide, Rm rm, int32_t value);
void x_alu_imm8(Code *c, Alu alu, Rm rm, int8_t value); /* on a byte in memory */
void x_test_imm(Code *c, Reg reg, uint32_t value);      /* 32 bits wide */
void x_shift_imm(Code *c, Shift shift, bool wide, Rm rm, unsigned count);
void x_shift_cl(Code *c, Shift shift, bool wide, Rm rm);
void x_group3(Code *c, Group3 what, bool wide, Rm rm);
void x_bswap(Code *c, bool wide, Reg reg);
void x_sign_extend_rax(Code *c, bool wide); /* cdq, cqo */
void x_push(Code *c, Reg reg);
void x_pop(Code *c, Reg reg);
void x_bytes(Code *c, const char *bytes, unsigned count);
void x_set_cond(Code *c, Cond cond, Reg reg);
void x_cmov(Code *c, Cond cond, bool wide, Reg reg, Rm rm);

/* Jumps to executable addresses; those that return give the place of the 4-byte displacement. */
uint8_t *x_jump(Code *c, const uint8_t *target);
uint8_t *x_jump_if(Code *c, Cond cond, const uint8_t *target);
void x_call(Code *c, const uint8_t *target);
void x_call_rm(Code *c, Rm rm);
void x_jump_rm(Code *c, Rm rm);
/* Short forward jumps: give the place of the 1-byte displacement, for x_here8. */
uint8_t *x_jump_if8(Code *c, Cond cond);
void x_here8(Code *c, uint8_t *at);
void x_here32(Code *c, uint8_t *at); /* makes a displacement point here */

/* The instructions since start move up, so that the next but `ahead` byte is 4-byte aligned. */
void x_align_next(Code *c, uint8_t *start, unsigned ahead);

/* Three-operand forms. vex: general registers or xmm0-15; v_op takes any vector register. */
void x_vex(Code *c, unsigned opcode, bool wide, unsigned reg, unsigned second, Rm rm);
void x_rorx(Code *c, bool wide, Reg reg, Reg from, unsigned count);

typedef enum VectorLevel { VECTOR_SSE, VECTOR_AVX, VECTOR_AVX512 } VectorLevel;

/*
 * reg = second op rm. With VECTOR_SSE, second is reg's old value or not there (NO_REG: the
 * instruction has two operands). wide: a general register of 64 bits takes part.
 */
void v_op(
    Code *c, VectorLevel level, unsigned opcode, bool wide, unsigned reg, unsigned second, Rm rm);

static inline void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static inline const uint8_t *code_here(const Code *c)
{
    return c->p + c->to_exec;
}

#endif

/*
 * The IR that every guest is translated to and every host is generated from.
 *
 * A block is one linear buffer of 16-byte operations, and its constants apart. Values are temporaries with a
 * single definition and a type; guest registers are global variables (GVar) that `get` and `put` reach. `put` takes effect in
 * program order before anything that may fault, so the guest state is exact at every fault with nothing but
 * the side table to say which instruction it was.
 */
#ifndef TCG_IR_H
#define TCG_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum IrOp {
#define OP(name, signature, effects) IR_##name,
#include "tcg/ops.h"
#undef OP
    IR_OP_COUNT
} IrOp;

typedef enum IrType { I32, I64, F32, F64, V128, IR_TYPE_COUNT } IrType;

typedef enum IrCond { EQ, NE, LT, GE, LTU, GEU, LE, GT, LEU, GTU, IR_COND_COUNT } IrCond;

/* What an operation does besides giving its result. */
typedef enum IrEffect {
    NOTHING = 0,
    PURE = 1 << 0, /* depends on its operands only; may be folded, shared, dropped */
    COMMUTES = 1 << 1,
    READS_GVAR = 1 << 2,
    WRITES_GVAR = 1 << 3,
    READS_ENV = 1 << 4,
    WRITES_ENV = 1 << 5,
    READS_MEM = 1 << 6,
    WRITES_MEM = 1 << 7,
    MAY_FAULT = 1 << 8, /* may leave the block in the middle */
    FP = 1 << 9, /* reads the rounding mode, sets sticky flags: kept in order with `call` only */
    CALLS = 1 << 10, /* see Helper.flags */
    BARRIER = 1 << 11,
    ENDS = 1 << 12, /* the last operation of a block */
    VEC = 1 << 13,  /* vec_eval() of tcg/vec.h does it */
} IrEffect;

/* How a guest load or store behaves; the fast path, the slow path and the interpreter all read it. */
typedef enum MemOp {
    MEM_8 = 0,
    MEM_16 = 1,
    MEM_32 = 2,
    MEM_64 = 3,
    MEM_128 = 4,
    MEM_SIZE = 7,        /* mask: log2 of the bytes */
    MEM_SIGNED = 1 << 3, /* sign-extended to the result's type */
    MEM_PARTS = 1 << 3, /* of 64 and 128 bits: several elements, which need not be aligned as one */
    MEM_BIG = 1 << 4,   /* big-endian */
    MEM_ALIGNED = 1 << 5, /* an address that is not a multiple of the size faults */
    MEM_ACQUIRE = 1 << 6,
    MEM_RELEASE = 1 << 7, /* with MEM_ACQUIRE: sequentially consistent */
} MemOp;

typedef enum RmwKind {
    RMW_ADD,
    RMW_AND,
    RMW_OR,
    RMW_XOR,
    RMW_SWAP,
    RMW_SMIN,
    RMW_SMAX,
    RMW_UMIN,
    RMW_UMAX,
    RMW_ANDN,
    RMW_KIND_COUNT
} RmwKind;

/* aux of vector operations: log2 of a lane's bytes, and how it is done. */
typedef enum IrLane {
    LANE_8,
    LANE_16,
    LANE_32,
    LANE_64,
    LANE_SIZE = 7,        /* mask */
    LANE_SIGNED = 1 << 3, /* lanes are signed numbers */
    LANE_HIGH = 1 << 4,   /* the upper half of the operands */
    LANE_ROUND = 1 << 5,
    LANE_SAT = 1 << 6,    /* what does not fit becomes the nearest that does */
    LANE_UNSIGN = 1 << 7, /* the result is unsigned though the operands are signed */
} IrLane;

/* imm of vector operations on floats. */
typedef enum IrVecFloat {
    VF_16 = LANE_16,
    VF_32 = LANE_32,
    VF_64 = LANE_64,
    VF_SCALAR = 1 << 3, /* lane 0 only; the rest of the result is zero */
    VF_MORE = 4,        /* from this bit on: what the operation's line in ops.h says */
} IrVecFloat;

typedef union IrVec {
    uint8_t b[16];
    uint16_t h[8];
    uint32_t w[4];
    uint64_t d[2];
} IrVec;

/* Which earlier accesses stay before which later ones. */
typedef enum FenceKind {
    FENCE_RR = 1,
    FENCE_RW = 2,
    FENCE_WR = 4,
    FENCE_WW = 8,
    FENCE_ALL = 15
} FenceKind;

/* What a division by zero (and INT_MIN / -1) gives. */
typedef enum DivRule {
    DIV_RISCV, /* quotient all ones, remainder the dividend; overflow wraps */
    DIV_ZERO,  /* quotient 0 (ARM); overflow wraps */
} DivRule;

/* aux of floating-point operations: rounding in the low 3 bits, then the NaN rule. */
typedef enum FpAux {
    FP_RNE = 0,
    FP_RTZ = 1,
    FP_RDN = 2,
    FP_RUP = 3,
    FP_RMM = 4,
    FP_DYN = 7,   /* CpuEnv.fp_round */
    FP_ROUND = 7, /* mask */
    FP_NAN_DEFAULT =
        0 << 3, /* every NaN result is the positive quiet NaN of the type (RISC-V, ARM DN) */
    FP_NAN_FIRST =
        1 << 3,           /* the first signalling operand quieted, else the first quiet one (ARM) */
    FP_NAN_RULE = 3 << 3, /* mask */
    /* ftoi of NaN */
    FP_NAN_TO_MAX = 0 << 5,  /* the largest value (RISC-V) */
    FP_NAN_TO_ZERO = 1 << 5, /* 0 (ARM) */
    FP_TINY_BEFORE =
        1 << 6,        /* underflow is decided before rounding (ARM); else after it (RISC-V, x86) */
    FP_FLUSH = 1 << 7, /* subnormal operands and results count as zero (ARM FZ) */
} FpAux;

/* aux of fcmp: false when unordered. Quiet ones raise invalid for signalling NaNs only. */
typedef enum FpCond { FP_EQ, FP_LT, FP_LE, FP_UNORDERED, FP_COND = 3, FP_SIGNALLING = 4 } FpCond;

/* Result of forder. */
typedef enum FpOrder { FP_ORDER_EQUAL, FP_ORDER_LESS, FP_ORDER_GREATER, FP_ORDER_NONE } FpOrder;

/* What minimum and maximum make of a NaN. */
typedef enum FpMin {
    FP_MIN_NUMBER,  /* IEEE 754-2019 minimumNumber: the other operand, if that is a number */
    FP_MIN_2008,    /* IEEE 754-2008 minNum: the same, but a signalling NaN gives a NaN */
    FP_MIN_MINIMUM, /* IEEE 754-2019 minimum: a NaN */
} FpMin;

typedef enum GotoFlags {
    GOTO_CHECK =
        1 << 7, /* a backward edge: test CpuEnv.exit_request first (gotocond: aux bit 7 too) */
} GotoFlags;

typedef enum JumpKind { JUMP_OTHER, JUMP_CALL, JUMP_RETURN } JumpKind;

/* Why generated code came back to the CPU loop. */
typedef enum ExitReason {
    EXIT_LOOKUP,  /* find the block at CpuEnv.pc */
    EXIT_CHAIN,   /* the same, and link CpuEnv.exit_site to it */
    EXIT_REQUEST, /* exit_request was set; pc is exact */
    EXIT_RAISED,  /* a helper or a memory access raised; the pc comes from the side table */
    EXIT_HALT,    /* the guest waits for an interrupt */
    EXIT_BUDGET,  /* the instruction budget is spent */
} ExitReason;

typedef struct IrInsn {
    uint16_t op;  /* IrOp */
    uint8_t type; /* IrType of the operation */
    uint8_t aux;
    uint16_t dst;     /* temporary; 0: none */
    uint16_t a, b, c; /* temporaries; 0: none */
    int32_t imm;
} IrInsn;

_Static_assert(sizeof(IrInsn) == 16, "an operation is 16 bytes");

typedef struct CpuEnv CpuEnv;

typedef enum HelperFlags {
    HELPER_PURE = 1 << 0, /* result from the arguments only */
    HELPER_LEAF = 1 << 1, /* general registers only; neither reads nor writes gvars; cannot raise */
    HELPER_MAY_RAISE = 1 << 2, /* may call cpu_raise(): the block is left at this instruction */
    HELPER_FLOAT_RESULT =
        1 << 3, /* result (and arguments of float type) are passed as bits in uint64_t */
} HelperFlags;

/*
 * A C function that generated code calls as fn(env, a, b, c) with 64-bit arguments (i32 zero-extended, floats
 * as bits). Without HELPER_LEAF every guest register is in its home in CpuEnv during the call and may be
 * read and changed there.
 */
typedef struct Helper {
    const char *name;
    uint64_t (*fn)(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c);
    uint8_t flags;
} Helper;

/* A guest register as the IR sees it. */
typedef struct GVar {
    const char *name;
    uint32_t offset; /* from CpuEnv: its home */
    uint8_t type;    /* IrType */
    uint8_t pin;     /* 1: first to get a host register of its class ... 0: stays in memory */
} GVar;

enum {
    IR_MAX_INSNS = 64, /* guest instructions in a block */
    IR_MAX_OPS =
        1024, /* with the constants; a frontend ends the block when less than IR_ROOM is left */
    IR_ROOM = 128,
    IR_CONSTS = IR_MAX_OPS, /* where the constants begin in IrBlock.ops */
    IR_MAX_EXITS = 80,
    IR_MAX_LABELS = 64,
};

typedef struct Val {
    uint16_t id;
} Val; /* a struct: never mixed up with a number; id 0 is none */

typedef struct IrExit {
    uint64_t pc; /* guest virtual target */
} IrExit;

/* Where a guest instruction begins. */
typedef struct IrMark {
    uint16_t op;    /* index of its first operation */
    uint16_t guest; /* offset from the block's pc */
    uint8_t length; /* bytes */
} IrMark;

/* An operation that may leave the block, or is a label or a call: its index, and that of its guest instruction. */
typedef struct IrObserver {
    uint16_t op;
    uint8_t insn;
} IrObserver;

/* What the builder knows of a gvar. */
typedef struct IrGvarState {
    uint16_t value; /* temporary that it equals; 0: unknown */
    uint16_t put;   /* 1 + index of the operation that put it; 0: none */
} IrGvarState;

/*
 * One block being translated. There is one for each CPU thread, reset by ir_begin(); nothing is allocated.
 * It is plain data: passes and hosts read the arrays directly.
 */
typedef struct IrBlock {
    const GVar *gvars;
    unsigned gvar_count;

    uint64_t pc;         /* guest virtual address of the first instruction */
    uint32_t mode;       /* CpuEnv.mode it was translated for */
    uint32_t guest_size; /* bytes of guest code covered (contiguous from pc) */
    unsigned guest_insns;
    IrMark insns[IR_MAX_INSNS];
    bool counted; /* decrements CpuEnv.budget */

    unsigned op_count, temp_count, exit_count, const_count, helper_count, label_count;
    /*
     * The operations, then, from IR_CONSTS on, the definitions of the constants: those are everywhere in the block, in
     * front of any use, and no pass over the operations meets them.
     */
    IrInsn ops[IR_CONSTS + IR_MAX_OPS];
    uint8_t types[IR_MAX_OPS + 1]; /* of each temporary */
    uint64_t consts
        [IR_MAX_OPS]; /* value of each; a vconst takes two places, and has its definition at the first */
    IrExit exits[IR_MAX_EXITS];
    const Helper *helpers[IR_MAX_OPS];

    uint16_t defined_by[IR_MAX_OPS + 1]; /* op index of each temporary's definition */

    unsigned
        observer_count; /* those that the builder appended, in order; some may have been dropped since */
    IrObserver observers[IR_MAX_OPS + 1];

    /* The folding builder's own: see ir.c. */
    uint64_t insn_pc;  /* of the current guest instruction */
    unsigned observed; /* index of the last operation that could see the gvars */
    IrGvarState gvar_state[256];
    uint8_t was_put[IR_MAX_OPS + 1]; /* of each temporary: some gvar got it */
    uint16_t cse[64];
    uint16_t const_slot[64]; /* index in consts, maybe, of a value with this hash */
} IrBlock;

/* Starts an empty block, not counted; the caller sets `counted` afterwards. */
void ir_begin(IrBlock *b, const GVar *gvars, unsigned gvar_count, uint64_t pc, uint32_t mode);

/* True while another guest instruction surely fits. */
static inline bool ir_has_room(const IrBlock *b)
{
    return b->guest_insns < IR_MAX_INSNS && b->op_count + b->const_count + IR_ROOM <= IR_MAX_OPS &&
        b->exit_count + 8 <= IR_MAX_EXITS && b->label_count + 8 <= IR_MAX_LABELS;
}

/* Marks the start of a guest instruction; length in bytes. */
void ir_insn(IrBlock *b, uint64_t pc, unsigned length);

/* Builders fold constants at once, forward puts to gets and share equal pure operations. */
Val ir_const(IrBlock *b, IrType type, uint64_t value);
/* An integer or a float. */
static inline bool ir_is_const(const IrBlock *b, Val v, uint64_t *value)
{
    unsigned at = b->defined_by[v.id];

    if (at < IR_CONSTS || b->types[v.id] == V128) {
        return false;
    }
    *value = b->consts[at - IR_CONSTS];
    return true;
}

Val ir_vconst(IrBlock *b, uint64_t low, uint64_t high);
Val ir_get_first(IrBlock *b, unsigned gvar);
static inline Val ir_get(IrBlock *b, unsigned gvar)
{
    Val known = { b->gvar_state[gvar].value };

    return known.id ? known : ir_get_first(b, gvar);
}

void ir_put(IrBlock *b, unsigned gvar, Val value);
Val ir_ldenv(IrBlock *b, IrType type, MemOp width, size_t offset);
void ir_stenv(IrBlock *b, MemOp width, size_t offset, Val value);

Val ir_op1(IrBlock *b, IrOp op, IrType type, Val x); /* neg not clz ctz popcnt orcb fneg fabs */
Val ir_op2(IrBlock *b, IrOp op, IrType type, Val x, Val y); /* add ... umax, fsgnj by ir_aux */
/* The same with a constant on the right, of which only the type's bits count: the shorter way. */
Val ir_op2_const(IrBlock *b, IrOp op, IrType type, Val x, uint64_t y);
Val ir_aux(IrBlock *b, IrOp op, IrType type, uint8_t aux, int32_t imm, Val x, Val y,
    Val z); /* any other with a result */
/* Vector operations: aux is an IrLane or FpAux; the result is a v128. For vget and vtof use ir_aux. */
Val ir_vec(IrBlock *b, IrOp op, uint8_t aux, int32_t imm, Val x, Val y, Val z);
Val ir_ext(IrBlock *b, IrType type, Val x, unsigned lsb, unsigned length);
Val ir_sext(IrBlock *b, IrType type, Val x, unsigned lsb, unsigned length);
Val ir_zext32(IrBlock *b, Val x);
Val ir_sext32(IrBlock *b, Val x); /* i32 to i64 */
Val ir_trunc32(IrBlock *b, Val x);
Val ir_setcond(IrBlock *b, IrCond cond, Val x, Val y); /* i32, 0 or 1 */
Val ir_select(IrBlock *b, Val test, Val yes, Val no);

Val ir_load(IrBlock *b, IrType type, MemOp op, Val address,
    int32_t offset); /* by type: load, fload, vload */
void ir_store(IrBlock *b, MemOp op, Val address, int32_t offset, Val value);
Val ir_load_as(IrBlock *b, IrType type, MemOp op, Val address, int32_t offset); /* integers only */
void ir_store_as(IrBlock *b, MemOp op, Val address, int32_t offset, Val value);
Val ir_rmw(IrBlock *b, RmwKind kind, IrType type, MemOp op, Val address, Val operand);
Val ir_cas(IrBlock *b, IrType type, MemOp op, Val address, Val expected, Val desired);
void ir_fence(IrBlock *b, FenceKind kind);

/* The sticky floating-point flags, an i32 of FpFlags. */
Val ir_fp_flags(IrBlock *b);
void ir_set_fp_flags(IrBlock *b, Val flags);

/* type is that of the result; unused arguments are (Val){0}. For no result use ir_call_void. */
Val ir_call(IrBlock *b, IrType type, const Helper *helper, Val x, Val y, Val z);
void ir_call_void(IrBlock *b, const Helper *helper, Val x, Val y, Val z);

unsigned ir_label_new(IrBlock *b);
void ir_label(IrBlock *b, unsigned label);
void ir_br(IrBlock *b, unsigned label);
void ir_brcond(IrBlock *b, unsigned label, IrCond cond, Val x, Val y);

/* The flag GOTO_CHECK is set by these when pc is not after the current instruction. */
void ir_goto(IrBlock *b, uint64_t pc);
void ir_goto_if(IrBlock *b, IrCond cond, Val x, Val y, uint64_t pc);
void ir_goto_val(IrBlock *b, JumpKind kind, Val pc);
void ir_exit(IrBlock *b, ExitReason reason, Val pc);

/* ---- about operations ------------------------------------------------------------------------------------ */

extern const char *const ir_op_names[IR_OP_COUNT];
extern const char *const ir_op_signatures[IR_OP_COUNT];
extern const uint16_t ir_op_effects[IR_OP_COUNT];

/* Compares operands of its type, and gives an i32. */
static inline bool ir_is_comparison(unsigned op)
{
    return op == IR_setcond || op == IR_fcmp || op == IR_forder;
}

void ir_print(const IrBlock *b, FILE *out);

/* Reads the text form of ir_print (tests); NULL when fine, else an error message that the caller frees. */
char *ir_parse(IrBlock *b, const char *text);

/* NULL when the block keeps every rule, else what is wrong (the caller frees). */
char *ir_verify(const IrBlock *b);

/* IrLive.ends: which temporaries of an operation nobody needs after it. */
enum { ENDS_A = 1, ENDS_B = 2, ENDS_C = 4, ENDS_DST = 8 };

/* Some of a block's operations, in order: their indices, at[first] to at[IR_MAX_OPS - 1]. */
typedef struct IrList {
    unsigned first;
    uint16_t at[IR_MAX_OPS];
} IrList;

/*
 * The backward pass of tier 1: drops dead operations (op becomes IR_OP_COUNT), says for each temporary where its last
 * use is, and lists what is left, so that a host need not look at the rest.
 */
typedef struct IrLive {
    uint32_t use[IR_MAX_OPS +
        1]; /* of each temporary: index of the last, and from IR_USE_COUNT on how many; 0: none */
    uint8_t ends[IR_MAX_OPS]; /* of each operation */
    IrList work;
} IrLive;

enum { IR_USE_COUNT = 16 };

static inline unsigned ir_last_use(const IrLive *live, unsigned t)
{
    return (uint16_t)live->use[t];
}

static inline unsigned ir_use_count(const IrLive *live, unsigned t)
{
    return live->use[t] >> IR_USE_COUNT;
}

void ir_live(IrBlock *b, IrLive *live);

#endif

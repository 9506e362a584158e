/*
 * One block on its way to x86-64 code: where each value is, and what the emitters of operations share.
 *
 * Registers: RBP is env + ENV_BIAS, RSP the host's stack; RAX RCX RDX and xmm12-15 hold temporaries;
 * all others are pins, the homes of the guest registers with the lowest GVar.pin.
 */
#ifndef TCG_HOST_X86_64_GEN_H
#define TCG_HOST_X86_64_GEN_H

#include <glib.h>

#include "tcg/eval.h"
#include "tcg/host.h"
#include "tcg/host/x86_64/area.h"
#include "tcg/host/x86_64/encode.h"

/*
 * What few operations need is kept out of the functions that all go through, which then have no registers to save.
 */
#define RARE __attribute__((cold, noinline))
#define APART __attribute__((noinline))

typedef enum RegClass { GENERAL, VECTOR } RegClass;

/* Where a temporary's value is; several at once when they are equal. */
typedef enum Place { IN_CONST = 1, IN_GVAR = 2, IN_REG = 4, IN_SPILL = 8 } Place;

typedef struct Temp {
    uint8_t places : 4;
    bool alone : 1; /* a float: the rest of a vector register that holds it is zero */
    bool dirty : 1; /* the value is the low 32 bits of what is there, zero-extended */
    uint8_t reg;    /* IN_REG: a scratch register, this temporary's own */
    uint8_t gvar;   /* IN_GVAR: its pin or its home */
    uint8_t also;   /* another gvar that was given it; true while gvar_value says so */
    uint16_t spill; /* IN_SPILL: slot */
    uint16_t next;  /* IN_GVAR: the next temporary that is the same gvar */
} Temp;

/* Where a temporary was at some place in the code, for use out of line. */
typedef struct Value {
    uint8_t kind; /* ValueKind */
    uint8_t type; /* IrType; I32 for an I64 that is dirty */
    union {
        Rm rm;             /* VALUE_AT */
        uint64_t constant; /* VALUE_CONST */
    };
} Value;

typedef enum ValueKind { VALUE_NONE, VALUE_CONST, VALUE_AT } ValueKind;

typedef struct Gen Gen;
typedef struct Late Late;

/* Code out of line, behind the block's end: slow paths and exits. */
struct Late {
    void (*emit)(Gen *g, const Late *late);
    uint8_t *from;             /* displacement of the jump that comes here; NULL: none */
    uint8_t *retry, *back;     /* where it may go on; retry NULL: only back */
    uint32_t key;              /* for C: see slow.h; or an fp_key */
    int32_t disp;              /* of an access: the address is base + disp */
    uint8_t base, value;       /* ... registers; what is stored, or SLOW_IN_CALL: operand[1] */
    uint8_t result, temporary; /* registers */
    uint8_t windows;           /* registers of the windows that are open here, a bit each */
    uint8_t type;              /* of the result */
    uint8_t exit;              /* index in IrBlock.exits */
    uint8_t insn;              /* the guest instruction: index in IrBlock.insns */
    Value operand[3];
};

/*
 * One check of the TLB for several accesses to the same base: the addend stays in a scratch register, 0 when
 * the check failed (then each access does its own, in C). Open until a label, a call, or the register is needed.
 */
typedef struct Window {
    uint16_t address; /* temporary; 0: closed */
    uint16_t last;    /* operation that uses it last */
    uint8_t reg;
    bool write;        /* found in the array of writable pages; good for loads as well */
    int32_t low, high; /* bytes covered, relative to the address */
} Window;

enum { WINDOWS = 2 };

enum { LATE_MAX = 2 * IR_MAX_OPS + 4 * IR_MAX_EXITS, LATE_BYTES = 160, OP_BYTES = 512 };
enum { UNLINKED_BYTES = 16 }; /* of an exit, out of line */

struct Gen {
    Code code;
    const uint8_t *write_end, *room_end; /* of all; without what the code out of line will need */
    const IrBlock *b;
    const IrLive *live;
    const Area *area;
    Emitted *out;
    uint8_t *start;
    VectorLevel level;

    unsigned at;        /* index of the current operation */
    unsigned step;      /* where that is in live->work */
    unsigned insns;     /* guest instructions that have begun, when that was last asked for */
    unsigned observer;  /* the next in b->observers, when that was last asked for */
    bool alone;         /* the result of the current one will be: see Temp */
    bool put_done;      /* the current one did what the next one, a put of its result, asks for */
    uint32_t locked[2]; /* registers of each class that the current operation uses */
    uint32_t used[2];   /* scratch registers that own a temporary */
    uint16_t owner[2][32];    /* of a used one: its temporary; 0: a window has it */
    uint16_t gvar_temp[256];  /* temporaries that are IN_GVAR */
    uint16_t gvar_value[256]; /* temporary that was put there last, 0: unknown */
    uint16_t free_spills[IR_MAX_OPS];
    unsigned free_spill_count, spill_count;
    uint8_t *label[IR_MAX_LABELS];
    uint8_t *label_jumps[IR_MAX_LABELS]; /* chain of displacements to fill in */
    Window windows[WINDOWS];
    uint8_t window_regs;  /* registers of those that are open, a bit each */
    unsigned windows_end; /* no window closes before this operation is done */
    unsigned late_count;
    Temp temps[IR_MAX_OPS + 1];
    Late late[LATE_MAX];
};

static inline IrType gen_type(const Gen *g, unsigned t)
{
    return (IrType)g->b->types[t];
}

static inline RegClass class_of(IrType type)
{
    return type >= F32 ? VECTOR : GENERAL;
}

/* For `avoid`. */
static inline uint32_t rm_bit(Rm rm)
{
    return rm.kind == RM_REG ? 1u << rm.base : 0;
}

static inline Rm env_rm(int offset)
{
    return rm_mem(RBP, offset - ENV_BIAS);
}

#define ENV(field) env_rm(offsetof(CpuEnv, field))
#define AREA(field) rm_area(offsetof(Area, field))

/* Is the temporary needed after the current operation? */
static inline bool gen_lives(const Gen *g, unsigned t)
{
    return ir_last_use(g->live, t) > g->at;
}

/* The operation after *step, which moves on to it; NULL at the end. */
static inline const IrInsn *gen_next(const Gen *g, unsigned *step)
{
    return ++*step < IR_MAX_OPS ? &g->b->ops[g->live->work.at[*step]] : NULL;
}

/* Two operations became one: the walk goes on to the second of them. */
static inline void gen_advance(Gen *g, unsigned step)
{
    g->step = step;
    g->at = g->live->work.at[step];
}

/* The guest instruction that the current operation is part of: index in IrBlock.insns. */
unsigned gen_insn(Gen *g);

/* ---- code out of line ------------------------------------------------------------------------------ */

Late *gen_late(Gen *g, void (*emit)(Gen *g, const Late *late));
/* The same, for who fills in all of it. */
static inline Late *gen_late_empty(Gen *g)
{
    g_assert(g->late_count < LATE_MAX);
    g->room_end -= LATE_BYTES;
    return &g->late[g->late_count++];
}
/* Stores a value to env->call[slot], by way of `temporary` if it has to. */
void late_argument(Gen *g, const Value *value, unsigned slot, unsigned temporary);
/* What is called before `at` may fault or raise, and returns there. */
void gen_side(Gen *g, unsigned insn, const uint8_t *at);
/* The ways out of exits that are not linked, behind all other code. False: no room. */
bool gen_unlinked(Gen *g);

/* ---- rows: an emitter for each operation, with a number that tells similar ones apart --------------- */

typedef struct Row {
    void (*emit)(Gen *g, const IrInsn *op, unsigned detail);
    unsigned detail;
} Row;

/* clang-format off */
#define EMITTERS(_)                                                                                \
    _(alu)                                                                                         \
    _(add) _(sub) _(unary) _(andn) _(orn) _(mul) _(mul_high) _(mulhsu) _(divide) _(shift) _(ext)   \
    _(sext) _(dep) _(alias) _(bswap) _(count) _(popcnt) _(orcb) _(minmax) _(setcond) _(select)     \
    _(ldenv) _(stenv) _(load) _(store) _(load_as) _(store_as) _(rmw) _(cas) _(fence)               \
    _(fp2) _(fsqrt) _(fma) _(fminmax) _(fsoft) _(fround) _(forder) _(fcmp) _(fcvt) _(ftoi) _(itof) _(getflags) _(setflags) _(fsign)                    \
    _(fsgnj) _(fbits) _(bitsf) _(fbox) _(funbox) _(get) _(put)                                     \
    _(vector) _(vfromf) _(vtof) _(vlow) _(vdup) _(vduplane) _(vget) _(vset) _(vins) _(vbinary)     \
    _(vzip) _(vunzip) _(vtranspose) _(vext) _(vrev) _(vtable) _(vlanes) _(vunary) _(vneg) _(vmul)  \
    _(vandn) _(vnot) _(vorn) _(vselect) _(vshl) _(vshr) _(vcmp) _(vtest) _(vpopcnt) _(vbitrev)     \
    _(vwiden) _(vmulwide) _(vnarrow) _(vreduce) _(vclmul) _(vaesbox) _(vaesmix)                    \
    _(vsha1) _(vsha256)                                                                            \
    _(vfbinary) _(vfsqrt) _(vfma) _(vfminmax) _(vfround) _(vfcmp) _(vftoi) _(vitof) _(vfwiden)     \
    _(vfnarrow)                                                                                    \
    _(label) _(brcond) _(br) _(goto) _(gotocond) _(gotoval) _(exit) _(call)
/* clang-format on */

#define EMITTER(name) void emit_##name(Gen *g, const IrInsn *op, unsigned detail);
EMITTERS(EMITTER)
#undef EMITTER

enum { DIVIDE_SIGNED = 1, DIVIDE_REMAINDER = 2 }; /* details of emit_divide */
enum { COUNT_LEADING, COUNT_TRAILING };           /* of emit_count */

/* What is compared, where one instruction can do it. Until the operation is done. */
typedef struct Compared {
    Rm x, y;
    bool wide;
} Compared;

Compared gen_compared(Gen *g, IrType type, unsigned a, unsigned b);
/* One instruction; the flags answer by the condition that is returned. */
Cond gen_compare(Gen *g, const Compared *compared, IrCond cond);
/* A setcond whose only use is the operation after it is fused; true when it was. */
bool gen_fuse_setcond(Gen *g, const IrInsn *op);

#endif

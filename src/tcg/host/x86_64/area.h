/*
 * The first bytes of a code cache: constants and entries that all of its blocks share, made by
 * Host.init for one ISA's gvars.
 */
#ifndef TCG_HOST_X86_64_AREA_H
#define TCG_HOST_X86_64_AREA_H

#include <stdbool.h>
#include <stdint.h>

#include "tcg/host.h"
#include "tcg/host/x86_64/encode.h"

enum {
    ENV_BIAS = 128, /* RBP - env: 256 bytes are within reach of an 8-bit displacement */
    AREA_SIZE = 16384,
    CHECK_SIZE = 39, /* bytes of Area.check that are used ... */
    CHECK_ROOM = 40,
    CHECK_MASK = 9,  /* ... where in them the mask of the tag is, ... */
    CHECK_JUMP = 27, /* ... and the displacement of the jump to the slow path */
    CHECK_WRITE = 1, /* its kind: of the write array, ... */
    CHECK_OTHER = 2, /* ... in the other data context */
    CHECK_KINDS = 4,
    CHECK_INDEX_MASK = (TLB_SIZE - 1) << 4,
};

_Static_assert(sizeof(TlbEntry) == 16, "an entry's number times 16 is its offset");

/* The displacement of a TLB array from RBP. */
static inline int area_tlb_array(bool write)
{
    return (write ? FAR_OFFSET(write) : FAR_OFFSET(read)) - ENV_BIAS;
}

/* What generated code goes to outside of blocks. */
typedef enum Thunk {
    THUNK_ENTER,   /* as a C function: (env, code) */
    THUNK_LEAVE,   /* EAX: ExitReason; env->pc is set */
    THUNK_CHAIN,   /* RAX: BlockExit */
    THUNK_REQUEST, /* RAX: BlockExit */
    THUNK_LOOKUP,  /* RAX: pc */
    THUNK_SLOW,    /* see slow.h */
    THUNK_SOFT,    /* fp_eval: env->call, key in call[3]; result in call[0] */
    THUNK_VECTOR,  /* vec_eval: env->vec, key in call[3]; result in vec[0] */
    THUNK_LEAF,    /* RAX: function, call[0], RDX, RCX: arguments; result RAX */
    THUNK_CALL,    /* the same, with the guest registers at home */
    THUNK_COUNT,
} Thunk;

typedef struct Features {
    VectorLevel level;
    bool bmi1, bmi2, lzcnt, fma, movbe, aes, pclmul, sha;
    bool gfni, bitalg; /* with AVX-512 only */
} Features;

typedef struct Area {
    uint64_t sign32[2], sign64[2]; /* masks of all lanes, 16-byte aligned */
    uint64_t magnitude32[2], magnitude64[2];
    uint64_t box[2];
    IrVec normals32, normals64; /* the least normal number in all lanes */
    IrVec low_half[3];          /* of 16, 32 and 64 bits: ones below */
    IrVec reversed[3];          /* pshufb: the bytes of 2, 4 and 8 turned round */
    IrVec sixteens[4];          /* bytes of 0, 16, 32, 48 */
    IrVec outside;              /* bytes of 0x70: with it 16 and more reach the highest bit */
    IrVec low_nibble, bits_of_nibble;
    IrVec sha1_constants[3];     /* of the first 20 rounds, the second, the third */
    IrVec bit_mirror;            /* gf2p8affineqb: the bits of a byte turned round */
    uint64_t nan32, nan64;       /* the default NaN */
    uint64_t normal32, normal64; /* the least normal number */
    uint8_t flags_of_mxcsr[64];  /* FpFlags of its low bits */
    const uint8_t *thunk[THUNK_COUNT];
    uint8_t pin[256]; /* register of each gvar, NO_REG: at home */
    uint8_t check[CHECK_KINDS][3][3]
                 [CHECK_ROOM]; /* most of a TLB check, see mem.c: by kind, page and tag register */
    Features features;
} Area;

/*
 * What this machine has; only the baseline, x86-64-v2, when LATHE_X86_BASELINE is in the environment; with AVX
 * when it says "avx".
 */
Features x86_features(void);

/* Fills the area; its size, 0 when it does not fit. */
size_t area_init(
    uint8_t *write, const uint8_t *execute, size_t room, const GVar *gvars, unsigned gvar_count);

#endif

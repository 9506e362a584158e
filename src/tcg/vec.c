/* See vec.h. */
#include "tcg/vec.h"

#include "tcg/fp.h"

#include "tcg/general-regs.h"
#include "tcg/eval.h" /* inline functions: they have to be compiled the same way */

typedef __int128 Number;

/* What an operation is asked for, and the shape of its operands. */
typedef struct Shape {
    CpuEnv *env;
    IrOp op;
    unsigned aux, imm;
    unsigned size, bits, count; /* of a lane: log2 of the bytes, bits; lanes in a vector */
    const IrVec *c;
} Shape;

/* ---- lanes --------------------------------------------------------------------------------- */

static bool has(const Shape *s, IrLane flag)
{
    return s->aux & flag;
}

static Number number_of(uint64_t value, unsigned bits, bool is_signed)
{
    return is_signed ? (Number)sign_extend(value, bits) : (Number)value;
}

/* A lane's value as the number it stands for. */
static Number number(const Shape *s, uint64_t value)
{
    return number_of(value, s->bits, has(s, LANE_SIGNED));
}

static uint64_t clamp(Number value, unsigned bits, bool is_signed)
{
    Number max = (Number)low_mask(bits) >> is_signed, min = is_signed ? -max - 1 : 0;

    return (uint64_t)(value > max ? max : value < min ? min : value);
}

/* ---- each lane for itself ------------------------------------------------------------------ */

typedef uint64_t LaneFunction(const Shape *s, uint64_t a, uint64_t b);

static uint64_t lane_add(const Shape *s, uint64_t a, uint64_t b)
{
    return a + b;
}

static uint64_t lane_sub(const Shape *s, uint64_t a, uint64_t b)
{
    return a - b;
}

static uint64_t lane_neg(const Shape *s, uint64_t a, uint64_t b)
{
    return -a;
}

static uint64_t lane_abs(const Shape *s, uint64_t a, uint64_t b)
{
    return a >> (s->bits - 1) ? -a : a;
}

static uint64_t lane_mul(const Shape *s, uint64_t a, uint64_t b)
{
    return a * b;
}

static uint64_t lane_smin(const Shape *s, uint64_t a, uint64_t b)
{
    return sign_extend(a, s->bits) < sign_extend(b, s->bits) ? a : b;
}

static uint64_t lane_smax(const Shape *s, uint64_t a, uint64_t b)
{
    return sign_extend(a, s->bits) > sign_extend(b, s->bits) ? a : b;
}

static uint64_t lane_umin(const Shape *s, uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t lane_umax(const Shape *s, uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t lane_hadd(const Shape *s, uint64_t a, uint64_t b)
{
    return (uint64_t)((number(s, a) + number(s, b) + has(s, LANE_ROUND)) >> 1);
}

static uint64_t lane_hsub(const Shape *s, uint64_t a, uint64_t b)
{
    return (uint64_t)((number(s, a) - number(s, b)) >> 1);
}

static uint64_t lane_addsat(const Shape *s, uint64_t a, uint64_t b)
{
    return clamp(number(s, a) + number(s, b), s->bits, has(s, LANE_SIGNED));
}

static uint64_t lane_subsat(const Shape *s, uint64_t a, uint64_t b)
{
    return clamp(number(s, a) - number(s, b), s->bits, has(s, LANE_SIGNED));
}

static uint64_t lane_mulhsat(const Shape *s, uint64_t a, uint64_t b)
{
    Number product = number_of(a, s->bits, true) * number_of(b, s->bits, true);
    Number half = has(s, LANE_ROUND) ? (Number)1 << (s->bits - 2) : 0;

    return clamp((product + half) >> (s->bits - 1), s->bits, true);
}

static uint64_t lane_shl(const Shape *s, uint64_t a, uint64_t b)
{
    return s->imm < s->bits ? a << s->imm : 0;
}

static Number shift_right(const Shape *s, Number value, unsigned count)
{
    if (count > 65) {
        count = 65; /* beyond the widest lane and its rounding bit */
    }
    if (count && has(s, LANE_ROUND)) {
        value += (Number)1 << (count - 1);
    }
    return value >> count;
}

static uint64_t lane_shr(const Shape *s, uint64_t a, uint64_t b)
{
    return (uint64_t)shift_right(s, number(s, a), s->imm);
}

static uint64_t shift_left(const Shape *s, uint64_t a, unsigned count)
{
    bool to_signed = has(s, LANE_SIGNED) && !has(s, LANE_UNSIGN);
    Number value = number(s, a);

    if (!has(s, LANE_SAT)) {
        return count < s->bits ? a << count : 0;
    }
    if (count >= s->bits) { /* all but 0 are too large, as one shift less says */
        return value == 0
            ? 0
            : clamp(value < 0 ? -((Number)1 << 64) : (Number)1 << 64, s->bits, to_signed);
    }
    return clamp(value * ((Number)1 << count), s->bits, to_signed);
}

static uint64_t lane_shift(const Shape *s, uint64_t a, uint64_t b)
{
    int count = (int8_t)b;
    bool to_signed = has(s, LANE_SIGNED) && !has(s, LANE_UNSIGN);
    Number shifted;

    if (count >= 0) {
        return shift_left(s, a, (unsigned)count);
    }
    shifted = shift_right(s, number(s, a), (unsigned)-count);
    return has(s, LANE_SAT) ? clamp(shifted, s->bits, to_signed) : (uint64_t)shifted;
}

static uint64_t mask_of(bool condition)
{
    return condition ? UINT64_MAX : 0;
}

static uint64_t lane_cmp(const Shape *s, uint64_t a, uint64_t b)
{
    return mask_of(ir_eval_cond(
        (IrCond)s->imm, I64, (uint64_t)sign_extend(a, s->bits), (uint64_t)sign_extend(b, s->bits)));
}

static uint64_t lane_test(const Shape *s, uint64_t a, uint64_t b)
{
    return mask_of(a & b);
}

static uint64_t lane_clz(const Shape *s, uint64_t a, uint64_t b)
{
    return a ? (unsigned)__builtin_clzll(a) - (64 - s->bits) : s->bits;
}

static uint64_t lane_cls(const Shape *s, uint64_t a, uint64_t b)
{
    return (unsigned)__builtin_clrsbll(sign_extend(a, s->bits)) - (64 - s->bits);
}

static uint64_t lane_popcnt(const Shape *s, uint64_t a, uint64_t b)
{
    return (unsigned)__builtin_popcountll(a);
}

static uint64_t lane_bitrev(const Shape *s, uint64_t a, uint64_t b)
{
    uint64_t result = 0;

    for (unsigned n = 0; n < s->bits; n++) {
        result = result << 1 | (a >> n & 1);
    }
    return result;
}

static LaneFunction *const lane_functions[IR_OP_COUNT] = {
    [IR_vadd] = lane_add,
    [IR_vsub] = lane_sub,
    [IR_vneg] = lane_neg,
    [IR_vabs] = lane_abs,
    [IR_vmul] = lane_mul,
    [IR_vsmin] = lane_smin,
    [IR_vsmax] = lane_smax,
    [IR_vumin] = lane_umin,
    [IR_vumax] = lane_umax,
    [IR_vhadd] = lane_hadd,
    [IR_vhsub] = lane_hsub,
    [IR_vaddsat] = lane_addsat,
    [IR_vsubsat] = lane_subsat,
    [IR_vmulhsat] = lane_mulhsat,
    [IR_vshl] = lane_shl,
    [IR_vshr] = lane_shr,
    [IR_vshift] = lane_shift,
    [IR_vcmp] = lane_cmp,
    [IR_vtest] = lane_test,
    [IR_vclz] = lane_clz,
    [IR_vcls] = lane_cls,
    [IR_vpopcnt] = lane_popcnt,
    [IR_vbitrev] = lane_bitrev,
};

/* ---- bits and places ----------------------------------------------------------------------- */

/* *r is zero at first, and none of the operands. */
typedef void VectorFunction(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b);

static void vec_fromf(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    r->d[0] = a->d[0];
}

static void vec_tof(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    r->d[0] = lane(a, s->size, s->imm);
}

static void vec_low(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    for (unsigned n = 0; n < s->imm; n++) {
        r->b[n] = a->b[n];
    }
}

static void fill(const Shape *s, IrVec *r, uint64_t value)
{
    for (unsigned n = 0; n < s->count; n++) {
        set_lane(r, s->size, n, value);
    }
}

static void vec_dup(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    fill(s, r, a->d[0]);
}

static void vec_duplane(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    fill(s, r, lane(a, s->size, s->imm));
}

static void vec_get(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    r->d[0] = (uint64_t)number(s, lane(a, s->size, s->imm));
}

static void vec_set(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    *r = *a;
    set_lane(r, s->size, s->imm, b->d[0]);
}

static void vec_ins(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    *r = *a;
    set_lane(r, s->size, s->imm & 15, lane(b, s->size, s->imm >> 4));
}

static void vec_logic(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    for (unsigned n = 0; n < 2; n++) {
        uint64_t x = a->d[n], y = b->d[n];

        switch (s->op) {
        case IR_vand: r->d[n] = x & y; break;
        case IR_vor: r->d[n] = x | y; break;
        case IR_vxor: r->d[n] = x ^ y; break;
        case IR_vandn: r->d[n] = x & ~y; break;
        case IR_vorn: r->d[n] = x | ~y; break;
        case IR_vnot: r->d[n] = ~x; break;
        default: r->d[n] = (x & y) | (~x & s->c->d[n]); break; /* vselect */
        }
    }
}

static void vec_rev(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    unsigned last = (s->imm >> s->size) - 1; /* in its group */

    for (unsigned n = 0; n < s->count; n++) {
        set_lane(r, s->size, n, lane(a, s->size, n ^ last));
    }
}

static void vec_ext(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    for (unsigned n = 0; n < 16; n++) {
        unsigned from = n + s->imm;

        r->b[n] = from < 16 ? a->b[from] : b->b[from - 16];
    }
}

static void vec_zip(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    unsigned from = s->op == IR_vziphi ? s->count / 2 : 0;

    for (unsigned n = 0; n < s->count; n++) {
        set_lane(r, s->size, n, lane(n & 1 ? b : a, s->size, from + n / 2));
    }
}

static void vec_unzip(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    unsigned half = s->count / 2, odd = s->op == IR_vodd;

    for (unsigned n = 0; n < s->count; n++) {
        set_lane(r, s->size, n, lane(n < half ? a : b, s->size, n % half * 2 + odd));
    }
}

static void vec_transpose(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    unsigned odd = s->op == IR_vtrnodd;

    for (unsigned n = 0; n < s->count; n++) {
        set_lane(r, s->size, n, lane(n & 1 ? b : a, s->size, (n & ~1u) + odd));
    }
}

static void vec_table(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    for (unsigned n = 0; n < 16; n++) {
        uint8_t index = (uint8_t)(b->b[n] - s->imm);

        r->b[n] = index < 16 ? a->b[index] : s->c->b[n];
    }
}

/* ---- other widths -------------------------------------------------------------------------- */

static unsigned first_lane(const Shape *s)
{
    return has(s, LANE_HIGH) ? s->count / 2 : 0;
}

static void vec_widen(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    for (unsigned n = 0; n < s->count / 2; n++) {
        set_lane(r, s->size + 1, n, (uint64_t)number(s, lane(a, s->size, first_lane(s) + n)));
    }
}

static void vec_mulwide(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    for (unsigned n = 0; n < s->count / 2; n++) {
        unsigned from = first_lane(s) + n;

        set_lane(r, s->size + 1, n,
            (uint64_t)(number(s, lane(a, s->size, from)) * number(s, lane(b, s->size, from))));
    }
}

static unsigned __int128 carryless_product(uint64_t a, uint64_t b)
{
    unsigned __int128 product = 0;

    for (; b; b &= b - 1) {
        product ^= (unsigned __int128)a << __builtin_ctzll(b);
    }
    return product;
}

static void vec_clmul(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    for (unsigned n = 0; n < s->count / 2; n++) {
        unsigned from = first_lane(s) + n;
        unsigned __int128 product = carryless_product(
            lane(a, s->size, from), lane(b, s->size, from));

        if (s->size == LANE_64) {
            r->d[0] = (uint64_t)product;
            r->d[1] = (uint64_t)(product >> 64);
        } else {
            set_lane(r, s->size + 1, n, (uint64_t)product);
        }
    }
}

static void vec_narrow(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    bool to_signed = has(s, LANE_SIGNED) && !has(s, LANE_UNSIGN);

    for (unsigned n = 0; n < 2 * s->count; n++) {
        uint64_t value = lane(n < s->count ? a : b, s->size, n % s->count);

        if (has(s, LANE_SAT)) {
            value = clamp(number(s, value), s->bits / 2, to_signed);
        }
        set_lane(r, s->size - 1, n, value);
    }
}

/* ---- across lanes -------------------------------------------------------------------------- */

static uint64_t better(const Shape *s, uint64_t a, uint64_t b)
{
    bool greater = number(s, a) > number(s, b);

    return greater == (s->op == IR_vmaxall) ? a : b;
}

static void vec_reduce(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    uint64_t result = lane(a, s->size, 0);

    for (unsigned n = 1; n < s->imm >> s->size; n++) {
        uint64_t value = lane(a, s->size, n);

        result = s->op == IR_vsum ? result + value : better(s, result, value);
    }
    set_lane(r, s->size, 0, result);
}

static void vec_dot(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    for (unsigned n = 0; n < 16; n++) {
        Number x = number_of(b->b[n], 8, has(s, LANE_SIGNED));
        Number y = number_of(s->c->b[n], 8, !has(s, LANE_UNSIGN));

        r->w[n / 4] += (n % 4 ? 0 : a->w[n / 4]) + (uint32_t)(x * y);
    }
}

/* ---- AES: FIPS 197, 5.1 and 5.3; byte n is row n % 4 of column n / 4 ----------------------- */

/* clang-format off */
static const uint8_t aes_box[2][256] = {
    {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
    },
    {
    0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
    0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
    0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
    0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
    0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
    0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
    0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
    0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
    0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
    0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
    0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
    0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
    0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
    0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
    0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
    0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
    },
};
/* clang-format on */

static void vec_aesbox(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    unsigned turn = s->aux & 1 ? 13 : 5; /* a row further, one or three columns on */

    for (unsigned n = 0; n < 16; n++) {
        unsigned from = (n + n % 4 * (turn - 1)) % 16;

        r->b[n] = aes_box[s->aux & 1][a->b[from]];
    }
}

static unsigned aes_product(unsigned a, unsigned b)
{
    unsigned product = 0;

    for (; b; b >>= 1) {
        product ^= b & 1 ? a : 0;
        a = a << 1 ^ (a & 0x80 ? 0x11b : 0);
    }
    return product;
}

static void vec_aesmix(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    static const uint8_t factors[2][4] = { { 2, 3, 1, 1 }, { 14, 11, 13, 9 } };

    for (unsigned n = 0; n < 16; n++) {
        for (unsigned row = 0; row < 4; row++) {
            r->b[n] ^= (uint8_t)aes_product(
                a->b[n / 4 * 4 + (n + row) % 4], factors[s->aux & 1][row]);
        }
    }
}

/* ---- hashes: FIPS 180-4 --------------------------------------------------------------------- */

static uint32_t rotr(uint32_t x, unsigned count)
{
    return x >> count | x << (32 - count);
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & (y ^ z)) ^ z;
}

static uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | ((x | y) & z);
}

/* Words up by one, the first one new. */
static void push_word(IrVec *v, uint32_t first)
{
    *v = (IrVec){ .w = { first, v->w[0], v->w[1], v->w[2] } };
}

static void vec_sha1(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    uint32_t e = b->w[0];

    *r = *a;
    for (unsigned round = 0; round < 4; round++) {
        uint32_t mixed = s->aux == 0 ? choose(r->w[1], r->w[2], r->w[3])
            : s->aux == 1            ? parity(r->w[1], r->w[2], r->w[3])
                                     : majority(r->w[1], r->w[2], r->w[3]);
        uint32_t sum = e + rotr(r->w[0], 27) + mixed + s->c->w[round];

        e = r->w[3];
        r->w[1] = rotr(r->w[1], 2);
        push_word(r, sum);
    }
}

static void vec_sha256(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    IrVec x = *a, y = *b;

    for (unsigned round = 0; round < 4; round++) {
        uint32_t e = y.w[0], f = x.w[0], d = x.w[3];
        uint32_t sum = y.w[3] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
            choose(e, y.w[1], y.w[2]) + s->c->w[round];

        push_word(&x, sum + (rotr(f, 2) ^ rotr(f, 13) ^ rotr(f, 22)) + majority(f, x.w[1], x.w[2]));
        push_word(&y, d + sum);
    }
    *r = s->aux & 1 ? y : x;
}

/* ---- floats -------------------------------------------------------------------------------- */

/* The operation on each lane. */
static const uint8_t scalar_ops[IR_OP_COUNT] = {
    [IR_vfadd] = IR_fadd,
    [IR_vfsub] = IR_fsub,
    [IR_vfmul] = IR_fmul,
    [IR_vfdiv] = IR_fdiv,
    [IR_vfsqrt] = IR_fsqrt,
    [IR_vfmadd] = IR_fmadd,
    [IR_vfnmsub] = IR_fnmsub,
    [IR_vfmin] = IR_fmin,
    [IR_vfmax] = IR_fmax,
    [IR_vfround] = IR_fround,
    [IR_vfcmp] = IR_fcmp,
    [IR_vftoi] = IR_ftoi,
    [IR_vitof] = IR_itof,
    [IR_vfwiden] = IR_fcvt,
    [IR_vfnarrow] = IR_fcvt,
};

static FpAsk ask_lanes(const Shape *s)
{
    return (FpAsk){
        .op = (IrOp)scalar_ops[s->op],
        .to = (uint8_t)s->size,
        .from = (uint8_t)s->size,
        .aux = (uint8_t)s->aux,
        .more = (uint8_t)(s->imm >> VF_MORE),
    };
}

static unsigned float_lanes(const Shape *s)
{
    return s->imm & VF_SCALAR ? 1 : s->count;
}

static void vec_float(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    FpAsk ask = ask_lanes(s);

    for (unsigned n = 0; n < float_lanes(s); n++) {
        set_lane(r, s->size, n,
            fp_eval_as(
                s->env, &ask, lane(a, s->size, n), lane(b, s->size, n), lane(s->c, s->size, n)));
    }
}

static void vec_float_cmp(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    FpAsk ask = ask_lanes(s);

    ask.aux = (uint8_t)((s->aux & FP_FLUSH) | ask.more);
    for (unsigned n = 0; n < float_lanes(s); n++) {
        uint64_t answer = fp_eval_as(s->env, &ask, lane(a, s->size, n), lane(b, s->size, n), 0);

        set_lane(r, s->size, n, mask_of(answer));
    }
}

static void vec_float_widen(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    FpAsk ask = ask_lanes(s);
    unsigned half = s->count / 2, from = s->imm >> VF_MORE & 1 ? half : 0;

    ask.to++;
    for (unsigned n = 0; n < half; n++) {
        set_lane(r, s->size + 1, n, fp_eval_as(s->env, &ask, lane(a, s->size, from + n), 0, 0));
    }
}

static void vec_float_narrow(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    FpAsk ask = ask_lanes(s);

    ask.to--;
    for (unsigned n = 0; n < 2 * s->count; n++) {
        uint64_t value = lane(n < s->count ? a : b, s->size, n % s->count);

        set_lane(r, s->size - 1, n, fp_eval_as(s->env, &ask, value, 0, 0));
    }
}

/* ---- all ----------------------------------------------------------------------------------- */

static VectorFunction *const vector_functions[IR_OP_COUNT] = {
    [IR_vfromf] = vec_fromf,
    [IR_vtof] = vec_tof,
    [IR_vlow] = vec_low,
    [IR_vdup] = vec_dup,
    [IR_vduplane] = vec_duplane,
    [IR_vget] = vec_get,
    [IR_vset] = vec_set,
    [IR_vins] = vec_ins,
    [IR_vand] = vec_logic,
    [IR_vor] = vec_logic,
    [IR_vxor] = vec_logic,
    [IR_vandn] = vec_logic,
    [IR_vorn] = vec_logic,
    [IR_vnot] = vec_logic,
    [IR_vselect] = vec_logic,
    [IR_vrev] = vec_rev,
    [IR_vext] = vec_ext,
    [IR_vziplo] = vec_zip,
    [IR_vziphi] = vec_zip,
    [IR_veven] = vec_unzip,
    [IR_vodd] = vec_unzip,
    [IR_vtrneven] = vec_transpose,
    [IR_vtrnodd] = vec_transpose,
    [IR_vtable] = vec_table,
    [IR_vwiden] = vec_widen,
    [IR_vmulwide] = vec_mulwide,
    [IR_vclmul] = vec_clmul,
    [IR_vnarrow] = vec_narrow,
    [IR_vsum] = vec_reduce,
    [IR_vminall] = vec_reduce,
    [IR_vmaxall] = vec_reduce,
    [IR_vdot] = vec_dot,
    [IR_vaesbox] = vec_aesbox,
    [IR_vaesmix] = vec_aesmix,
    [IR_vsha1] = vec_sha1,
    [IR_vsha256] = vec_sha256,
    [IR_vfadd] = vec_float,
    [IR_vfsub] = vec_float,
    [IR_vfmul] = vec_float,
    [IR_vfdiv] = vec_float,
    [IR_vfsqrt] = vec_float,
    [IR_vfmadd] = vec_float,
    [IR_vfnmsub] = vec_float,
    [IR_vfmin] = vec_float,
    [IR_vfmax] = vec_float,
    [IR_vfround] = vec_float,
    [IR_vfcmp] = vec_float_cmp,
    [IR_vftoi] = vec_float,
    [IR_vitof] = vec_float,
    [IR_vfwiden] = vec_float_widen,
    [IR_vfnarrow] = vec_float_narrow,
};

static void each_lane(const Shape *s, IrVec *r, const IrVec *a, const IrVec *b)
{
    LaneFunction *function = lane_functions[s->op];

    for (unsigned n = 0; n < s->count; n++) {
        set_lane(r, s->size, n, function(s, lane(a, s->size, n), lane(b, s->size, n)));
    }
}

void vec_eval(
    CpuEnv *env, IrVec *result, const IrVec *a, const IrVec *b, const IrVec *c, uint32_t key)
{
    Shape s = {
        .env = env,
        .op = (IrOp)(key & 0xff),
        .aux = key >> 8 & 0xff,
        .imm = key >> 16,
        .c = c,
    };
    IrVec r = { .d = { 0, 0 } };

    s.size = (ir_op_effects[s.op] & FP ? s.imm : s.aux) & 3;
    s.bits = 8u << s.size;
    s.count = 16u >> s.size;
    (vector_functions[s.op] ? vector_functions[s.op] : each_lane)(&s, &r, a, b);
    *result = r;
}

#include "tcg/general-regs-end.h"

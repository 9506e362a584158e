/* Loads and stores of vector registers: single ones, pairs, and structures (C4.1.94). */
#include "targets/aarch64/translate-simd.h"

#include <string.h>

/* ---- one register ----------------------------------------------------------------------------- */

/* A register of 1 << size bytes, the rest zero. */
static Val load_as(A64Translator *t, MemOp op, Val address, int32_t offset)
{
    static const IrType types[] = { I32, I32, F32, F64, V128 };
    unsigned size = op & MEM_SIZE;
    Val value = ir_load(t->b, types[size], op, address, offset);

    if (size == MEM_128) {
        return value;
    }
    return size < MEM_32 ? vset(t, size, 0, vzero(t), value) : vop1(t, IR_vfromf, 0, 0, value);
}

static Val load(A64Translator *t, unsigned size, Val address, int32_t offset)
{
    return load_as(t, data_memop(t, size), address, offset);
}

static void store_as(A64Translator *t, MemOp op, Val address, int32_t offset, Val value)
{
    unsigned size = op & MEM_SIZE;

    if (size < MEM_32) {
        value = vget(t, size, 0, value);
    } else if (size < MEM_128) {
        value = ir_aux(
            t->b, IR_vtof, size == MEM_32 ? F32 : F64, (uint8_t)size, 0, value, NO_VAL, NO_VAL);
    }
    ir_store(t->b, op, address, offset, value);
}

static void store(A64Translator *t, unsigned size, Val address, int32_t offset, Val value)
{
    store_as(t, data_memop(t, size), address, offset, value);
}

bool a64_v_ldr(A64Translator *t, const A64Mu *i)
{
    Val value = load(t, i->size, xreg_sp(t, i->rn), access_offset(i->mode, i->imm));

    write_back(t, i->mode, i->rn, i->imm);
    ir_put(t->b, GVAR_V + i->rt, value);
    return true;
}

bool a64_v_str(A64Translator *t, const A64Mu *i)
{
    store(t, i->size, xreg_sp(t, i->rn), access_offset(i->mode, i->imm), vreg(t, i->rt));
    write_back(t, i->mode, i->rn, i->imm);
    return true;
}

bool a64_v_ldp(A64Translator *t, const A64Mp2 *i)
{
    Val base = xreg_sp(t, i->rn);
    int32_t offset = access_offset(i->mode, i->imm);
    Val first = load(t, i->size, base, offset);
    Val second = load(t, i->size, base, offset + (1 << i->size));

    write_back(t, i->mode, i->rn, i->imm);
    ir_put(t->b, GVAR_V + i->rt, first);
    ir_put(t->b, GVAR_V + i->rt2, second);
    return true;
}

bool a64_v_stp(A64Translator *t, const A64Mp2 *i)
{
    Val base = xreg_sp(t, i->rn);
    int32_t offset = access_offset(i->mode, i->imm);

    store(t, i->size, base, offset, vreg(t, i->rt));
    store(t, i->size, base, offset + (1 << i->size), vreg(t, i->rt2));
    write_back(t, i->mode, i->rn, i->imm);
    return true;
}

bool a64_v_ldr_literal(A64Translator *t, const A64Mlit *i)
{
    Val address = constant(t, I64, t->pc + (uint64_t)(int64_t)i->imm);

    ir_put(t->b, GVAR_V + i->rt, load(t, i->size, address, 0));
    return true;
}

static Val indexed(A64Translator *t, const A64Mr *i)
{
    return register_address(t, i->rn, i->rm, i->option, i->shift ? i->size : 0);
}

bool a64_v_ldr_reg(A64Translator *t, const A64Mr *i)
{
    ir_put(t->b, GVAR_V + i->rt, load(t, i->size, indexed(t, i), 0));
    return true;
}

bool a64_v_str_reg(A64Translator *t, const A64Mr *i)
{
    store(t, i->size, indexed(t, i), 0, vreg(t, i->rt));
    return true;
}

/* ---- structures ------------------------------------------------------------------------------- */

enum { MAX_REGISTERS = 4, MAX_CHUNKS = 4 };

static unsigned nth(unsigned rt, unsigned n)
{
    return (rt + n) % 32;
}

/* The post-index form adds a register, or with 31 the bytes that were transferred. */
static void post_index(A64Translator *t, unsigned post, unsigned rn, unsigned rm, unsigned bytes)
{
    Val step = rm == 31 ? constant(t, I64, bytes) : xreg(t, rm);

    if (post) {
        set_reg_sp(t, 1, rn, ir_op2(t->b, IR_add, I64, xreg_sp(t, rn), step));
    }
}

/* Elements are aligned each on its own (C7.2.177). */
static MemOp chunk_memop(unsigned bytes)
{
    return (MemOp)((bytes < 16 ? MEM_64 : MEM_128) | MEM_PARTS);
}

static void check_elements(A64Translator *t, const A64Mm *i, bool is_store)
{
    if (t->mode & MODE_ALIGNED) {
        check_alignment(t, i->rn, i->size, is_store);
    }
}

/* `bytes` from memory, 16 at a time; a last half is 8. */
static void load_chunks(A64Translator *t, Val base, unsigned bytes, Val *chunks)
{
    for (unsigned at = 0; at < bytes; at += 16) {
        chunks[at / 16] = load_as(t, chunk_memop(bytes - at), base, (int32_t)at);
    }
}

static void store_chunks(A64Translator *t, Val base, unsigned bytes, const Val *chunks)
{
    for (unsigned at = 0; at < bytes; at += 16) {
        store_as(t, chunk_memop(bytes - at), base, (int32_t)at, chunks[at / 16]);
    }
}

/* The 16 bytes that `places` chooses among `count` vectors; 255: zero. */
static Val choose_bytes(A64Translator *t, const Val *from, unsigned count, const uint8_t *places)
{
    IrVec indices;
    Val result = vzero(t), index;

    memcpy(&indices, places, sizeof(indices));
    index = ir_vconst(t->b, indices.d[0], indices.d[1]);
    for (unsigned n = 0; n < count; n++) {
        result = ir_aux(t->b, IR_vtable, V128, 0, (int32_t)(n * 16), from[n], index, result);
    }
    return result;
}

/* Three vectors of `bytes` bytes, whose lanes are in turn in the chunks. */
static void split3(A64Translator *t, unsigned size, unsigned bytes, const Val *chunks, Val *out)
{
    for (unsigned r = 0; r < 3; r++) {
        uint8_t places[16];

        for (unsigned n = 0; n < 16; n++) {
            unsigned place = (((n >> size) * 3 + r) << size) + (n & ((1u << size) - 1));

            places[n] = n < bytes ? (uint8_t)place : 255;
        }
        out[r] = choose_bytes(t, chunks, (3 * bytes + 15) / 16, places);
    }
}

static void join3(A64Translator *t, unsigned size, unsigned bytes, const Val *in, Val *chunks)
{
    for (unsigned chunk = 0; chunk * 16 < 3 * bytes; chunk++) {
        uint8_t places[16];

        for (unsigned n = 0; n < 16; n++) {
            unsigned at = chunk * 16 + n, lane = at >> size;

            places[n] = (uint8_t)((lane % 3) * 16 + ((lane / 3) << size) +
                (at & ((1u << size) - 1)));
        }
        chunks[chunk] = choose_bytes(t, in, 3, places);
    }
}

/* Lanes of a pair of chunks apart: even ones, odd ones. In a low form one chunk has both. */
static void split2(A64Translator *t, unsigned size, Val a, Val b, Val *even, Val *odd)
{
    *even = vop2(t, IR_veven, size, a, b);
    *odd = vop2(t, IR_vodd, size, a, b);
}

static void split4(A64Translator *t, unsigned size, unsigned bytes, const Val *chunks, Val *out)
{
    Val even[2], odd[2];

    split2(t, size, chunks[0], chunks[1], &even[0], &odd[0]);
    if (bytes == 16) {
        split2(t, size, chunks[2], chunks[3], &even[1], &odd[1]);
    } else {
        even[1] = even[0];
        odd[1] = odd[0];
    }
    split2(t, size, even[0], even[1], &out[0], &out[2]);
    split2(t, size, odd[0], odd[1], &out[1], &out[3]);
}

static void join2(A64Translator *t, unsigned size, Val a, Val b, Val *low, Val *high)
{
    *low = vop2(t, IR_vziplo, size, a, b);
    *high = vop2(t, IR_vziphi, size, a, b);
}

static void join4(A64Translator *t, unsigned size, const Val *in, Val *chunks)
{
    Val even[2], odd[2];

    join2(t, size, in[0], in[2], &even[0], &even[1]);
    join2(t, size, in[1], in[3], &odd[0], &odd[1]);
    join2(t, size, even[0], odd[0], &chunks[0], &chunks[1]);
    join2(t, size, even[1], odd[1], &chunks[2], &chunks[3]);
}

static void split(
    A64Translator *t, unsigned sel, unsigned size, unsigned bytes, const Val *chunks, Val *out)
{
    switch (sel) {
    case 2:
        split2(t, size, chunks[0], bytes == 16 ? chunks[1] : chunks[0], &out[0], &out[1]);
        break;
    case 3: split3(t, size, bytes, chunks, out); break;
    case 4: split4(t, size, bytes, chunks, out); break;
    }
}

static void join(
    A64Translator *t, unsigned sel, unsigned size, unsigned bytes, const Val *in, Val *chunks)
{
    switch (sel) {
    case 2: join2(t, size, in[0], in[1], &chunks[0], &chunks[1]); break;
    case 3: join3(t, size, bytes, in, chunks); break;
    case 4: join4(t, size, in, chunks); break;
    }
}

bool a64_v_ld_multiple(A64Translator *t, const A64Mm *i)
{
    unsigned bytes = form_bytes(i->form, 0), regs = (unsigned)i->regs;
    Val base, chunks[MAX_CHUNKS], values[MAX_REGISTERS];

    if (i->sel != 1 && !is_vector(i->form, i->size)) {
        return false;
    }
    check_elements(t, i, false);
    base = xreg_sp(t, i->rn);
    if (i->sel == 1) {
        for (unsigned n = 0; n < regs; n++) {
            values[n] = load_as(t, chunk_memop(bytes), base, (int32_t)(n * bytes));
        }
    } else {
        load_chunks(t, base, regs * bytes, chunks);
        split(t, i->sel, i->size, bytes, chunks, values);
    }
    post_index(t, i->post, i->rn, i->rm, regs * bytes);
    for (unsigned n = 0; n < regs; n++) {
        set_vreg(t, nth(i->rt, n), bytes, values[n]);
    }
    return true;
}

bool a64_v_st_multiple(A64Translator *t, const A64Mm *i)
{
    unsigned bytes = form_bytes(i->form, 0), regs = (unsigned)i->regs;
    Val base, chunks[MAX_CHUNKS], values[MAX_REGISTERS];

    if (i->sel != 1 && !is_vector(i->form, i->size)) {
        return false;
    }
    check_elements(t, i, true);
    base = xreg_sp(t, i->rn);
    for (unsigned n = 0; n < regs; n++) {
        values[n] = vreg(t, nth(i->rt, n));
    }
    if (i->sel == 1) {
        for (unsigned n = 0; n < regs; n++) {
            store_as(t, chunk_memop(bytes), base, (int32_t)(n * bytes), values[n]);
        }
    } else {
        join(t, i->sel, i->size, bytes, values, chunks);
        store_chunks(t, base, regs * bytes, chunks);
    }
    post_index(t, i->post, i->rn, i->rm, regs * bytes);
    return true;
}

static Val load_lane(A64Translator *t, unsigned size, Val base, unsigned n)
{
    return ir_load(
        t->b, size == LANE_64 ? I64 : I32, data_memop(t, size), base, (int32_t)(n << size));
}

bool a64_v_ld_single(A64Translator *t, const A64M1 *i)
{
    Val base = xreg_sp(t, i->rn), values[MAX_REGISTERS];

    for (unsigned n = 0; n < (unsigned)i->sel; n++) {
        values[n] = load_lane(t, i->size, base, n);
    }
    post_index(t, i->post, i->rn, i->rm, (unsigned)i->sel << i->size);
    for (unsigned n = 0; n < (unsigned)i->sel; n++) {
        unsigned rt = nth(i->rt, n);

        ir_put(t->b, GVAR_V + rt, vset(t, i->size, i->idx, vreg(t, rt), values[n]));
    }
    return true;
}

bool a64_v_st_single(A64Translator *t, const A64M1 *i)
{
    Val base = xreg_sp(t, i->rn);

    for (unsigned n = 0; n < (unsigned)i->sel; n++) {
        ir_store(t->b, data_memop(t, i->size), base, (int32_t)(n << i->size),
            vget(t, i->size, i->idx, vreg(t, nth(i->rt, n))));
    }
    post_index(t, i->post, i->rn, i->rm, (unsigned)i->sel << i->size);
    return true;
}

bool a64_v_ld_replicate(A64Translator *t, const A64Mrep *i)
{
    unsigned bytes = form_bytes(i->form, 0);
    Val base = xreg_sp(t, i->rn), values[MAX_REGISTERS];

    for (unsigned n = 0; n < (unsigned)i->sel; n++) {
        values[n] = vop1(t, IR_vdup, i->size, 0, load_lane(t, i->size, base, n));
    }
    post_index(t, i->post, i->rn, i->rm, (unsigned)i->sel << i->size);
    for (unsigned n = 0; n < (unsigned)i->sel; n++) {
        set_vreg(t, nth(i->rt, n), bytes, values[n]);
    }
    return true;
}

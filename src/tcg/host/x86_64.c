/* The x86-64 host: one forward walk over the operations, each emitted by its row. */
#include "tcg/coverage.h"
#include "tcg/host/x86_64/vec.h"

static const Row rows[IR_OP_COUNT] = {
    [IR_add] = { emit_add },
    [IR_sub] = { emit_sub },
    [IR_neg] = { emit_unary, G3_NEG },
    [IR_not] = { emit_unary, G3_NOT },
    [IR_and] = { emit_alu, ALU_AND },
    [IR_or] = { emit_alu, ALU_OR },
    [IR_xor] = { emit_alu, ALU_XOR },
    [IR_andn] = { emit_andn },
    [IR_orn] = { emit_orn },
    [IR_mul] = { emit_mul },
    [IR_mulhs] = { emit_mul_high, G3_IMUL },
    [IR_mulhu] = { emit_mul_high, G3_MUL },
    [IR_mulhsu] = { emit_mulhsu },
    [IR_divu] = { emit_divide, 0 },
    [IR_divs] = { emit_divide, DIVIDE_SIGNED },
    [IR_remu] = { emit_divide, DIVIDE_REMAINDER },
    [IR_rems] = { emit_divide, DIVIDE_SIGNED | DIVIDE_REMAINDER },
    [IR_shl] = { emit_shift, SHIFT_SHL },
    [IR_shr] = { emit_shift, SHIFT_SHR },
    [IR_sar] = { emit_shift, SHIFT_SAR },
    [IR_rotl] = { emit_shift, SHIFT_ROL },
    [IR_rotr] = { emit_shift, SHIFT_ROR },
    [IR_ext] = { emit_ext },
    [IR_sext] = { emit_sext },
    [IR_dep] = { emit_dep },
    [IR_zext32] = { emit_alias },
    [IR_trunc32] = { emit_alias },
    [IR_bswap] = { emit_bswap },
    [IR_clz] = { emit_count, COUNT_LEADING },
    [IR_ctz] = { emit_count, COUNT_TRAILING },
    [IR_popcnt] = { emit_popcnt },
    [IR_orcb] = { emit_orcb },
    [IR_smin] = { emit_minmax, COND_G },
    [IR_smax] = { emit_minmax, COND_L },
    [IR_umin] = { emit_minmax, COND_A },
    [IR_umax] = { emit_minmax, COND_B },
    [IR_setcond] = { emit_setcond },
    [IR_select] = { emit_select },
    [IR_ldenv] = { emit_ldenv },
    [IR_stenv] = { emit_stenv },

    [IR_load] = { emit_load },
    [IR_fload] = { emit_load },
    [IR_vload] = { emit_load },
    [IR_store] = { emit_store },
    [IR_fstore] = { emit_store },
    [IR_vstore] = { emit_store },
    [IR_loadas] = { emit_load_as },
    [IR_storeas] = { emit_store_as },
    [IR_rmw] = { emit_rmw },
    [IR_cas] = { emit_cas },
    [IR_fence] = { emit_fence },

    [IR_fadd] = { emit_fp2, VOP_ADD },
    [IR_fsub] = { emit_fp2, VOP_SUB },
    [IR_fmul] = { emit_fp2, VOP_MUL },
    [IR_fdiv] = { emit_fp2, VOP_DIV },
    [IR_fsqrt] = { emit_fsqrt },
    [IR_fmadd] = { emit_fma, VOP_FMADD231 },
    [IR_fmsub] = { emit_fma, VOP_FMSUB231 },
    [IR_fnmadd] = { emit_fma, VOP_FNMSUB231 },
    [IR_fnmsub] = { emit_fma, VOP_FNMADD231 },
    [IR_fmin] = { emit_fminmax, VOP_MIN },
    [IR_fmax] = { emit_fminmax, VOP_MAX },
    [IR_fcmp] = { emit_fcmp },
    [IR_forder] = { emit_forder },
    [IR_fcvt] = { emit_fcvt },
    [IR_ftoi] = { emit_ftoi },
    [IR_itof] = { emit_itof },
    [IR_fneg] = { emit_fsign, VOP_XOR },
    [IR_fabs] = { emit_fsign, VOP_AND },
    [IR_getflags] = { emit_getflags },
    [IR_setflags] = { emit_setflags },
    [IR_fsgnj] = { emit_fsgnj },
    [IR_fround] = { emit_fround },
    [IR_htof] = { emit_fsoft },
    [IR_ftoh] = { emit_fsoft },
    [IR_fbits] = { emit_fbits },
    [IR_bitsf] = { emit_bitsf },
    [IR_fbox] = { emit_fbox },
    [IR_funbox] = { emit_funbox },

    [IR_vfromf] = { emit_vfromf },
    [IR_vtof] = { emit_vtof },
    [IR_vlow] = { emit_vlow },
    [IR_vdup] = { emit_vdup },
    [IR_vduplane] = { emit_vduplane },
    [IR_vget] = { emit_vget },
    [IR_vset] = { emit_vset },
    [IR_vins] = { emit_vins },
    [IR_vand] = { emit_vbinary, VOP_PAND },
    [IR_vor] = { emit_vbinary, VOP_POR },
    [IR_vxor] = { emit_vbinary, VOP_PXOR },
    [IR_vandn] = { emit_vandn },
    [IR_vorn] = { emit_vorn },
    [IR_vnot] = { emit_vnot },
    [IR_vselect] = { emit_vselect },
    [IR_vadd] = { emit_vlanes },
    [IR_vsub] = { emit_vlanes },
    [IR_vneg] = { emit_vneg },
    [IR_vabs] = { emit_vunary },
    [IR_vmul] = { emit_vmul },
    [IR_vsmin] = { emit_vlanes },
    [IR_vsmax] = { emit_vlanes },
    [IR_vumin] = { emit_vlanes },
    [IR_vumax] = { emit_vlanes },
    [IR_vhadd] = { emit_vlanes },
    [IR_vaddsat] = { emit_vlanes },
    [IR_vsubsat] = { emit_vlanes },
    [IR_vshl] = { emit_vshl },
    [IR_vshr] = { emit_vshr },
    [IR_vcmp] = { emit_vcmp },
    [IR_vtest] = { emit_vtest },
    [IR_vclz] = { emit_vunary },
    [IR_vpopcnt] = { emit_vpopcnt },
    [IR_vbitrev] = { emit_vbitrev },
    [IR_vrev] = { emit_vrev },
    [IR_vwiden] = { emit_vwiden },
    [IR_vmulwide] = { emit_vmulwide },
    [IR_vclmul] = { emit_vclmul },
    [IR_vnarrow] = { emit_vnarrow },
    [IR_vext] = { emit_vext },
    [IR_vziplo] = { emit_vzip, 0 },
    [IR_vziphi] = { emit_vzip, 1 },
    [IR_veven] = { emit_vunzip, 0 },
    [IR_vodd] = { emit_vunzip, 1 },
    [IR_vtrneven] = { emit_vtranspose, 0 },
    [IR_vtrnodd] = { emit_vtranspose, 1 },
    [IR_vtable] = { emit_vtable },
    [IR_vsum] = { emit_vreduce },
    [IR_vminall] = { emit_vreduce },
    [IR_vmaxall] = { emit_vreduce },
    [IR_vaesbox] = { emit_vaesbox },
    [IR_vaesmix] = { emit_vaesmix },
    [IR_vsha1] = { emit_vsha1 },
    [IR_vsha256] = { emit_vsha256 },
    [IR_vfadd] = { emit_vfbinary, VOP_ADD },
    [IR_vfsub] = { emit_vfbinary, VOP_SUB },
    [IR_vfmul] = { emit_vfbinary, VOP_MUL },
    [IR_vfdiv] = { emit_vfbinary, VOP_DIV },
    [IR_vfsqrt] = { emit_vfsqrt },
    [IR_vfmadd] = { emit_vfma, VOP_FMADD231 - 1 },
    [IR_vfnmsub] = { emit_vfma, VOP_FNMADD231 - 1 },
    [IR_vfmin] = { emit_vfminmax, VOP_MIN },
    [IR_vfmax] = { emit_vfminmax, VOP_MAX },
    [IR_vfround] = { emit_vfround },
    [IR_vfcmp] = { emit_vfcmp },
    [IR_vftoi] = { emit_vftoi },
    [IR_vitof] = { emit_vitof },
    [IR_vfwiden] = { emit_vfwiden },
    [IR_vfnarrow] = { emit_vfnarrow },

    [IR_get] = { emit_get },
    [IR_put] = { emit_put },
    [IR_label] = { emit_label },
    [IR_brcond] = { emit_brcond },
    [IR_br] = { emit_br },
    [IR_goto] = { emit_goto },
    [IR_gotocond] = { emit_gotocond },
    [IR_gotoval] = { emit_gotoval },
    [IR_exit] = { emit_exit },
    [IR_call] = { emit_call },
};

/* ---- a block -------------------------------------------------------------------------------------- */

static void begin(Gen *g)
{
    g->at = 0;
    g->insns = g->observer = 0;
    g->late_count = 0;
    g->alone = g->put_done = false;
    g->free_spill_count = g->spill_count = 0;
    g->out->side_count = 0;
    memset(g->locked, 0, sizeof(g->locked));
    memset(g->label_jumps, 0, g->b->label_count * sizeof(g->label_jumps[0]));
    reg_forget(g);
}

static void late_budget(Gen *g, const Late *l)
{
    x_alu_imm(&g->code, ALU_ADD, true, ENV(budget), (int32_t)g->b->guest_insns);
    x_mov_imm(&g->code, RAX, g->b->pc);
    x_op(&g->code, OP_STORE, true, RAX, ENV(pc));
    x_mov_imm(&g->code, RAX, EXIT_BUDGET);
    x_jump(&g->code, g->area->thunk[THUNK_LEAVE]);
}

static void spend_budget(Gen *g)
{
    x_alu_imm(&g->code, ALU_SUB, true, ENV(budget), (int32_t)g->b->guest_insns);
    gen_late(g, late_budget)->from = x_jump_if(&g->code, COND_S, NULL);
}

/* What has no row of its own is a vector operation. */
static const Row *row_of(const IrInsn *op)
{
    static const Row any_vector = { emit_vector };

    return rows[op->op].emit ? &rows[op->op] : &any_vector;
}

/* The commonest first, whose calls then need not be foreseen. */
static inline void emit_op(Gen *g, const IrInsn *op)
{
    const Row *row;

    if (op->op == IR_put) {
        emit_put(g, op, 0);
    } else if (op->op == IR_get) {
        emit_get(g, op, 0);
        return;
    } else {
        row = row_of(op);
        row->emit(g, op, row->detail);
    }
    reg_release(g, op);
}

static bool emit_ops(Gen *g)
{
    for (g->step = g->live->work.first; g->step < IR_MAX_OPS; g->step += g->put_done ? 2 : 1) {
        const IrInsn *op;

        g->at = g->live->work.at[g->step];
        op = &g->b->ops[g->at];
        COVERAGE_REACH("x86_64", op->op, IR_OP_COUNT, ir_op_names, sizeof(*ir_op_names));
        if (g->room_end - g->code.p < OP_BYTES) {
            return false;
        }
        g->put_done = false;
        emit_op(g, op);
    }
    return true;
}

/* Late code may ask for more of it (a jump out of line has its own exit). */
static bool emit_late(Gen *g)
{
    for (unsigned n = 0; n < g->late_count; n++) {
        const Late *late = &g->late[n];

        if (g->write_end - g->code.p < OP_BYTES) {
            return false;
        }
        if (late->from) {
            x_here32(&g->code, late->from);
        }
        late->emit(g, late);
    }
    return true;
}

static bool x86_emit(const IrBlock *b, const IrLive *live, const uint8_t *thunks, uint8_t *write,
    const uint8_t *execute, size_t room, Emitted *out)
{
    Gen gen; /* not cleared: begin() does what is needed */
    Gen *g = &gen;

    g->area = (const Area *)thunks;
    g->code = (Code){ .p = write, .to_exec = execute - write, .area = thunks };
    g->write_end = g->room_end = write + room;
    g->start = write;
    g->b = b;
    g->live = live;
    g->out = out;
    g->level = g->area->features.level;
    begin(g);
    if (b->counted) {
        spend_budget(g);
    }
    if (!emit_ops(g) || !emit_late(g) || !gen_unlinked(g)) {
        return false;
    }
    out->size = g->code.p - write;
    return true;
}

/* ---- the host ------------------------------------------------------------------------------------- */

typedef uint32_t EnterFunction(CpuEnv *env, const void *code);

static ExitReason x86_enter(CpuEnv *env, const uint8_t *thunks, const void *code)
{
    EnterFunction *enter = (EnterFunction *)(uintptr_t)((const Area *)thunks)->thunk[THUNK_ENTER];

    return (ExitReason)enter(env, code);
}

static void patch(CodeView block, uint32_t at, uint32_t value)
{
    __atomic_store_n((uint32_t *)(block.write + at), value, __ATOMIC_RELEASE);
}

/* The jump first: with the old number the new target cannot be reached. */
static void x86_link(BlockExit *exit, CodeView block, const void *code, uint32_t page_id)
{
    const uint8_t *origin = block.execute + exit->jump + 4;

    patch(block, exit->jump, (uint32_t)((const uint8_t *)code - origin));
    if (exit->guard) {
        patch(block, exit->guard, page_id);
    }
}

static void x86_unlink(BlockExit *exit, CodeView block)
{
    if (exit->guard) {
        patch(block, exit->guard, UINT32_MAX);
    }
    patch(block, exit->jump, (uint32_t)exit->unlinked);
}

HOST(x86_64) = {
    .name = "x86_64",
    .init = area_init,
    .emit = x86_emit,
    .enter = x86_enter,
    .link = x86_link,
    .unlink = x86_unlink,
};

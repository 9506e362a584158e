/* RISC-V for the translator: the registers, the features, reset, and the two tables. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "targets/riscv/state.h"
#include "tcg/fp.h"
#include "tcg/tlb.h"

/* ---- registers -------------------------------------------------------------------------------- */

/*
 * pin: the order in which registers are given host registers. From the ABI: arguments first, then the saved
 * ones that compilers use most, the stack and the return address.
 */
/* clang-format off */
#define X(n, type_, pin_) \
    [GVAR_X + n] = { .name = "x" #n, .offset = offsetof(RvCpu, x) + n * 8, .type = type_, .pin = pin_ }
#define F(n, pin_) \
    [GVAR_F + n] = { .name = "f" #n, .offset = offsetof(RvCpu, f) + n * 8, .type = F64, .pin = pin_ }

#define GVARS(xt)                                                                                  \
    X(0, xt, 0), X(1, xt, 10), X(2, xt, 9), X(3, xt, 0), X(4, xt, 0), X(5, xt, 0), X(6, xt, 0),    \
    X(7, xt, 0), X(8, xt, 7), X(9, xt, 8), X(10, xt, 1), X(11, xt, 2), X(12, xt, 3),               \
    X(13, xt, 4), X(14, xt, 5), X(15, xt, 6), X(16, xt, 12), X(17, xt, 11), X(18, xt, 0),          \
    X(19, xt, 0), X(20, xt, 0), X(21, xt, 0), X(22, xt, 0), X(23, xt, 0), X(24, xt, 0),            \
    X(25, xt, 0), X(26, xt, 0), X(27, xt, 0), X(28, xt, 0), X(29, xt, 0), X(30, xt, 0),            \
    X(31, xt, 0), F(0, 13), F(1, 14), F(2, 15), F(3, 16), F(4, 17), F(5, 18), F(6, 19), F(7, 20),  \
    F(8, 9), F(9, 10), F(10, 1), F(11, 2), F(12, 3), F(13, 4), F(14, 5), F(15, 6), F(16, 7),       \
    F(17, 8), F(18, 11), F(19, 12), F(20, 21), F(21, 22), F(22, 23), F(23, 24), F(24, 25),         \
    F(25, 26), F(26, 27), F(27, 28), F(28, 29), F(29, 30), F(30, 31), F(31, 32),                   \
    [GVAR_RESERVED_ADDRESS] = { .name = "reserved_address",                                        \
        .offset = offsetof(RvCpu, reserved_address), .type = xt },                                 \
    [GVAR_RESERVED_VALUE] = { .name = "reserved_value",                                            \
        .offset = offsetof(RvCpu, reserved_value), .type = xt },

static const GVar gvars64[GVAR_COUNT] = { GVARS(I64) };
static const GVar gvars32[GVAR_COUNT] = { GVARS(I32) };

#define FIELD(name) { #name, offsetof(RvCpu, name), 64 }
static const IsaField fields[] = {
    { "pc", offsetof(RvCpu, env.pc), 64 }, { "mode", offsetof(RvCpu, env.mode), 32 },
    FIELD(mstatus), FIELD(mtvec), FIELD(medeleg), FIELD(mideleg), FIELD(mie), FIELD(mip), FIELD(mscratch),
    FIELD(mepc), FIELD(mcause), FIELD(mtval), FIELD(mcounteren), FIELD(mcountinhibit), FIELD(menvcfg),
    FIELD(stvec), FIELD(sscratch), FIELD(sepc), FIELD(scause), FIELD(stval), FIELD(scounteren),
    FIELD(senvcfg), FIELD(satp), FIELD(stimecmp), FIELD(mcycle.value), FIELD(minstret.value),
    { "frm", offsetof(RvCpu, frm), 32 },
    {},
};
/* clang-format on */

/* ---- features --------------------------------------------------------------------------------- */

static const uint64_t features_rv64 = ~UINT64_C(0);
static const uint64_t features_rv32 = ~(
    UINT64_C(1) << RV_RV64 | UINT64_C(1) << RV_SV48 | UINT64_C(1) << RV_SV57);

/* What a feature cannot be without. */
static const struct {
    RvFeature feature, needs;
} needs[] = {
    { RV_D, RV_F },
    { RV_ZFHMIN, RV_F },
    { RV_ZFH, RV_ZFHMIN },
    { RV_S, RV_U },
    { RV_SSTC, RV_S },
    { RV_SVADU, RV_S },
    { RV_SV57, RV_SV48 },
};

static bool check_features(uint64_t features, char **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (features >> needs[i].feature & 1 && !(features >> needs[i].needs & 1)) {
            *error = g_strdup_printf("feature '%s' needs '%s'",
                rv_decode_table.features[needs[i].feature],
                rv_decode_table.features[needs[i].needs]);
            return false;
        }
    }
    return true;
}

/* Words that are always true of us, or say nothing that changes the CPU. */
static bool is_builtin(const char *word)
{
    static const char *const words[] = {
        "i",
        "zicsr",
        "zifencei",
        "zicntr",
        "zihintpause",
        "pmp",
        "sv32",
        "sv39",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!strcmp(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* A list of features that are on; NULL: all there are. */
static bool parse_features(const char *const *words, uint64_t all, uint64_t *features, char **error)
{
    *features = words ? 0 : all & ((UINT64_C(1) << rv_decode_table.feature_count) - 1);
    for (; words && *words; words++) {
        uint64_t bit = decode_feature(&rv_decode_table, *words, strlen(*words));

        if (!(bit & all) && !is_builtin(*words)) {
            *error = g_strdup_printf("there is no feature '%s'", *words);
            return false;
        }
        *features |= bit;
    }
    *features |= all & UINT64_C(1) << RV_RV64;
    return check_features(*features, error);
}

static bool init(RvCpu *cpu, const char *const *words, uint64_t all, char **error)
{
    if (!parse_features(words, all, &cpu->features, error)) {
        return false;
    }
    cpu->mhartid = cpu->env.index;
    cpu->env.mode = decode_model_number(cpu->features) << MODE_MODEL_SHIFT | PRIV_M;
    return true;
}

static bool rv64_init(CpuEnv *env, const char *model, const char *const *features, char **error)
{
    return init(rv_cpu(env), features, features_rv64, error);
}

static bool rv32_init(CpuEnv *env, const char *model, const char *const *features, char **error)
{
    return init(rv_cpu(env), features, features_rv32, error);
}

/* ---- reset ------------------------------------------------------------------------------------ */

/* All that a guest can change is zero, but for what is said here (3.4). */
static void rv_reset(CpuEnv *env)
{
    RvCpu *cpu = rv_cpu(env);
    uint64_t features = cpu->features, hartid = cpu->mhartid;
    uint64_t lines = atomic_load(&cpu->lines);

    memset((char *)cpu + offsetof(RvCpu, x), 0, sizeof(RvCpu) - offsetof(RvCpu, x));
    cpu->features = features;
    cpu->mhartid = hartid;
    atomic_store(&cpu->lines, lines);
    cpu->stimecmp = UINT64_MAX;
    cpu->reserved_address = rv_has(cpu, RV_RV64) ? RV_NOT_RESERVED : (uint32_t)RV_NOT_RESERVED;
    rv_pmp_reset(cpu);
    fp_flags_set(env, 0);
    fp_round_set(env, FP_RNE);
    rv_mode_changed(cpu, PRIV_M);
    tlb_flush_all(env);
}

static void rv_set_entry(CpuEnv *env, uint64_t pc, const uint64_t args[4])
{
    RvCpu *cpu = rv_cpu(env);

    env->pc = pc;
    for (unsigned i = 0; i < 4; i++) {
        cpu->x[10 + i] = rv_has(cpu, RV_RV64) ? args[i] : (uint32_t)args[i];
    }
}

/* ---- the tables ------------------------------------------------------------------------------- */

static uint32_t bus_fault(const CpuEnv *env, Access access)
{
    static const uint8_t causes[] = { CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS, CAUSE_FETCH_ACCESS };

    return causes[access];
}

static uint32_t align_fault(const CpuEnv *env, Access access)
{
    static const uint8_t causes[] = {
        CAUSE_LOAD_MISALIGNED,
        CAUSE_STORE_MISALIGNED,
        CAUSE_FETCH_MISALIGNED,
    };

    return causes[access];
}

/* clang-format off */
#define RISCV_ISA(bits)                                                                            \
    .name = "riscv" #bits, .env_size = sizeof(RvCpu), .gvars = gvars##bits,                        \
    .gvar_count = GVAR_COUNT, .fields = fields, .address_bits = bits, .init = rv##bits##_init,     \
    .reset = rv_reset, .set_entry = rv_set_entry, .translate = rv_translate, .walk = rv_walk,      \
    .contexts = rv_contexts, .bus_fault = bus_fault, .align_fault = align_fault,                   \
    .deliver = rv_deliver, .set_input = rv_set_input, .take_interrupt = rv_take_interrupt,         \
    .wakes = rv_wakes, .describe = rv_describe, .interrupt_controller = rv_interrupt_controller,      \
    .identify = rv_identify, .disassemble = rv##bits##_disassemble

/* clang-format on */
ISA(riscv64) = { RISCV_ISA(64) };
ISA(riscv32) = { RISCV_ISA(32) };

/* AArch64 for the translator: the registers, the features, reset, and the table. */
#include <glib.h>
#include <string.h>

#include "core/cpu.h"
#include "targets/aarch64/model.h"
#include "targets/aarch64/qarma.h"
#include "targets/aarch64/state.h"
#include "tcg/exec.h"
#include "tcg/fp.h"
#include "tcg/tlb.h"

/* ---- registers -------------------------------------------------------------------------------- */

/*
 * pin: the order in which registers are given host registers: arguments and results first, then what compilers
 * and the procedure call standard use most.
 */
/* clang-format off */
#define X(n, pin_) \
    [GVAR_X + n] = { .name = "x" #n, .offset = offsetof(A64Cpu, x) + n * 8, .type = I64, .pin = pin_ }
#define V(n, pin_) \
    [GVAR_V + n] = { .name = "v" #n, .offset = offsetof(A64Cpu, v) + n * 16, .type = V128, .pin = pin_ }
#define G(number, name_, field) \
    [number] = { .name = name_, .offset = offsetof(A64Cpu, field), .type = I64 }

static const GVar gvars[GVAR_COUNT] = {
    X(0, 1), X(1, 2), X(2, 3), X(3, 4), X(4, 5), X(5, 8), X(6, 0), X(7, 0), X(8, 9), X(9, 0), X(10, 0),
    X(11, 0), X(12, 0), X(13, 0), X(14, 0), X(15, 0), X(16, 0), X(17, 0), X(18, 0), X(19, 6), X(20, 7),
    X(21, 11), X(22, 12), X(23, 0), X(24, 0), X(25, 0), X(26, 0), X(27, 0), X(28, 0), X(29, 0),
    X(30, 0),
    [GVAR_SP] = { .name = "sp", .offset = offsetof(A64Cpu, x) + 31 * 8, .type = I64, .pin = 10 },
    V(0, 1), V(1, 2), V(2, 3), V(3, 4), V(4, 5), V(5, 6), V(6, 7), V(7, 8), V(8, 17), V(9, 18),
    V(10, 19), V(11, 20), V(12, 21), V(13, 22), V(14, 23), V(15, 24), V(16, 9), V(17, 10), V(18, 11),
    V(19, 12), V(20, 13), V(21, 14), V(22, 15), V(23, 16), V(24, 25), V(25, 26), V(26, 27), V(27, 28),
    V(28, 29), V(29, 30), V(30, 31), V(31, 32),
    G(GVAR_FLAGS_OP, "flags_op", flags_op), G(GVAR_FLAGS_A, "flags_a", flags_a),
    G(GVAR_FLAGS_B, "flags_b", flags_b), G(GVAR_EXCLUSIVE_ADDRESS, "exclusive_address", exclusive_address),
    G(GVAR_EXCLUSIVE_VALUE, "exclusive_value", exclusive_value),
    G(GVAR_EXCLUSIVE_HIGH, "exclusive_high", exclusive_high),
    [GVAR_QC] = { .name = "qc", .offset = offsetof(A64Cpu, qc), .type = V128 },
    G(GVAR_SCRATCH, "scratch", scratch),
};

#define FIELD(name) { #name, offsetof(A64Cpu, name), 64 }
#define LEVELS(name) FIELD(name[1]), FIELD(name[2]), FIELD(name[3])
static const IsaField fields[] = {
    { "pc", offsetof(A64Cpu, env.pc), 64 }, { "mode", offsetof(A64Cpu, env.mode), 32 },
    FIELD(daif), FIELD(pan), FIELD(uao), FIELD(dit), FIELD(ssbs), FIELD(btype), FIELD(il), FIELD(ss),
    FIELD(fpcr), FIELD(sp[0]), LEVELS(sp), LEVELS(elr), LEVELS(spsr), LEVELS(esr), LEVELS(far),
    LEVELS(vbar), LEVELS(sctlr), LEVELS(actlr), LEVELS(tcr), LEVELS(ttbr0), LEVELS(ttbr1), LEVELS(mair),
    LEVELS(amair), FIELD(tpidr[0]), LEVELS(tpidr), FIELD(tpidrro_el0), LEVELS(afsr0), LEVELS(afsr1),
    LEVELS(contextidr), FIELD(cpacr), FIELD(par_el1), FIELD(csselr), FIELD(mdscr), FIELD(cntkctl),
    FIELD(timer[0].compare), FIELD(timer[0].control), FIELD(timer[1].compare), FIELD(timer[1].control),
    FIELD(timer[2].compare), FIELD(timer[2].control), FIELD(timer[3].compare), FIELD(timer[3].control),
    FIELD(timer[4].compare), FIELD(timer[4].control), FIELD(timer[5].compare), FIELD(timer[5].control),
    FIELD(timer[6].compare), FIELD(timer[6].control), FIELD(vsttbr), FIELD(vstcr), FIELD(cntvoff), FIELD(cnthctl), FIELD(cntfrq),
    FIELD(hcr), FIELD(scr), FIELD(cptr[2]), FIELD(cptr[3]), FIELD(mdcr[2]), FIELD(mdcr[3]), FIELD(hstr),
    FIELD(vttbr), FIELD(vtcr), FIELD(vpidr), FIELD(vmpidr), FIELD(hpfar), FIELD(scxtnum[0]), LEVELS(scxtnum),
    FIELD(disr), FIELD(vdisr), FIELD(vsesr),
    {},
};
/* clang-format on */

/* ---- features --------------------------------------------------------------------------------- */

/* What a feature cannot be without. */
static const struct {
    A64Feature feature, needs;
} needs[] = {
    { A64_PMULL, A64_AES },
    { A64_SHA512, A64_SHA256 },
    { A64_FLAGM2, A64_FLAGM },
    { A64_RCPC2, A64_RCPC },
    { A64_DPB2, A64_DPB },
    { A64_PAN2, A64_PAN },
    { A64_TLBIRANGE, A64_TLBIOS },
};

static bool check_features(uint64_t features, char **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (features >> needs[i].feature & 1 && !(features >> needs[i].needs & 1)) {
            *error = g_strdup_printf("feature '%s' needs '%s'",
                a64_decode_table.features[needs[i].feature],
                a64_decode_table.features[needs[i].needs]);
            return false;
        }
    }
    return true;
}

/* Of no effect without EL2, which is the board's to give; models have them all the same. */
static const uint64_t of_el2 = A64_BIT(A64_VHE) | A64_BIT(A64_VMID16) | A64_BIT(A64_XNX) |
    A64_BIT(A64_S2FWB) | A64_BIT(A64_SEL2) | A64_BIT(A64_HCX);

/* A list of features that are on; NULL: all there are. */
static bool parse_features(const char *const *words, uint64_t *features, char **error)
{
    uint64_t all = A64_BIT(a64_decode_table.feature_count) - 1;

    /* What a board asks for is there only when it does. */
    *features = words ? 0 : all & ~(A64_BIT(A64_EL2) | A64_BIT(A64_EL3));
    for (; words && *words; words++) {
        uint64_t bit = decode_feature(&a64_decode_table, *words, strlen(*words));

        if (!(bit & all)) {
            *error = g_strdup_printf("there is no feature '%s'", *words);
            return false;
        }
        *features |= bit;
    }
    if (!(*features & A64_BIT(A64_EL2))) {
        *features &= ~of_el2;
    }
    if (!(*features & A64_BIT(A64_EL3))) {
        *features &= ~A64_BIT(A64_SEL2);
    }
    return check_features(*features, error);
}

static bool init(CpuEnv *env, const char *model, const char *const *features, char **error)
{
    enum { DEFAULT_HZ = 62500000 };
    A64Cpu *cpu = a64_cpu(env);

    cpu->model = a64_model_find(model ? model : "max");
    if (!cpu->model) {
        *error = g_strdup_printf("there is no model '%s'", model);
        return false;
    }
    if (!parse_features(features, &cpu->features, error)) {
        return false;
    }
    if (a64_has(cpu, A64_PAUTH)) {
        qarma64_prepare();
    }
    cpu->frequency = env->timebase_hz ? env->timebase_hz : DEFAULT_HZ;
    env->mode = decode_model_number(cpu->features) << MODE_MODEL_SHIFT | 1;
    return true;
}

/* ---- reset ------------------------------------------------------------------------------------ */

/* What is not said here is zero, where the architecture leaves it unknown. */
static void reset(CpuEnv *env)
{
    A64Cpu *cpu = a64_cpu(env);
    uint32_t lines = atomic_load(&cpu->lines) & ((1u << A64_INPUT_VI) - 1);

    if (cpu_device(env)->dev.machine && !cpu_device(env)->secure_base) {
        cpu->features &= ~A64_BIT(A64_SEL2); /* which tells apart two spaces of addresses */
    }
    memset((char *)cpu + offsetof(A64Cpu, x), 0, offsetof(A64Cpu, features) - offsetof(A64Cpu, x));
    memset((char *)cpu + offsetof(A64Cpu, daif), 0, sizeof(A64Cpu) - offsetof(A64Cpu, daif));
    atomic_store(&cpu->lines, lines);
    atomic_store(&cpu->event, 0);
    cpu->exclusive_address = A64_NOT_EXCLUSIVE;
    cpu->daif = PSTATE_DAIF;
    cpu->alarm = INT64_MAX;
    /* The bits that are one, MMU and caches off. */
    cpu->sctlr[1] = UINT64_C(0x30d00800) & ~(a64_has(cpu, A64_CSV2) ? SCTLR_TSCXT : 0);
    cpu->sctlr[2] = cpu->sctlr[3] = UINT64_C(0x30c50830);
    cpu->hcr = HCR_RW;
    cpu->cntfrq = cpu->frequency;
    cpu->scr = a64_has(cpu, A64_EL3) ? SCR_RW | 0x30 : SCR_NS | SCR_RW;
    cpu->vtcr = A64_BIT(31);
    cpu->cptr[2] = 0x33ff;
    cpu->mdcr[2] = a64_has(cpu, A64_PMU) ? A64_PMU_EVENTS : 0;
    cpu->vpidr = cpu->model->midr;
    cpu->vmpidr = a64_mpidr(cpu);
    a64_settings_changed(cpu);
    a64_fpcr_write(cpu, 0);
    a64_fpsr_write(cpu, 0);
    a64_enter(cpu, a64_highest_level(cpu), true);
    a64_levels_changed(cpu);
    tlb_flush_all(env);
}

static void set_entry(CpuEnv *env, uint64_t pc, const uint64_t args[4])
{
    A64Cpu *cpu = a64_cpu(env);

    env->pc = pc;
    memcpy(cpu->x, args, 4 * sizeof(*args));
}

/* ---- the table -------------------------------------------------------------------------------- */

ISA(aarch64) = {
    .name = "aarch64",
    .env_size = sizeof(A64Cpu),
    .gvars = gvars,
    .gvar_count = GVAR_COUNT,
    .fields = fields,
    .address_bits = 64,
    .change_reads = true, /* ESR_ELx.WnR (D17.2.37) */
    .init = init,
    .reset = reset,
    .set_entry = set_entry,
    .translate = a64_translate,
    .walk = a64_walk,
    .contexts = a64_contexts,
    .bus_fault = a64_bus_fault,
    .align_fault = a64_align_fault,
    .deliver = a64_deliver,
    .set_input = a64_set_input,
    .take_interrupt = a64_take_interrupt,
    .wakes = a64_wakes,
    .describe = a64_describe,
    .identify = a64_identify,
    .disassemble = a64_disassemble,
};

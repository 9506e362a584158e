/* The control and status registers: one table. Privileged ISA chapters 2 to 4. */
#include "targets/riscv/state.h"

#include <stdlib.h>

#include "core/clock.h"
#include "tcg/exec.h"
#include "tcg/fp.h"
#include "tcg/tlb.h"

typedef uint64_t CsrRead(RvCpu *cpu, unsigned number);
typedef void CsrWrite(RvCpu *cpu, unsigned number, uint64_t value);
typedef bool CsrAllowed(const RvCpu *cpu, unsigned number);

typedef enum CsrFlags {
    CSR_HIGH = 1 << 0, /* RV32: the upper half of the register 0x80 or 0x10 below */
    CSR_PC = 1 << 1,   /* aligned as instructions are */
    CSR_SOFT = 1 << 2, /* set and clear start from mip, not from what devices hold (3.1.9) */
} CsrFlags;

struct RvCsr {
    uint16_t number, last; /* last 0: one register; else a range */
    uint16_t offset;       /* in RvCpu: its home. No functions: it is plain memory */
    uint8_t flags;
    const char *name;
    uint64_t need;   /* features */
    uint64_t mask;   /* of bits that can be written, for those with a home */
    CsrRead *read;   /* values are 64 bits wide on RV32 too */
    CsrWrite *write; /* NULL and no offset: writes are ignored */
    CsrAllowed *allowed;
};

/* ---- floating point --------------------------------------------------------------------------- */

static bool fp_is_on(const RvCpu *cpu, unsigned number)
{
    return cpu->mstatus & MSTATUS_FS;
}

enum { FFLAGS = 0x1f, FRM_SHIFT = 5, FRM_BITS = 7 };
enum { NUMBER_FFLAGS = 1, NUMBER_FRM = 2, NUMBER_FCSR = 3 };

static uint64_t read_fcsr(RvCpu *cpu, unsigned number)
{
    uint64_t value = number & NUMBER_FFLAGS ? fp_flags_get(&cpu->env) : 0;

    return number == NUMBER_FRM ? cpu->frm
        : number == NUMBER_FCSR ? value | cpu->frm << FRM_SHIFT
                                : value;
}

static void set_frm(RvCpu *cpu, uint32_t frm)
{
    cpu->frm = frm & FRM_BITS;
    /* Code asks the host's rounding only while it can do it: see RvFrm. */
    fp_round_set(&cpu->env, cpu->frm < FP_RMM ? cpu->frm : FP_RNE);
}

static void write_fcsr(RvCpu *cpu, unsigned number, uint64_t value)
{
    if (number & NUMBER_FFLAGS) {
        fp_flags_set(&cpu->env, value & FFLAGS);
    }
    if (number & NUMBER_FRM) {
        set_frm(cpu, number == NUMBER_FCSR ? value >> FRM_SHIFT : value);
    }
    cpu->mstatus |= MSTATUS_FS;
    rv_mode_changed(cpu, rv_privilege(cpu));
}

/* ---- counters --------------------------------------------------------------------------------- */

enum { COUNTER_CYCLE, COUNTER_TIME, COUNTER_INSTRET };

/* 3.1.11, 4.1.5: what a mode shows to those below it. */
static bool counter_is_shown(const RvCpu *cpu, unsigned number)
{
    unsigned counter = number & 31;
    RvPrivilege privilege = rv_privilege(cpu);

    return privilege == PRIV_M ||
        (cpu->mcounteren >> counter & 1 &&
            (privilege == PRIV_S || !rv_has(cpu, RV_S) || cpu->scounteren >> counter & 1));
}

static uint64_t read_time(RvCpu *cpu, unsigned number)
{
    return (uint64_t)cpu_time_ns(&cpu->env) / (NS_PER_SECOND / RV_TIME_HZ);
}

static RvCounter *counter_of(RvCpu *cpu, unsigned number)
{
    switch (number & 31) {
    case COUNTER_CYCLE: return &cpu->mcycle;
    case COUNTER_INSTRET: return &cpu->minstret;
    default: return NULL;
    }
}

static bool is_inhibited(const RvCpu *cpu, unsigned number)
{
    return cpu->mcountinhibit >> (number & 31) & 1;
}

/* Counters of hardware events do not count. */
static uint64_t read_counter(RvCpu *cpu, unsigned number)
{
    const RvCounter *counter = counter_of(cpu, number);

    if (!counter) {
        return 0;
    }
    return counter->value + (is_inhibited(cpu, number) ? 0 : cpu_instructions(&cpu->env));
}

static void write_counter(RvCpu *cpu, unsigned number, uint64_t value)
{
    RvCounter *counter = counter_of(cpu, number);

    if (counter) {
        counter->value = value - (is_inhibited(cpu, number) ? 0 : cpu_instructions(&cpu->env));
    }
}

static void write_mcountinhibit(RvCpu *cpu, unsigned number, uint64_t value)
{
    uint64_t cycle = read_counter(cpu, COUNTER_CYCLE), instret = read_counter(cpu, COUNTER_INSTRET);

    cpu->mcountinhibit = value & (1 << COUNTER_CYCLE | 1 << COUNTER_INSTRET);
    write_counter(cpu, COUNTER_CYCLE, cycle);
    write_counter(cpu, COUNTER_INSTRET, instret);
}

/* ---- status ----------------------------------------------------------------------------------- */

static uint64_t writable_status(const RvCpu *cpu)
{
    uint64_t bits = MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP;

    if (rv_has(cpu, RV_S)) {
        bits |= MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_TVM |
            MSTATUS_TSR;
    }
    if (rv_has(cpu, RV_U)) {
        bits |= MSTATUS_MPRV | MSTATUS_TW;
    }
    return bits | (rv_has(cpu, RV_F) ? MSTATUS_FS : 0);
}

static bool has_privilege(const RvCpu *cpu, unsigned privilege)
{
    return privilege == PRIV_M || (privilege == PRIV_S && rv_has(cpu, RV_S)) ||
        (privilege == PRIV_U && rv_has(cpu, RV_U));
}

/* SD: something is dirty. It is the topmost bit. */
static uint64_t status_sd(const RvCpu *cpu)
{
    bool dirty = (cpu->mstatus & MSTATUS_FS) == MSTATUS_FS;

    return dirty ? UINT64_C(1) << (rv_xlen(cpu) - 1) : 0;
}

static uint64_t read_mstatus(RvCpu *cpu, unsigned number)
{
    uint64_t lengths = rv_has(cpu, RV_RV64)
        ? (rv_has(cpu, RV_U) ? MSTATUS_UXL : 0) | (rv_has(cpu, RV_S) ? MSTATUS_SXL : 0)
        : 0;

    return cpu->mstatus | lengths | status_sd(cpu);
}

/* What translation and address spaces depend on; MPP by way of MPRV. */
static const uint64_t mode_bits = MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_MPRV |
    MSTATUS_MPP;

static void change_status(RvCpu *cpu, uint64_t value, uint64_t mask)
{
    if (!has_privilege(cpu, (value & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT)) {
        mask &= ~MSTATUS_MPP;
    }
    mask &= cpu->mstatus ^ value;
    cpu->mstatus ^= mask;
    if (mask & mode_bits) {
        rv_mode_changed(cpu, rv_privilege(cpu));
    }
    if (mask & (MSTATUS_SIE | MSTATUS_MIE)) {
        rv_check_interrupts(cpu);
    }
}

static void write_mstatus(RvCpu *cpu, unsigned number, uint64_t value)
{
    change_status(cpu, value, writable_status(cpu));
}

static uint64_t read_sstatus(RvCpu *cpu, unsigned number)
{
    uint64_t length = rv_has(cpu, RV_RV64) ? MSTATUS_UXL : 0;

    return (cpu->mstatus & SSTATUS_BITS) | length | status_sd(cpu);
}

static void write_sstatus(RvCpu *cpu, unsigned number, uint64_t value)
{
    change_status(cpu, value, writable_status(cpu) & SSTATUS_BITS);
}

static uint64_t misa(const RvCpu *cpu)
{
    static const struct {
        RvFeature feature;
        char letter;
    } letters[] = {
        { RV_M, 'm' },
        { RV_A, 'a' },
        { RV_F, 'f' },
        { RV_D, 'd' },
        { RV_C, 'c' },
        { RV_S, 's' },
        { RV_U, 'u' },
    };
    uint64_t value = 1 << ('i' - 'a');

    for (unsigned i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
        value |= (uint64_t)rv_has(cpu, letters[i].feature) << (letters[i].letter - 'a');
    }
    return value | (rv_has(cpu, RV_RV64) ? UINT64_C(2) << 62 : UINT64_C(1) << 30);
}

static uint64_t read_misa(RvCpu *cpu, unsigned number)
{
    return misa(cpu);
}

/* The other identification registers are zero; extensions without a letter are in the device tree. */
void rv_identify(const CpuEnv *env, CpuIdVisit *visit, void *data)
{
    static const char *const letters[64] = { "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K",
        "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z" };

    visit(data, &(CpuIdRegister){ "misa", misa(rv_cpu_const(env)), 1, letters });
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static void write_mie(RvCpu *cpu, unsigned number, uint64_t value)
{
    cpu->mie = value & (MIP_M | (rv_has(cpu, RV_S) ? MIP_S : 0));
    rv_check_interrupts(cpu);
}

static uint64_t read_sie(RvCpu *cpu, unsigned number)
{
    return cpu->mie & cpu->mideleg;
}

static void write_sie(RvCpu *cpu, unsigned number, uint64_t value)
{
    write_mie(cpu, number, (cpu->mie & ~cpu->mideleg) | (value & cpu->mideleg));
}

static uint64_t read_mip(RvCpu *cpu, unsigned number)
{
    return rv_pending(cpu);
}

static void write_mip(RvCpu *cpu, unsigned number, uint64_t value)
{
    uint64_t mask = rv_has(cpu, RV_S) ? MIP_S : 0;

    if (rv_has_stimecmp(cpu)) {
        mask &= ~(1 << IRQ_STI); /* the timer's own, read-only (Sstc 2.1.1) */
    }
    cpu->mip = (cpu->mip & ~mask) | (value & mask);
    rv_check_interrupts(cpu);
}

static uint64_t read_sip(RvCpu *cpu, unsigned number)
{
    return rv_pending(cpu) & cpu->mideleg;
}

static void write_sip(RvCpu *cpu, unsigned number, uint64_t value)
{
    uint64_t mask = cpu->mideleg & 1 << IRQ_SSI;

    write_mip(cpu, number, (cpu->mip & ~mask) | (value & mask));
}

static void write_mideleg(RvCpu *cpu, unsigned number, uint64_t value)
{
    cpu->mideleg = value & MIP_S;
    rv_check_interrupts(cpu);
}

/* Sstc 2.2: below M it takes both menvcfg.STCE and mcounteren.TM. */
static bool stimecmp_is_shown(const RvCpu *cpu, unsigned number)
{
    return rv_privilege(cpu) == PRIV_M ||
        (cpu->menvcfg & ENVCFG_STCE && cpu->mcounteren >> COUNTER_TIME & 1);
}

static void set_timer(RvCpu *cpu)
{
    uint64_t ns_per_tick = NS_PER_SECOND / RV_TIME_HZ;
    bool never = cpu->stimecmp > INT64_MAX / ns_per_tick || !(cpu->menvcfg & ENVCFG_STCE);

    cpu_timer_set(&cpu->env, never ? INT64_MAX : (int64_t)(cpu->stimecmp * ns_per_tick));
    rv_timer_changed(cpu);
}

static void write_stimecmp(RvCpu *cpu, unsigned number, uint64_t value)
{
    cpu->stimecmp = value;
    set_timer(cpu);
}

/* ---- the environment -------------------------------------------------------------------------- */

static uint64_t writable_envcfg(const RvCpu *cpu)
{
    return 1 | (rv_has(cpu, RV_ZICBOM) ? ENVCFG_CBIE | ENVCFG_CBCFE : 0) |
        (rv_has(cpu, RV_ZICBOZ) ? ENVCFG_CBZE : 0);
}

static void write_menvcfg(RvCpu *cpu, unsigned number, uint64_t value)
{
    uint64_t mask = writable_envcfg(cpu) | (rv_has(cpu, RV_SSTC) ? ENVCFG_STCE : 0) |
        (rv_has(cpu, RV_SVADU) ? ENVCFG_ADUE : 0);
    uint64_t changed = (cpu->menvcfg ^ value) & mask;

    cpu->menvcfg = value & mask;
    if (changed & ENVCFG_ADUE) {
        tlb_flush_all(&cpu->env);
    }
    if (changed & ENVCFG_STCE) {
        set_timer(cpu);
    }
}

static void write_senvcfg(RvCpu *cpu, unsigned number, uint64_t value)
{
    cpu->senvcfg = value & writable_envcfg(cpu);
}

/* ---- translation ------------------------------------------------------------------------------ */

/* TVM traps the supervisor's accesses (3.1.6.5). */
static bool satp_is_open(const RvCpu *cpu, unsigned number)
{
    return rv_privilege(cpu) == PRIV_M || !(cpu->mstatus & MSTATUS_TVM);
}

static bool has_satp_mode(const RvCpu *cpu, unsigned mode)
{
    return mode == 0 || mode == 8 || (mode == 9 && rv_has(cpu, RV_SV48)) ||
        (mode == 10 && rv_has(cpu, RV_SV57));
}

/* A mode that is not there: the whole write does nothing (4.1.11). */
static void write_satp(RvCpu *cpu, unsigned number, uint64_t value)
{
    if (!rv_has(cpu, RV_RV64) || has_satp_mode(cpu, value >> 60)) {
        cpu->satp = value;
        rv_mode_changed(cpu, rv_privilege(cpu));
    }
}

static uint64_t read_zero(RvCpu *cpu, unsigned number)
{
    return 0;
}

/* ---- the table -------------------------------------------------------------------------------- */

#define HOME(field) .offset = offsetof(RvCpu, field)
#define ALL ~UINT64_C(0)
#define NEED(feature) .need = UINT64_C(1) << RV_##feature
enum { COUNTEREN_BITS = 7, MEDELEG_BITS = 0xb3ff };

/* clang-format off */
/* By number: rv_csr_find searches it in halves. */
static const RvCsr csrs[] = {
    { 0x001, 0x003, .name = "fcsr", NEED(F), .read = read_fcsr, .write = write_fcsr, .allowed = fp_is_on },
    { 0x100, .name = "sstatus", NEED(S), .read = read_sstatus, .write = write_sstatus },
    { 0x104, .name = "sie", NEED(S), .read = read_sie, .write = write_sie },
    { 0x105, .name = "stvec", NEED(S), HOME(stvec), .mask = ~UINT64_C(2) },
    { 0x106, .name = "scounteren", NEED(S), HOME(scounteren), .mask = COUNTEREN_BITS },
    { 0x10a, .name = "senvcfg", NEED(S), HOME(senvcfg), .write = write_senvcfg },
    { 0x140, .name = "sscratch", NEED(S), HOME(sscratch), .mask = ALL },
    { 0x141, .name = "sepc", NEED(S), HOME(sepc), .mask = ALL, .flags = CSR_PC },
    { 0x142, .name = "scause", NEED(S), HOME(scause), .mask = ALL },
    { 0x143, .name = "stval", NEED(S), HOME(stval), .mask = ALL },
    { 0x144, .name = "sip", NEED(S), .read = read_sip, .write = write_sip, .flags = CSR_SOFT },
    { 0x14d, .name = "stimecmp", NEED(SSTC), HOME(stimecmp), .write = write_stimecmp, .allowed = stimecmp_is_shown },
    { 0x15d, .name = "stimecmph", NEED(SSTC), HOME(stimecmp), .write = write_stimecmp, .allowed = stimecmp_is_shown, .flags = CSR_HIGH },
    { 0x180, .name = "satp", NEED(S), HOME(satp), .write = write_satp, .allowed = satp_is_open },
    { 0x300, .name = "mstatus", .read = read_mstatus, .write = write_mstatus },
    { 0x301, .name = "misa", .read = read_misa },
    { 0x302, .name = "medeleg", NEED(S), HOME(medeleg), .mask = MEDELEG_BITS },
    { 0x303, .name = "mideleg", NEED(S), HOME(mideleg), .write = write_mideleg },
    { 0x304, .name = "mie", HOME(mie), .write = write_mie },
    { 0x305, .name = "mtvec", HOME(mtvec), .mask = ~UINT64_C(2) },
    { 0x306, .name = "mcounteren", NEED(U), HOME(mcounteren), .mask = COUNTEREN_BITS },
    { 0x30a, .name = "menvcfg", NEED(U), HOME(menvcfg), .write = write_menvcfg },
    { 0x310, .name = "mstatush", .read = read_mstatus, .write = write_mstatus, .flags = CSR_HIGH },
    { 0x31a, .name = "menvcfgh", NEED(U), HOME(menvcfg), .write = write_menvcfg, .flags = CSR_HIGH },
    { 0x320, .name = "mcountinhibit", HOME(mcountinhibit), .write = write_mcountinhibit },
    { 0x323, 0x33f, .name = "mhpmevent", .read = read_zero },
    { 0x340, .name = "mscratch", HOME(mscratch), .mask = ALL },
    { 0x341, .name = "mepc", HOME(mepc), .mask = ALL, .flags = CSR_PC },
    { 0x342, .name = "mcause", HOME(mcause), .mask = ALL },
    { 0x343, .name = "mtval", HOME(mtval), .mask = ALL },
    { 0x344, .name = "mip", .read = read_mip, .write = write_mip, .flags = CSR_SOFT },
    { 0x3a0, 0x3af, .name = "pmpcfg", .read = rv_pmp_read, .write = rv_pmp_write },
    { 0x3b0, 0x3ef, .name = "pmpaddr", .read = rv_pmp_read, .write = rv_pmp_write },
    { 0xb00, .name = "mcycle", .read = read_counter, .write = write_counter },
    { 0xb02, 0xb1f, .name = "minstret", .read = read_counter, .write = write_counter },
    { 0xb80, .name = "mcycleh", .read = read_counter, .write = write_counter, .flags = CSR_HIGH },
    { 0xb82, 0xb9f, .name = "minstreth", .read = read_counter, .write = write_counter, .flags = CSR_HIGH },
    { 0xc00, .name = "cycle", .read = read_counter, .allowed = counter_is_shown },
    { 0xc01, .name = "time", .read = read_time, .allowed = counter_is_shown },
    { 0xc02, 0xc1f, .name = "instret", .read = read_counter, .allowed = counter_is_shown },
    { 0xc80, .name = "cycleh", .read = read_counter, .allowed = counter_is_shown, .flags = CSR_HIGH },
    { 0xc81, .name = "timeh", .read = read_time, .allowed = counter_is_shown, .flags = CSR_HIGH },
    { 0xc82, 0xc9f, .name = "instreth", .read = read_counter, .allowed = counter_is_shown, .flags = CSR_HIGH },
    { 0xf11, 0xf13, .name = "mvendorid", .read = read_zero },       /* marchid, mimpid too */
    { 0xf14, .name = "mhartid", HOME(mhartid), .mask = 0 },
    { 0xf15, .name = "mconfigptr", .read = read_zero },
};
/* clang-format on */

static int compare_number(const void *key, const void *row)
{
    unsigned number = *(const unsigned *)key;
    const RvCsr *csr = row;

    return number < csr->number ? -1 : number > (csr->last ? csr->last : csr->number);
}

const RvCsr *rv_csr_find(const RvCpu *cpu, unsigned number)
{
    const RvCsr *csr = bsearch(
        &number, csrs, sizeof(csrs) / sizeof(*csrs), sizeof(*csrs), compare_number);

    if (!csr || (csr->need & ~cpu->features) || (csr->flags & CSR_HIGH && rv_has(cpu, RV_RV64))) {
        return NULL;
    }
    /* RV64 has the even pmpcfg only. */
    return csr->read == rv_pmp_read && number < 0x3b0 && number & 1 && rv_has(cpu, RV_RV64) ? NULL
                                                                                            : csr;
}

/* The number says who may use a register, and whether it can be written (2.1). */
bool rv_csr_reachable(unsigned number, RvPrivilege privilege, bool write)
{
    return privilege >= (number >> 8 & 3) && !(write && number >> 10 == 3);
}

unsigned rv_csr_plain(const RvCpu *cpu, const RvCsr *csr, uint64_t *mask)
{
    *mask = csr->flags & CSR_PC ? (rv_has(cpu, RV_C) ? ~UINT64_C(1) : ~UINT64_C(3)) : csr->mask;
    return csr->read || csr->write || csr->allowed ? 0 : csr->offset;
}

static uint64_t read_csr(RvCpu *cpu, const RvCsr *csr, unsigned number)
{
    return csr->read ? csr->read(cpu, number) : *(uint64_t *)((char *)cpu + csr->offset);
}

static uint64_t updated(RvCsrOp op, uint64_t old, uint64_t operand)
{
    return op == CSR_SET ? old | operand : op == CSR_CLEAR ? old & ~operand : operand;
}

/* RV32 writes a half; the other one keeps what it was. */
static uint64_t with_half(const RvCpu *cpu, uint64_t old, unsigned shift, uint64_t part)
{
    uint64_t mask = (uint64_t)UINT32_MAX << shift;

    return rv_has(cpu, RV_RV64) ? part : (old & ~mask) | (part << shift & mask);
}

enum { ARGUMENT_OP = 12, ARGUMENT_ROW = 16 };

uint32_t rv_csr_argument(const RvCsr *csr, unsigned number, RvCsrOp op)
{
    return number | op << ARGUMENT_OP | (uint32_t)(csr - csrs) << ARGUMENT_ROW;
}

static uint64_t help_csr(CpuEnv *env, uint64_t argument, uint64_t operand, uint64_t insn)
{
    RvCpu *cpu = rv_cpu(env);
    unsigned number = argument & 0xfff;
    RvCsrOp op = argument >> ARGUMENT_OP & 3;
    const RvCsr *csr = &csrs[argument >> ARGUMENT_ROW];
    unsigned shift = csr->flags & CSR_HIGH ? 32 : 0;
    uint64_t width = rv_has(cpu, RV_RV64) ? ~UINT64_C(0) : UINT32_MAX, old, base;

    if (csr->allowed && !csr->allowed(cpu, number)) {
        cpu_raise(env, CAUSE_ILLEGAL, insn);
        return 0;
    }
    old = read_csr(cpu, csr, number);
    if (op != CSR_READ && csr->write) {
        base = csr->flags & CSR_SOFT ? cpu->mip : old;
        csr->write(
            cpu, number, with_half(cpu, base, shift, updated(op, base >> shift & width, operand)));
    }
    return old >> shift & width;
}

static uint64_t help_csr_leave(CpuEnv *env, uint64_t argument, uint64_t operand, uint64_t insn)
{
    uint64_t old = help_csr(env, argument, operand, insn);

    if (!env->raised) {
        env->raised = RAISED_CODE_CHANGED;
    }
    return old;
}

const Helper rv_help_csr_leave = { "rv_csr_leave", help_csr_leave, HELPER_MAY_RAISE };
const Helper rv_help_csr = { "rv_csr", help_csr, HELPER_MAY_RAISE };

const char *rv_csr_name(unsigned number)
{
    const RvCsr *csr = bsearch(
        &number, csrs, sizeof(csrs) / sizeof(*csrs), sizeof(*csrs), compare_number);

    return csr && !csr->last ? csr->name : NULL;
}

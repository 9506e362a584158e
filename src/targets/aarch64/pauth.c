/*
 * Pointer authentication (FEAT_PAuth): codes in the unused upper bits of a pointer. Arm ARM D8.8; AddPAC(), Auth()
 * and Strip() in J1.
 *
 * A code is made when a function is entered and made again to check it when it returns, so the last ones are kept.
 * What generated code calls here finds guest registers in the host's vector registers: general registers only.
 */
#include "targets/aarch64/pauth.h"

#include "tcg/general-regs.h"

/* ---- the code --------------------------------------------------------------------------------- */

/* Modifiers are stack pointers, of which a thread has few, and the keys are the kernel's and the program's. */
QUIET static uint64_t encrypt(A64Cpu *cpu, uint64_t text, uint64_t modifier, const uint64_t key[2])
{
    uint64_t spread = modifier * UINT64_C(0x9e3779b97f4a7c15);
    QarmaTweak *tweak = &cpu->pac_tweaks[spread >> (64 - A64_PAC_TWEAK_BITS)];
    QarmaKey *used = &cpu->pac_keys[key[0] & ((1 << A64_PAC_KEY_BITS) - 1)];

    if (tweak->of[0] != modifier) {
        qarma64_tweak(tweak, modifier);
    }
    if (used->k0 != key[0] || used->w0 != key[1] || !used->spread[1]) {
        qarma64_key(used, key[1], key[0]);
    }
    return qarma64(text, tweak, used);
}

QUIET static uint64_t compute(A64Cpu *cpu, uint64_t text, uint64_t modifier, const uint64_t key[2])
{
    uint64_t hash = (text ^ modifier >> 4 ^ key[0]) * UINT64_C(0x9e3779b97f4a7c15);
    A64PacCode *kept = &cpu->pacs[hash >> (64 - A64_PAC_BITS)];

    if (!kept->valid || kept->text != text || kept->modifier != modifier ||
        kept->key[0] != key[0] || kept->key[1] != key[1]) {
        kept->valid = true;
        kept->text = text;
        kept->modifier = modifier;
        kept->key[0] = key[0];
        kept->key[1] = key[1];
        kept->code = encrypt(cpu, text, modifier, key);
    }
    return kept->code;
}

/* ---- where it goes ---------------------------------------------------------------------------- */

/* Bits bottom to 54 have the code, and 56 to 63 too where they are no tag. */
typedef struct Layout {
    unsigned bottom;
    bool tagged;    /* the top byte of this pointer is ignored */
    bool by_bit_55; /* which half a pointer belongs to, 63 otherwise */
} Layout;

static uint64_t bits(unsigned from, unsigned to)
{
    return (UINT64_C(2) << to) - (UINT64_C(1) << from);
}

/* The same for all bits from `bottom` up. */
static uint64_t extended(const Layout *l, uint64_t pointer, bool upper)
{
    uint64_t extension = bits(l->bottom, l->tagged ? 55 : 63);

    return upper ? pointer | extension : pointer & ~extension;
}

/* The level whose SCTLR and TCR are about pointers now. */
QUIET static unsigned regime_of(const A64Cpu *cpu)
{
    unsigned el = cpu->env.mode & MODE_EL;
    bool host = (cpu->hcr_now & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);

    return el ? el : host ? 2 : 1;
}

QUIET static bool has_two_halves(const A64Cpu *cpu, unsigned regime)
{
    return regime == 1 || (regime == 2 && cpu->hcr & HCR_E2H);
}

/* TCR_ELx.TBI0, TBI1, TBID0 and TBID1: bits 37, 38, 51 and 52; of a regime with one half TBI is 20 and TBID 29. */
QUIET static Layout layout_of(const A64Cpu *cpu, uint64_t pointer, bool data)
{
    unsigned regime = regime_of(cpu), half = pointer >> 55 & 1, size;
    unsigned most = cpu->features >> A64_TTST & 1 ? 48 : 39;
    uint64_t tcr = cpu->tcr[regime], ignored, only_data;

    if (has_two_halves(cpu, regime)) {
        ignored = tcr >> 37 & 3;
        only_data = tcr >> 51 & 3;
        size = (half ? tcr >> 16 : tcr) & 63;
    } else {
        ignored = (tcr >> 20 & 1) * 3;
        only_data = (tcr >> 29 & 1) * 3;
        size = tcr & 63;
    }
    ignored &= data ? 3 : ~only_data;
    size = size < 16 ? 16 : size > most ? most : size;
    return (Layout){
        .bottom = 64 - size,
        .tagged = ignored >> half & 1,
        .by_bit_55 = has_two_halves(cpu, regime) && ignored,
    };
}

QUIET static uint64_t add_code(
    A64Cpu *cpu, uint64_t pointer, uint64_t modifier, const uint64_t key[2], bool data)
{
    Layout l = layout_of(cpu, pointer, data);
    bool upper = pointer >> (l.by_bit_55 || l.tagged ? 55 : 63) & 1;
    unsigned top = l.tagged ? 55 : 63;
    uint64_t code = compute(cpu, extended(&l, pointer, upper), modifier, key);
    uint64_t above = pointer & bits(l.bottom, top), where;

    /* Of a pointer that was none the code is spoilt. */
    if (above && above != bits(l.bottom, top)) {
        code ^= A64_BIT(top - 1);
    }
    where = bits(l.bottom, 54) | (l.tagged ? 0 : bits(56, 63));
    pointer &= ~(where | A64_BIT(55));
    return pointer | (code & where) | (uint64_t)upper << 55;
}

/* The pointer without its code; one that does not match leaves the number of the key where addresses have none. */
QUIET static uint64_t check_code(A64Cpu *cpu, uint64_t pointer, uint64_t modifier, unsigned number)
{
    Layout l = layout_of(cpu, pointer, number >= A64_KEY_DA);
    uint64_t original = extended(&l, pointer, pointer >> 55 & 1);
    uint64_t code = compute(cpu, original, modifier, cpu->keys[number]);
    uint64_t where = bits(l.bottom, 54) | (l.tagged ? 0 : bits(56, 63));
    unsigned low = l.tagged ? 53 : 61;

    if (!((code ^ pointer) & where)) {
        return original;
    }
    return (original & ~bits(low, low + 1)) | (uint64_t)(number & 1 ? 2 : 1) << low;
}

/* ---- what code calls -------------------------------------------------------------------------- */

/* SCTLR_ELx.EnIA, EnIB, EnDA, EnDB */
QUIET static bool is_enabled(const A64Cpu *cpu, unsigned key)
{
    static const uint8_t enables[] = { 31, 30, 27, 13 };

    return cpu->sctlr[regime_of(cpu)] >> enables[key] & 1;
}

QUIET static uint64_t help_pac(CpuEnv *env, uint64_t pointer, uint64_t modifier, uint64_t key)
{
    A64Cpu *cpu = (A64Cpu *)env;

    return is_enabled(cpu, (unsigned)key)
        ? add_code(cpu, pointer, modifier, cpu->keys[key], key >= A64_KEY_DA)
        : pointer;
}

QUIET static uint64_t help_aut(CpuEnv *env, uint64_t pointer, uint64_t modifier, uint64_t key)
{
    A64Cpu *cpu = (A64Cpu *)env;

    return is_enabled(cpu, (unsigned)key) ? check_code(cpu, pointer, modifier, (unsigned)key)
                                          : pointer;
}

QUIET static uint64_t help_strip(CpuEnv *env, uint64_t pointer, uint64_t data, uint64_t c)
{
    Layout l = layout_of((A64Cpu *)env, pointer, data);

    return extended(&l, pointer, pointer >> 55 & 1);
}

QUIET static uint64_t help_pacga(CpuEnv *env, uint64_t x, uint64_t modifier, uint64_t c)
{
    A64Cpu *cpu = (A64Cpu *)env;

    return compute(cpu, x, modifier, cpu->keys[A64_KEY_GA]) & ~(uint64_t)UINT32_MAX;
}

const Helper a64_help_pac = { "a64_pac", help_pac, HELPER_LEAF };
const Helper a64_help_aut = { "a64_aut", help_aut, HELPER_LEAF };
const Helper a64_help_strip = { "a64_strip", help_strip, HELPER_LEAF };
const Helper a64_help_pacga = { "a64_pacga", help_pacga, HELPER_LEAF };

#include "tcg/general-regs-end.h"

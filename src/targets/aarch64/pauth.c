/*
 * Pointer authentication (FEAT_PAuth): codes in the unused upper bits of a pointer. Arm ARM D8.8; AddPAC(), Auth()
 * and Strip() in J1.
 *
 * A pointer is checked with the modifier that it was given its code with, so pointers are remembered with and without.
 * What generated code calls here finds guest registers in the host's vector registers: general registers only.
 */
#include "targets/aarch64/pauth.h"

#include "targets/aarch64/qarma.h"
#include "tcg/general-regs.h"

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

/* Of a pointer that was none the code is spoilt. */
QUIET static uint64_t add_code(
    A64Cpu *cpu, uint64_t pointer, uint64_t modifier, unsigned key, bool *is_good)
{
    Layout l = layout_of(cpu, pointer, key >= A64_KEY_DA);
    bool upper = pointer >> (l.by_bit_55 || l.tagged ? 55 : 63) & 1;
    unsigned top = l.tagged ? 55 : 63;
    uint64_t code = qarma64(extended(&l, pointer, upper), modifier, cpu->keys[key]);
    uint64_t above = pointer & bits(l.bottom, top), where;

    *is_good = !above || above == bits(l.bottom, top);
    code ^= *is_good ? 0 : A64_BIT(top - 1);
    where = bits(l.bottom, 54) | (l.tagged ? 0 : bits(56, 63));
    pointer &= ~(where | A64_BIT(55));
    return pointer | (code & where) | (uint64_t)upper << 55;
}

/* The pointer without its code; one that does not match leaves the number of the key where addresses have none. */
QUIET static uint64_t check_code(
    A64Cpu *cpu, uint64_t pointer, uint64_t modifier, unsigned key, bool *is_good)
{
    Layout l = layout_of(cpu, pointer, key >= A64_KEY_DA);
    uint64_t original = extended(&l, pointer, pointer >> 55 & 1);
    uint64_t code = qarma64(original, modifier, cpu->keys[key]);
    uint64_t where = bits(l.bottom, 54) | (l.tagged ? 0 : bits(56, 63));
    unsigned low = l.tagged ? 53 : 61;

    *is_good = !((code ^ pointer) & where);
    if (*is_good) {
        return original;
    }
    return (original & ~bits(low, low + 1)) | (uint64_t)(key & 1 ? 2 : 1) << low;
}

/* SCTLR_ELx.EnIA, EnIB, EnDA, EnDB */
static const uint8_t enables[4] = { 31, 30, 27, 13 };

QUIET static bool is_enabled(const A64Cpu *cpu, unsigned key)
{
    return cpu->sctlr[regime_of(cpu)] >> enables[key] & 1;
}

/* ---- what is remembered ----------------------------------------------------------------------- */

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define APART __attribute__((noinline))

QUIET static bool is_known(const A64PacKnown *known, const A64PacKnown *wanted)
{
    return known->key.key[0] == wanted->key.key[0] && known->key.key[1] == wanted->key.key[1] &&
        known->tcr == wanted->tcr && known->halves == wanted->halves &&
        known->data == wanted->data && known->key.number;
}

/* The number of what is in a key's register, under the current setting. */
QUIET static void find_key(A64Cpu *cpu, unsigned key)
{
    A64PacMemory *pac = &cpu->pac;
    A64PacKnown wanted = {
        .key.key = { cpu->keys[key][0], cpu->keys[key][1] },
        .tcr = pac->setting.tcr,
        .halves = pac->setting.halves,
        .data = key >= A64_KEY_DA,
    };
    unsigned n = 0;

    while (n < A64_PAC_KEYS && !is_known(&pac->known[n], &wanted)) {
        n++;
    }
    if (n == A64_PAC_KEYS) {
        n = pac->known_count++ % A64_PAC_KEYS;
        wanted.key.number = A64_PAC_UNKNOWN + pac->known_count;
        pac->known[n] = wanted;
    }
    pac->last[key] = pac->known[n].key;
}

QUIET static ALWAYS_INLINE bool is_last_key(const A64Cpu *cpu, unsigned key)
{
    const A64PacKey *last = &cpu->pac.last[key];

    return last->key[0] == cpu->keys[key][0] && last->key[1] == cpu->keys[key][1];
}

/* Where a pointer may be, with its code or without, which most have in the upper half. */
QUIET static ALWAYS_INLINE A64PacCode *place_of(
    A64Cpu *cpu, uint64_t pointer, uint64_t modifier, unsigned key)
{
    uint64_t mixed = (uint32_t)pointer ^ (modifier << 32 | modifier >> 32);

    mixed = (mixed + cpu->pac.last[key].number) * UINT64_C(0x9e3779b97f4a7c15);
    return &cpu->pac.codes[mixed >> (64 - A64_PAC_BITS)];
}

QUIET static ALWAYS_INLINE const A64PacCode *find_code(
    A64Cpu *cpu, uint64_t pointer, uint64_t modifier, unsigned key)
{
    const A64PacCode *code = place_of(cpu, pointer, modifier, key);
    bool is_it = code->modifier == modifier && code->number == cpu->pac.last[key].number;

    return is_it && is_last_key(cpu, key) ? code : NULL;
}

/* After renew_key(). */
QUIET static void remember(
    A64Cpu *cpu, uint64_t plain, uint64_t coded, uint64_t modifier, unsigned key)
{
    *place_of(cpu, plain, modifier, key) = (A64PacCode){ plain, coded, modifier,
        cpu->pac.last[key].number };
}

void a64_pac_changed(A64Cpu *cpu)
{
    unsigned regime = regime_of(cpu);
    A64PacSetting *now = &cpu->pac.setting;
    uint64_t tcr = cpu->tcr[regime], sctlr = cpu->sctlr[regime];
    bool halves = has_two_halves(cpu, regime);

    if (now->tcr == tcr && now->sctlr == sctlr && now->regime == regime && now->halves == halves) {
        return;
    }
    *now = (A64PacSetting){ .tcr = tcr, .sctlr = sctlr, .regime = regime, .halves = halves };
    for (unsigned key = 0; key < G_N_ELEMENTS(cpu->pac.last); key++) {
        cpu->pac.last[key].number = A64_PAC_UNKNOWN;
    }
}

/* ---- what code calls -------------------------------------------------------------------------- */

/* True: what was asked for is to be looked for again, as the key was another. */
QUIET static bool renew_key(A64Cpu *cpu, unsigned key)
{
    bool is_new = cpu->pac.last[key].number == A64_PAC_UNKNOWN || !is_last_key(cpu, key);

    if (is_new) {
        find_key(cpu, key);
    }
    return is_new;
}

QUIET APART static uint64_t pac_anew(A64Cpu *cpu, uint64_t pointer, uint64_t modifier, unsigned key)
{
    const A64PacCode *code;
    uint64_t coded;
    bool is_good;

    if (!is_enabled(cpu, key)) {
        return pointer;
    }
    code = renew_key(cpu, key) ? find_code(cpu, pointer, modifier, key) : NULL;
    if (code && code->plain == pointer) {
        return code->coded;
    }
    coded = add_code(cpu, pointer, modifier, key, &is_good);
    if (is_good) {
        remember(cpu, pointer, coded, modifier, key);
    }
    return coded;
}

QUIET static uint64_t help_pac(CpuEnv *env, uint64_t pointer, uint64_t modifier, uint64_t key)
{
    A64Cpu *cpu = (A64Cpu *)env;
    const A64PacCode *code = find_code(cpu, pointer, modifier, (unsigned)key);

    return code && code->plain == pointer ? code->coded
                                          : pac_anew(cpu, pointer, modifier, (unsigned)key);
}

QUIET APART static uint64_t aut_anew(A64Cpu *cpu, uint64_t pointer, uint64_t modifier, unsigned key)
{
    const A64PacCode *code;
    uint64_t plain;
    bool is_good;

    if (!is_enabled(cpu, key)) {
        return pointer;
    }
    code = renew_key(cpu, key) ? find_code(cpu, pointer, modifier, key) : NULL;
    if (code && code->coded == pointer) {
        return code->plain;
    }
    plain = check_code(cpu, pointer, modifier, key, &is_good);
    if (is_good) {
        remember(cpu, plain, pointer, modifier, key);
    }
    return plain;
}

QUIET static uint64_t help_aut(CpuEnv *env, uint64_t pointer, uint64_t modifier, uint64_t key)
{
    A64Cpu *cpu = (A64Cpu *)env;
    const A64PacCode *code = find_code(cpu, pointer, modifier, (unsigned)key);

    return code && code->coded == pointer ? code->plain
                                          : aut_anew(cpu, pointer, modifier, (unsigned)key);
}

QUIET static uint64_t help_strip(CpuEnv *env, uint64_t pointer, uint64_t data, uint64_t c)
{
    Layout l = layout_of((A64Cpu *)env, pointer, data);

    return extended(&l, pointer, pointer >> 55 & 1);
}

QUIET static uint64_t help_pacga(CpuEnv *env, uint64_t x, uint64_t modifier, uint64_t c)
{
    A64Cpu *cpu = (A64Cpu *)env;

    return qarma64(x, modifier, cpu->keys[A64_KEY_GA]) & ~(uint64_t)UINT32_MAX;
}

const Helper a64_help_pac = { "a64_pac", help_pac, HELPER_LEAF };
const Helper a64_help_aut = { "a64_aut", help_aut, HELPER_LEAF };
const Helper a64_help_strip = { "a64_strip", help_strip, HELPER_LEAF };
const Helper a64_help_pacga = { "a64_pacga", help_pacga, HELPER_LEAF };

#include "tcg/general-regs-end.h"

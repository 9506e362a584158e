/*
 * RISC-V platform-level interrupt controller.
 *
 * "RISC-V Platform-Level Interrupt Controller Specification" 1.0.0. Each hart has two contexts, M
 * and S mode, numbered as SiFive and QEMU's `virt` do: 2 * hart and 2 * hart + 1. All gateways are
 * for level-triggered sources: a request that was latched stays until it is claimed (chapter 5).
 */
#include <string.h>

#include "core/registers.h"

enum {
    SOURCES = 95, /* 1 to 95; there is no source 0 */
    SOURCE_WORDS = (SOURCES + 32) / 32,
    ENABLE_WORDS = 32, /* of a context in the register map, whatever is there */
    HARTS_MAX = 64,
    CONTEXTS_MAX = 2 * HARTS_MAX,
    PRIORITY_MASK = 7,
    CONTEXT_STRIDE = 0x1000,
    PLIC_SIZE = 0x600000,
};

typedef struct Plic {
    Device dev;

    unsigned contexts;

    uint32_t priority[SOURCES + 1];
    uint32_t threshold[CONTEXTS_MAX];
    uint32_t enable[CONTEXTS_MAX * ENABLE_WORDS];
    uint32_t level[SOURCE_WORDS], pending[SOURCE_WORDS], claimed[SOURCE_WORDS];
} Plic;

static bool bit_get(const uint32_t *words, unsigned n)
{
    return words[n / 32] >> (n % 32) & 1;
}

static void bit_set(uint32_t *words, unsigned n, bool value)
{
    uint32_t bit = UINT32_C(1) << (n % 32);

    words[n / 32] = value ? words[n / 32] | bit : words[n / 32] & ~bit;
}

/* The pending, enabled source of the highest priority above `floor`, the lowest number first. */
static unsigned best_source(const Plic *p, unsigned context, uint32_t floor)
{
    unsigned best = 0;

    for (unsigned word = 0; word < SOURCE_WORDS; word++) {
        uint32_t ready = p->pending[word] & p->enable[context * ENABLE_WORDS + word];

        for (; ready; ready &= ready - 1) {
            unsigned source = word * 32 + __builtin_ctz(ready);

            if (p->priority[source] > floor) {
                floor = p->priority[source];
                best = source;
            }
        }
    }
    return best;
}

static void update_context(Plic *p, unsigned context)
{
    bool level = best_source(p, context, p->threshold[context]) != 0;

    device_set_cpu_irq(&p->dev, context / 2, context % 2, level);
}

static void update_all(Device *dev)
{
    Plic *p = (Plic *)dev;

    for (unsigned context = 0; context < p->contexts; context++) {
        update_context(p, context);
    }
}

/* The gateway: no second request before the first was completed. */
static void forward_request(Plic *p, unsigned source)
{
    if (bit_get(p->level, source) && !bit_get(p->claimed, source) && !bit_get(p->pending, source)) {
        bit_set(p->pending, source, true);
        update_all(&p->dev);
    }
}

static void plic_set_input(Device *dev, unsigned index, bool level)
{
    Plic *p = (Plic *)dev;

    bit_set(p->level, index, level);
    forward_request(p, index);
}

/* ---- registers ---- */

static bool context_exists(Plic *p, unsigned context)
{
    if (context >= p->contexts) {
        device_guest_error(&p->dev, "context %u does not exist", context);
        return false;
    }
    return true;
}

static void priority_write(Device *dev, unsigned source, uint64_t value)
{
    Plic *p = (Plic *)dev;

    if (source > 0) {
        p->priority[source] = value & PRIORITY_MASK;
        update_all(dev);
    }
}

static uint32_t existing_sources(unsigned word)
{
    return word >= SOURCE_WORDS ? 0 : word == 0 ? ~UINT32_C(1) : ~UINT32_C(0);
}

static void enable_write(Device *dev, unsigned index, uint64_t value)
{
    Plic *p = (Plic *)dev;

    if (context_exists(p, index / ENABLE_WORDS)) {
        p->enable[index] = value & existing_sources(index % ENABLE_WORDS);
        update_context(p, index / ENABLE_WORDS);
    }
}

static void threshold_write(Device *dev, unsigned context, uint64_t value)
{
    Plic *p = (Plic *)dev;

    if (context_exists(p, context)) {
        p->threshold[context] = value & PRIORITY_MASK;
        update_context(p, context);
    }
}

/* The threshold does not matter for a claim (chapter 9). */
static uint64_t claim_read(Device *dev, unsigned context)
{
    Plic *p = (Plic *)dev;
    unsigned source = context_exists(p, context) ? best_source(p, context, 0) : 0;

    if (source) {
        bit_set(p->pending, source, false);
        bit_set(p->claimed, source, true);
        update_all(dev);
    }
    return source;
}

/* A completion of a source that the context has not enabled is ignored (chapter 10). */
static void complete_write(Device *dev, unsigned context, uint64_t source)
{
    Plic *p = (Plic *)dev;

    if (!context_exists(p, context)) {
        return;
    }
    if (source > SOURCES || !bit_get(&p->enable[context * ENABLE_WORDS], source)) {
        device_guest_error(dev, "completion of source %u, not enabled", (unsigned)source);
        return;
    }
    bit_set(p->claimed, source, false);
    forward_request(p, source);
}

/* clang-format off */
static const Register plic_registers[] = {
    { .name = "PRIORITY", .offset = 0x0000, FIELD_ARRAY(Plic, priority), .write = priority_write },
    { .name = "PENDING", .offset = 0x1000, FIELD_ARRAY(Plic, pending) },
    { .name = "ENABLE", .offset = 0x2000, FIELD_ARRAY(Plic, enable), .write = enable_write },
    { .name = "THRESHOLD", .offset = 0x200000, FIELD_ARRAY(Plic, threshold),
      .stride = CONTEXT_STRIDE, .write = threshold_write },
    { .name = "CLAIM", .offset = 0x200004, .count = CONTEXTS_MAX, .stride = CONTEXT_STRIDE,
      .read = claim_read, .write = complete_write },
};
/* clang-format on */

static const RegisterBank plic_bank = REGISTER_BANK(plic_registers);

static void plic_reset(Device *dev)
{
    Plic *p = (Plic *)dev;

    registers_reset(&plic_bank, dev);
    memset(p->claimed, 0, sizeof(p->claimed));
    for (unsigned source = 1; source <= SOURCES; source++) {
        forward_request(p, source); /* inputs keep their level through a reset */
    }
    update_all(dev);
}

static bool plic_start(Device *dev, Diag *diag)
{
    Plic *p = (Plic *)dev;

    p->contexts = 2 * device_cpu_count(dev);
    if (p->contexts > CONTEXTS_MAX) {
        return device_error(dev, diag, "type", "serves up to %u CPUs, the machine has %u",
            HARTS_MAX, p->contexts / 2);
    }
    device_add_inputs(dev, "line", 1, SOURCES, 1);
    device_add_region(dev, 0, registers_region("regs", PLIC_SIZE, &plic_bank, dev));
    return true;
}

static const Saved plic_saved[] = {
    SAVED(Plic, priority),
    SAVED(Plic, threshold),
    SAVED(Plic, enable),
    SAVED(Plic, level),
    SAVED(Plic, pending),
    SAVED(Plic, claimed),
    {},
};

DEVICE_CLASS(riscv_plic) = {
    .name = "riscv-plic",
    .state_size = sizeof(Plic),
    .saved = plic_saved,
    .start = plic_start,
    .reset = plic_reset,
    .loaded = update_all,
    .set_input = plic_set_input,
};

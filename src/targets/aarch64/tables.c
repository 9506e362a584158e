/* Walks through translation tables. See tables.h. */
#include "targets/aarch64/tables.h"

#include <glib.h>

#include "core/cpu.h"
#include "tcg/exec.h"
#include "tcg/tlb.h"

#define TABLE_NS A64_BIT(63) /* whatever the hierarchy's other attributes are worth (D8.3.2) */

uint64_t a64_view(const A64Cpu *cpu, bool secure)
{
    return secure ? cpu_device(&cpu->env)->secure_base : 0;
}

uint8_t a64_granule0(uint64_t tg)
{
    static const uint8_t bits[4] = { 12, 16, 14, 12 };

    return bits[tg & 3];
}

uint8_t a64_granule_there(const A64Cpu *cpu, uint8_t bits)
{
    return bits == 14 && !cpu->model->granule16 ? 12 : bits;
}

uint8_t a64_out_bits(const A64Cpu *cpu, unsigned range)
{
    static const uint8_t bits[8] = { 32, 36, 40, 42, 44, 48, 48, 48 };

    return bits[MIN(range, cpu->model->pa_range) & 7];
}

static unsigned level_shift(const Tables *tables, unsigned level)
{
    return tables->granule + (LAST_LEVEL - level) * (tables->granule - 3);
}

unsigned a64_first_level(const Tables *tables)
{
    unsigned bits = 64 - tables->size - tables->granule, stride = tables->granule - 3;

    return LAST_LEVEL + 1 - (bits + stride - 1) / stride;
}

/* Blocks are at levels 1 and 2 of 4 KiB granules, 2 of the others (D8.3.1). */
static bool is_leaf(const Tables *tables, unsigned level, uint64_t desc, bool *wrong)
{
    bool table = desc & DESC_TABLE;

    if (level == LAST_LEVEL) {
        *wrong = !table;
        return true;
    }
    *wrong = !table && (level == 0 || (level == 1 && tables->granule != 12));
    return !table;
}

static bool is_out_of_range(const Tables *tables, uint64_t physical)
{
    return physical >> tables->out_bits;
}

/* Where the machine has the descriptor, but for stage 2. */
static uint64_t place_of(const Tables *tables, const Leaf *leaf)
{
    return leaf->at | (leaf->nonsecure ? 0 : tables->view);
}

static unsigned load(A64Cpu *cpu, const Tables *tables, const Leaf *leaf, uint64_t *desc)
{
    uint64_t physical = place_of(tables, leaf);
    unsigned code = tables->stage_2 ? a64_stage2_table(cpu, physical, ACCESS_READ, &physical) : 0;

    if (!code && !phys_load(&cpu->env, physical, 8, desc)) {
        code = FAULT | FAULT_EXTERNAL_WALK | leaf->level;
    }
    return code;
}

unsigned a64_find_leaf(A64Cpu *cpu, const Tables *tables, uint64_t address, Leaf *leaf)
{
    unsigned level = tables->first, top = 64 - tables->size, code;
    /* The first table may be smaller than a granule, and then is aligned to its own size. */
    uint64_t table = (tables->base & UINT64_C(0x0000fffffffffffe)) &
        ~((UINT64_C(8) << (top - level_shift(tables, level))) - 1);
    bool wrong;

    if (is_out_of_range(tables, table)) {
        return FAULT | FAULT_ADDRESS_SIZE;
    }
    leaf->limits = 0;
    leaf->nonsecure = false;
    for (;; level++, top = leaf->shift) {
        leaf->level = level;
        leaf->shift = level_shift(tables, level);
        leaf->at = table +
            (address >> leaf->shift & ((UINT64_C(1) << (top - leaf->shift)) - 1)) * 8;
        code = load(cpu, tables, leaf, &leaf->desc);
        if (code) {
            return code;
        }
        if (!(leaf->desc & DESC_VALID)) {
            return FAULT | FAULT_TRANSLATION | level;
        }
        if (is_out_of_range(tables, leaf->desc & DESC_ADDRESS)) {
            return FAULT | FAULT_ADDRESS_SIZE | level;
        }
        if (is_leaf(tables, level, leaf->desc, &wrong)) {
            return wrong ? FAULT | FAULT_TRANSLATION | level : 0;
        }
        leaf->limits |= tables->no_hierarchy ? 0 : leaf->desc;
        leaf->nonsecure |= !tables->is_stage_2 && leaf->desc & TABLE_NS;
        table = leaf->desc & DESC_ADDRESS & ~((UINT64_C(1) << tables->granule) - 1);
    }
}

bool a64_makes_dirty(const Tables *tables, Access access, uint64_t desc)
{
    return tables->sets_dirty && access == ACCESS_WRITE && desc & DESC_DBM;
}

bool a64_allows(const Translation *t, Access access)
{
    return access == ACCESS_READ ? t->read : access == ACCESS_WRITE ? t->write : t->execute;
}

bool a64_mark_used(
    A64Cpu *cpu, const Tables *tables, const Leaf *leaf, uint64_t wanted, unsigned *code)
{
    uint64_t found = leaf->desc, physical = place_of(tables, leaf);
    bool done;

    *code = 0;
    if (wanted == leaf->desc) {
        return true;
    }
    *code = tables->stage_2 ? a64_stage2_table(cpu, physical, ACCESS_WRITE, &physical) : 0;
    if (*code) {
        return false;
    }
    if (!phys_cas(&cpu->env, physical, 8, &found, wanted, &done)) {
        *code = FAULT | FAULT_EXTERNAL_WALK | leaf->level;
        return false;
    }
    return done;
}

/* The TLB against a plain page table: whatever is mapped, switched and flushed, it never answers wrongly. */
#include <glib.h>
#include <string.h>

#include "tests/tcg/mini.h"
#include "tests/test.h"

#include "tcg/exec.h"
#include "tcg/tcg-impl.h"
#include "tcg/tlb.h"

enum { SPACES = 6, LARGE = 4 /* pages of a large one */, PHYSICAL_PAGES = 512 };

typedef struct Oracle {
    MiniMachine *machine;
    MiniCpu     *cpu;
    CpuEnv      *env;
    GRand       *random;
    MiniPage     table[SPACES][MINI_PAGES];
} Oracle;

/* ---- what must be ---------------------------------------------------------------------------- */

static bool oracle_find(const Oracle *o, uint64_t address, bool write, uint64_t *physical)
{
    const MiniPage *page = &o->table[o->cpu->space][address >> GUEST_PAGE_BITS];

    *physical = page->physical + (address & (page->size - 1));
    return page->size && (!write || page->write);
}

static void set_pages(Oracle *o, unsigned space, unsigned first, MiniPage page)
{
    unsigned count = page.size > GUEST_PAGE_SIZE ? LARGE : 1;

    for (unsigned i = 0; i < count; i++) {
        o->table[space][first + i] = page;
    }
}

/* ---- what is --------------------------------------------------------------------------------- */

static const TlbEntry *first_level(const Oracle *o, uint64_t address, bool write)
{
    unsigned index = (address >> GUEST_PAGE_BITS) & (TLB_SIZE - 1);
    const CpuFar *far = env_far(o->env);
    const TlbEntry *entry = write ? &far->write[index] : &far->read[index];

    return entry->tag == ((address & -(uint64_t)GUEST_PAGE_SIZE) | o->env->data_context) ? entry : NULL;
}

static void check_first_level(const Oracle *o, uint64_t address, bool write)
{
    const TlbEntry *entry = first_level(o, address, write);
    uint64_t physical;

    if (entry) {
        assert_true(oracle_find(o, address, write, &physical));
        assert_ptr_equal(entry->addend + address, region_host(o->machine->ram) + physical);
    }
}

/* An access as generated code makes it: first level, refill, full path. */
static void check_access(Oracle *o, uint64_t address, bool write)
{
    uint64_t physical, value = 0;
    bool expected = oracle_find(o, address, write, &physical);

    check_first_level(o, address, write);
    if (mem_refill(o->env, address, write)) {
        assert_non_null(first_level(o, address, write));
        check_first_level(o, address, write);
    }
    bool fine = write ? cpu_store(o->env, address, MEM_64, physical) : cpu_load(o->env, address, MEM_64, &value);
    assert_int_equal(fine, expected);
    assert_int_equal(o->env->raised, !expected);
    o->env->raised = 0;
    if (fine && !write) {
        assert_int_equal(value, *(uint64_t *)(region_host(o->machine->ram) + physical));
    }
    check_first_level(o, address, write);
}

/*
 * At the end of each physical page is code: a jump to r4, and one that puts the page's number into r0. Data goes to
 * multiples of 32, so never there.
 */
enum { JUMP_AT = 0xff0, NUMBER_AT = 0xff8, DATA_ALIGN = 32 };

static void put_code(Oracle *o)
{
    for (unsigned page = 0; page < PHYSICAL_PAGES; page++) {
        MINI_PUT(o->machine, (uint64_t)page * GUEST_PAGE_SIZE + JUMP_AT, mini(MINI_JR, 4, 0, 0));
        MINI_PUT(o->machine, (uint64_t)page * GUEST_PAGE_SIZE + NUMBER_AT, mini(MINI_LI, 0, 0, (int)page),
            mini(MINI_HALT, 0, 0, 0));
    }
}

static bool oracle_executes(const Oracle *o, uint64_t address, uint64_t *physical)
{
    return oracle_find(o, address, false, physical) && o->table[o->cpu->space][address >> GUEST_PAGE_BITS].execute;
}

/* Runs from one page to another. */
static void check_fetch(Oracle *o, unsigned from, unsigned to)
{
    uint64_t start = (uint64_t)from * GUEST_PAGE_SIZE + JUMP_AT, end = (uint64_t)to * GUEST_PAGE_SIZE + NUMBER_AT;
    uint64_t physical;

    o->cpu->r[4] = end;
    o->cpu->cause = 0;
    mini_run(o->machine, start);
    if (oracle_executes(o, start, &physical) && oracle_executes(o, end, &physical)) {
        assert_int_equal(o->cpu->cause, 0);
        assert_int_equal(o->cpu->r[0], physical >> GUEST_PAGE_BITS);
    } else {
        assert_int_equal(o->cpu->cause, MINI_PAGE_FAULT);
        assert_int_equal(o->cpu->cause_value, oracle_executes(o, start, &physical) ? end : start);
    }
}

/* ---- what happens ---------------------------------------------------------------------------- */

static unsigned below(Oracle *o, unsigned limit)
{
    return (unsigned)g_rand_int_range(o->random, 0, (gint32)limit);
}

static bool is_space(uint64_t space, uint64_t wanted)
{
    return space == wanted;
}

static bool is_any(uint64_t space, uint64_t wanted)
{
    return true;
}

static void flush(Oracle *o, unsigned space, uint64_t address, bool global)
{
    unsigned how = below(o, global ? 3 : 6);

    switch (how) {
    case 0: tlb_flush_all(o->env); break;
    case 1: tlb_flush_page(o->env, address, NULL, 0); break;
    case 2: tlb_flush_world(o->env, is_any, 0); break;
    case 3: tlb_flush_page(o->env, address, is_space, space); break;
    case 4: tlb_flush_space(o->env, is_space, space); break;
    case 5: tlb_flush_world(o->env, is_space, space); break;
    }
}

/*
 * The first quarter of the addresses is global, the second is of large pages. Some registers flush before they change:
 * what counts is what is there when the instruction ends.
 */
static void remap(Oracle *o)
{
    unsigned space = below(o, SPACES), number = below(o, MINI_PAGES);
    bool global = number < MINI_PAGES / 4, large = !global && number < MINI_PAGES / 2;
    uint64_t size = large ? LARGE * GUEST_PAGE_SIZE : GUEST_PAGE_SIZE;
    MiniPage page = { .size = below(o, 4) ? size : 0, .write = below(o, 2), .execute = below(o, 4), .global = global };
    unsigned first = large ? number & -(unsigned)LARGE : number;

    bool flushes_first = below(o, 2);
    if (flushes_first) {
        flush(o, space, (uint64_t)number << GUEST_PAGE_BITS, global);
    }
    page.physical = below(o, PHYSICAL_PAGES / LARGE) * (uint64_t)LARGE * GUEST_PAGE_SIZE;
    for (unsigned s = 0; s < SPACES; s++) {
        if (global || s == space) {
            set_pages(o, s, first, page);
            if (large && !page.size) {
                memset(&o->table[s][first], 0, LARGE * sizeof(MiniPage));
            }
        }
    }
    if (!flushes_first) {
        flush(o, space, (uint64_t)number << GUEST_PAGE_BITS, global);
    }
}

static void step(Oracle *o)
{
    switch (below(o, 8)) {
    case 0:
        remap(o);
        break;
    case 1:
        o->cpu->space = below(o, SPACES);
        cpu_context_changed(o->env);
        break;
    case 2: case 3: case 4:
        check_fetch(o, below(o, MINI_PAGES), below(o, MINI_PAGES));
        break;
    default:
        check_access(o, below(o, MINI_PAGES * GUEST_PAGE_SIZE / DATA_ALIGN) * (uint64_t)DATA_ALIGN, below(o, 2));
    }
}

static void random_maps_and_flushes_never_leave_a_wrong_entry(void **state)
{
    enum { STEPS = 200000 };
    Oracle *o = g_new0(Oracle, 1);
    o->machine = mini_machine_new(&(MiniOptions){
        .tcg.host = *state, .ram_size = (uint64_t)PHYSICAL_PAGES * GUEST_PAGE_SIZE });
    o->cpu = o->machine->mini[0];
    o->env = &o->cpu->env;
    o->random = g_rand_new_with_seed(7);
    o->cpu->table = o->table;
    o->cpu->stop_on_exception = true;
    put_code(o);
    tlb_flush_all(o->env);

    for (unsigned i = 0; i < STEPS; i++) {
        step(o);
    }

    g_rand_free(o->random);
    mini_machine_free(o->machine);
    g_free(o);
}

/* ---- costs ----------------------------------------------------------------------------------- */

static void a_change_of_space_walks_nothing_again(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp" });
    MiniPage table[2][MINI_PAGES] = { { [1] = { 0x1000, 0x1000, true, true, false } },
        { [1] = { 0x2000, 0x1000, true, true, false } } };
    MiniCpu *cpu = m->mini[0];
    uint64_t value;
    cpu->table = table;

    for (unsigned i = 0; i < 1000; i++) {
        cpu->space = i % 2;
        cpu_context_changed(&cpu->env);
        assert_true(cpu_load(&cpu->env, 0x1000, MEM_64, &value));
    }

    assert_int_equal(cpu->walks, 2);
}

static void a_flushed_space_keeps_its_global_pages(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp" });
    MiniPage table[1][MINI_PAGES] = { { [1] = { 0x1000, 0x1000, true, true, true },
        [2] = { 0x2000, 0x1000, true, true, false } } };
    MiniCpu *cpu = m->mini[0];
    uint64_t value;
    cpu->table = table;
    tlb_flush_all(&cpu->env);
    cpu_load(&cpu->env, 0x1000, MEM_64, &value);
    cpu_load(&cpu->env, 0x2000, MEM_64, &value);
    cpu->walks = 0;

    tlb_flush_space(&cpu->env, is_space, 0);
    cpu_load(&cpu->env, 0x1000, MEM_64, &value);
    assert_int_equal(cpu->walks, 0);
    cpu_load(&cpu->env, 0x2000, MEM_64, &value);
    assert_int_equal(cpu->walks, 1);
}

static void a_flushed_world_loses_its_global_pages_and_no_others(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp" });
    MiniPage pages[] = { { 0x1000, 0x1000, true, true, true }, { 0x2000, 0x1000, true, true, false } };
    MiniPage table[2][MINI_PAGES] = { { [1] = pages[0], [2] = pages[1] }, { [2] = pages[1] } };
    MiniCpu *cpu = m->mini[0];
    uint64_t value;
    cpu->table = table;
    tlb_flush_all(&cpu->env);
    cpu_load(&cpu->env, 0x1000, MEM_64, &value);
    cpu_load(&cpu->env, 0x2000, MEM_64, &value);
    cpu->space = 1;
    cpu_context_changed(&cpu->env);
    cpu_load(&cpu->env, 0x2000, MEM_64, &value);
    cpu->walks = 0;

    tlb_flush_world(&cpu->env, is_space, 0);
    cpu_load(&cpu->env, 0x2000, MEM_64, &value);
    assert_int_equal(cpu->walks, 0);
    cpu->space = 0;
    cpu_context_changed(&cpu->env);
    cpu_load(&cpu->env, 0x1000, MEM_64, &value);
    cpu_load(&cpu->env, 0x2000, MEM_64, &value);
    assert_int_equal(cpu->walks, 2);
}

/* Growing moves entries about, perhaps the very one that is looked up. */
static void pages_are_found_while_the_second_level_grows(void **state)
{
    enum { MACHINES = 200, PAGES = 3000, LOOKUPS = 4 * 4096 };
    g_autofree uint64_t *pages = g_new(uint64_t, PAGES);
    GRand *random = g_rand_new_with_seed(17);

    for (unsigned machine = 0; machine < MACHINES; machine++) {
        g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp" });

        for (unsigned i = 0; i < PAGES; i++) {
            pages[i] = (uint64_t)g_rand_int(random) << GUEST_PAGE_BITS;
        }
        for (unsigned i = 0; i < LOOKUPS; i++) {
            uint64_t page = pages[g_rand_int_range(random, 0, PAGES)];
            PageRef ref = { 0 };
            CpuFault fault;

            assert_true(tlb_page(m->cpu[0], page, ACCESS_READ, &ref, &fault));
            assert_int_equal(ref.physical, page);
        }
    }
    g_rand_free(random);
}

/* A machine that has read every page of its memory again and again; MiniCpu.walks are those of the last round. */
static MiniMachine *machine_that_read(uint64_t pages)
{
    enum { ROUNDS = 8 };
    MiniMachine *m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp", .ram_size = pages << GUEST_PAGE_BITS });
    MiniCpu *cpu = m->mini[0];
    uint64_t value;

    for (unsigned round = 0; round < ROUNDS; round++) {
        cpu->walks = 0;
        for (uint64_t page = 0; page < pages; page++) {
            cpu_load(&cpu->env, page << GUEST_PAGE_BITS, MEM_64, &value);
        }
    }
    return m;
}

static void the_second_level_grows_to_what_is_used(void **state)
{
    enum { PAGES = 8192 };
    g_autoptr(MiniMachine) m = machine_that_read(PAGES);

    assert_in_range(m->mini[0]->walks, 0, PAGES / 50);
}

/* Pages that are all new do not make it larger: that would only cost memory. */
static void the_second_level_does_not_grow_for_what_fits(void **state)
{
    g_autoptr(MiniMachine) m = machine_that_read(512);

    assert_int_equal(m->mini[0]->walks, 0);
    assert_int_equal(m->cpu[0]->tlb.set_bits, TLB_SETS_MIN_BITS);
}

/* ---- accesses -------------------------------------------------------------------------------- */

static void widths_signs_and_orders(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp" });
    CpuEnv *env = &m->mini[0]->env;
    uint64_t value;

    assert_true(cpu_store(env, 0x1000, MEM_64, UINT64_C(0x8182838485868788)));
    cpu_load(env, 0x1001, MEM_16, &value);
    assert_int_equal(value, 0x8687);
    cpu_load(env, 0x1001, MEM_16 | MEM_SIGNED, &value);
    assert_int_equal(value, (uint64_t)(int16_t)0x8687);
    cpu_load(env, 0x1000, MEM_32 | MEM_BIG, &value);
    assert_int_equal(value, 0x88878685);
    cpu_store(env, 0x1ffd, MEM_64 | MEM_BIG, UINT64_C(0x0102030405060708));
    cpu_load(env, 0x1ffd, MEM_64, &value);
    assert_int_equal(value, UINT64_C(0x0807060504030201));
}

static void atomics_give_the_old_value(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp" });
    CpuEnv *env = &m->mini[0]->env;
    const uint32_t op = MEM_32 | MEM_SIGNED;
    uint64_t value;

    cpu_store(env, 0x1000, MEM_32, 0xfffffffe);
    assert_int_equal(mem_rmw(env, 0x1000, 3, op | RMW_ADD << 8), (uint64_t)-2);
    assert_int_equal(mem_rmw(env, 0x1000, 0xffffffff, op | RMW_SMIN << 8), 1);
    assert_int_equal(mem_rmw(env, 0x1000, 5, op | RMW_UMIN << 8), (uint64_t)-1);
    assert_int_equal(mem_cas(env, 0x1000, 4, 9, op), 5);
    assert_int_equal(mem_cas(env, 0x1000, 5, 9, op), 5);
    cpu_load(env, 0x1000, MEM_32, &value);
    assert_int_equal(value, 9);
}

static void a_misaligned_access_raises_when_asked_to(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp" });
    CpuEnv *env = &m->mini[0]->env;
    uint64_t value;

    assert_false(cpu_load(env, 0x1002, MEM_32 | MEM_ALIGNED, &value));

    assert_int_equal(env->raised_cause, MINI_MISALIGNED);
    assert_int_equal(env->raised_value, 0x1002);
}

static void rom_is_read_and_keeps_what_it_has(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = "interp" });
    CpuEnv *env = &m->mini[0]->env;
    const uint64_t at = UINT64_C(1) << 30;
    Region *rom = region_new_rom("rom", 0x1000, NULL);
    uint64_t value;
    machine_lock();
    region_map(m->root, at, rom, 0);
    machine_unlock();
    region_host(rom)[0] = 7;
    tcg_cpu_leave(m->cpu[0]);
    tlb_read_map(m->cpu[0]);
    tlb_flush_all(env);

    assert_true(cpu_store(env, at, MEM_8, 1));
    assert_false(mem_refill(env, at, true));
    assert_true(cpu_load(env, at, MEM_8, &value));

    assert_int_equal(value, 7);
    machine_lock();
    region_unmap(rom);
    region_unref(rom);
    machine_unlock();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(random_maps_and_flushes_never_leave_a_wrong_entry),
        cmocka_unit_test(a_change_of_space_walks_nothing_again),
        cmocka_unit_test(a_flushed_space_keeps_its_global_pages),
        cmocka_unit_test(a_flushed_world_loses_its_global_pages_and_no_others),
        cmocka_unit_test(pages_are_found_while_the_second_level_grows),
        cmocka_unit_test(the_second_level_grows_to_what_is_used),
        cmocka_unit_test(the_second_level_does_not_grow_for_what_fits),
        cmocka_unit_test(widths_signs_and_orders),
        cmocka_unit_test(atomics_give_the_old_value),
        cmocka_unit_test(a_misaligned_access_raises_when_asked_to),
        cmocka_unit_test(rom_is_read_and_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

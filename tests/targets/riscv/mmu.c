/* The page walk of every scheme, asked directly. */
#include "tests/targets/riscv/rv-bench.h"
#include "tests/test.h"

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };
enum { TABLES = 0x10000 };

typedef struct Scheme {
    unsigned xlen, mode, levels, index_bits, entry_size;
    uint64_t address;           /* another index in each level */
    uint64_t wild;              /* not canonical; 0: every address is */
} Scheme;

static const Scheme schemes[] = {
    { 32, 1, 2, 10, 4, 0x40c03123, 0 },
    { 64, 8, 3, 9, 8, 0x40803123, UINT64_C(1) << 38 },
    { 64, 9, 4, 9, 8, 0x008040803123, UINT64_C(1) << 47 },
    { 64, 10, 5, 9, 8, 0x01008040803123, UINT64_C(1) << 56 },
};

static uint64_t table_at(unsigned level)
{
    return RV_RAM + TABLES + level * 4096;
}

static unsigned page_shift(const Scheme *s, unsigned level)
{
    return 12 + level * s->index_bits;
}

static void put_entry(RvBench *bench, const Scheme *s, unsigned level, uint64_t to, unsigned flags)
{
    uint64_t index = s->address >> page_shift(s, level) & ((1u << s->index_bits) - 1);
    uint64_t entry = to >> 12 << 10 | flags;

    rv_bench_write(bench, table_at(level) + index * s->entry_size, &entry, s->entry_size);
}

/* A supervisor with pointers down to a leaf of that level. */
static RvBench *walker(const Scheme *s, unsigned level, uint64_t physical, unsigned flags)
{
    RvBench *bench = rv_bench_new("interp", s->xlen, NULL);
    uint64_t root = table_at(s->levels - 1) >> 12;

    rv_pmp_write(bench->rv, 0x3b0, UINT64_MAX);
    rv_pmp_write(bench->rv, 0x3a0, 0x1f);
    for (unsigned above = s->levels - 1; above > level; above--) {
        put_entry(bench, s, above, table_at(above - 1), V);
    }
    put_entry(bench, s, level, physical, flags);
    bench->rv->satp = s->xlen == 64 ? (uint64_t)s->mode << 60 | root : UINT64_C(1) << 31 | root;
    rv_mode_changed(bench->rv, PRIV_S);
    return bench;
}

static void every_level_can_hold_a_page_of_its_size(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(schemes); i++) {
        const Scheme *s = &schemes[i];

        for (unsigned level = 0; level < s->levels; level++) {
            uint64_t size = UINT64_C(1) << page_shift(s, level);
            uint64_t base = MAX(size, RV_RAM) & ((UINT64_C(1) << (s->xlen == 64 ? 54 : 32)) - 1);
            g_autoptr(RvBench) bench = walker(s, level, base, V | R | W | X | A | D | G);
            Translation t;

            assert_true(rv_walk(&bench->rv->env, s->address, ACCESS_WRITE, &t));
            assert_int_equal(t.physical, base | (s->address & (size - 1)));
            assert_int_equal(t.page_size, size);
            assert_true(t.read && t.write && t.execute && t.global);
        }
    }
}

static void a_page_that_is_not_aligned_to_its_size_faults(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(schemes); i++) {
        for (unsigned level = 1; level < schemes[i].levels; level++) {
            g_autoptr(RvBench) bench = walker(&schemes[i], level, RV_RAM + 4096, V | R | A);
            Translation t;

            assert_false(rv_walk(&bench->rv->env, schemes[i].address, ACCESS_READ, &t));
            assert_int_equal(t.cause, CAUSE_LOAD_PAGE);
        }
    }
}

static void addresses_that_are_not_canonical_fault(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(schemes); i++) {
        g_autoptr(RvBench) bench = walker(&schemes[i], 0, RV_RAM, V | R | A);
        Translation t;

        assert_true(rv_walk(&bench->rv->env, schemes[i].address, ACCESS_READ, &t));
        if (schemes[i].wild) {
            assert_false(rv_walk(
                &bench->rv->env, schemes[i].address | schemes[i].wild, ACCESS_READ, &t));
            assert_int_equal(t.cause, CAUSE_LOAD_PAGE);
        }
    }
}

static void pointers_with_leaf_bits_and_reserved_bits_fault(void **state)
{
    const Scheme *s = &schemes[1];
    const unsigned wrong[] = { V | A, V | D, V | U };

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(RvBench) bench = walker(s, 0, RV_RAM, V | R | A);
        Translation t;

        put_entry(bench, s, 1, table_at(0), wrong[i]);
        assert_false(rv_walk(&bench->rv->env, s->address, ACCESS_FETCH, &t));
        assert_int_equal(t.cause, CAUSE_FETCH_PAGE);
    }
    for (unsigned bit = 54; bit < 64; bit++) {
        g_autoptr(RvBench) bench = walker(s, 0, RV_RAM, V | R | A);
        uint64_t at = table_at(0) + (s->address >> 12 & 511) * 8;
        uint64_t entry = rv_bench_read(bench, at, 8) | UINT64_C(1) << bit;
        Translation t;

        rv_bench_write(bench, at, &entry, 8);

        assert_false(rv_walk(&bench->rv->env, s->address, ACCESS_READ, &t));
        assert_int_equal(t.cause, CAUSE_LOAD_PAGE);
    }
}

static void a_table_where_nothing_is_gives_an_access_fault(void **state)
{
    const Scheme *s = &schemes[1];
    g_autoptr(RvBench) bench = walker(s, 0, RV_RAM, V | R | A);
    Translation t;

    put_entry(bench, s, 1, 0x1000, V);
    assert_false(rv_walk(&bench->rv->env, s->address, ACCESS_WRITE, &t));
    assert_int_equal(t.cause, CAUSE_STORE_ACCESS);
}

static void write_is_given_only_when_the_page_is_dirty_already(void **state)
{
    const Scheme *s = &schemes[1];
    g_autoptr(RvBench) bench = walker(s, 0, RV_RAM, V | R | W | A);
    Translation t;

    assert_true(rv_walk(&bench->rv->env, s->address, ACCESS_READ, &t));
    assert_true(t.read);
    assert_false(t.write);
}

static void protection_narrows_the_page_to_where_its_rights_hold(void **state)
{
    const Scheme *s = &schemes[1];
    g_autoptr(RvBench) bench = walker(s, 2, RV_RAM, V | R | W | X | A | D);
    uint64_t physical = RV_RAM | (s->address & ((UINT64_C(1) << 30) - 1));
    Translation t;

    /* Entry 0: 4 KiB around the address, read-only; entry 1: all the rest. */
    rv_pmp_write(bench->rv, 0x3b1, UINT64_MAX);
    rv_pmp_write(bench->rv, 0x3b0, (physical & ~UINT64_C(4095)) >> 2 | 0x1ff);
    rv_pmp_write(bench->rv, 0x3a0, 0x1f19);

    assert_true(rv_walk(&bench->rv->env, s->address, ACCESS_READ, &t));
    assert_int_equal(t.page_size, 4096);
    assert_false(t.write);
    assert_false(rv_walk(&bench->rv->env, s->address, ACCESS_WRITE, &t));
    assert_int_equal(t.cause, CAUSE_STORE_ACCESS);
    assert_true(rv_walk(&bench->rv->env, s->address + 4096, ACCESS_WRITE, &t));
    assert_true((t.physical & ~(t.page_size - 1)) > physical);
}

/* What would come behind the last instruction is at 0. */
static void code_may_lie_where_addresses_end(void **state)
{
    static const Scheme last[] = {
        { 32, 1, 2, 10, 4, 0xfffff000, 0 },
        { 64, 8, 3, 9, 8, UINT64_C(0xfffffffffffff000), 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(last); i++) {
        g_autoptr(RvBench) bench = walker(&last[i], 0, RV_RAM + 0x8000, V | R | X | A);

        rv_bench_put(bench, 0x8ff8, "add a0,a1,a2\nwfi");
        bench->rv->x[A1] = 40;
        bench->rv->x[A2] = 2;
        bench->rv->env.pc = last[i].address + 0xff8;
        tcg_cpu_run(bench->cpu, 0);
        assert_int_equal(bench->rv->x[A0], 42);
        assert_int_equal(bench->rv->env.pc, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_can_hold_a_page_of_its_size),
        cmocka_unit_test(a_page_that_is_not_aligned_to_its_size_faults),
        cmocka_unit_test(addresses_that_are_not_canonical_fault),
        cmocka_unit_test(pointers_with_leaf_bits_and_reserved_bits_fault),
        cmocka_unit_test(a_table_where_nothing_is_gives_an_access_fault),
        cmocka_unit_test(write_is_given_only_when_the_page_is_dirty_already),
        cmocka_unit_test(protection_narrows_the_page_to_where_its_rights_hold),
        cmocka_unit_test(code_may_lie_where_addresses_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

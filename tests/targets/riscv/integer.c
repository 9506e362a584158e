/* Integer instructions with their answers: a0 = OP of a1, a2. RV64, then what RV32 does otherwise. */
#include <inttypes.h>

#include "tests/targets/riscv/rv-bench.h"
#include "tests/test.h"

#include "tcg/host.h"

typedef struct Case {
    const char *text;
    uint64_t a1, a2, a0;
} Case;

#define MIN64 (UINT64_C(1) << 63)
#define MAX64 (MIN64 - 1)
#define ONES  UINT64_MAX
#define NEG(n) (-(uint64_t)(n))

static const Case cases64[] = {
    { "add a0,a1,a2", MAX64, 1, MIN64 },
    { "addi a0,a1,-2048", 0, 0, NEG(2048) },
    { "addi a0,zero,5", 0, 0, 5 },
    { "addiw a0,a1,1", 0x7fffffff, 0, NEG(0x80000000) },
    { "addw a0,a1,a2", 0x1ffffffff, 1, 0 },
    { "sub a0,a1,a2", 0, 1, ONES },
    { "subw a0,a1,a2", 0, 0x80000000, NEG(0x80000000) },
    { "lui a0,0x80000", 0, 0, NEG(0x80000000) },
    { "lui a0,0x7ffff", 0, 0, 0x7ffff000 },
    { "auipc a0,0x1", 0, 0, RV_RAM + 0x1000 },
    { "auipc a0,0xfffff", 0, 0, RV_RAM - 0x1000 },
    { "slt a0,a1,a2", ONES, 0, 1 },
    { "sltu a0,a1,a2", ONES, 0, 0 },
    { "slti a0,a1,-1", NEG(2), 0, 1 },
    { "sltiu a0,a1,-1", 5, 0, 1 },
    { "xor a0,a1,a2", 0xff00, 0x0ff0, 0xf0f0 },
    { "xori a0,a1,-1", 0x1234, 0, ~UINT64_C(0x1234) },
    { "or a0,a1,a2", 0xff00, 0x0ff0, 0xfff0 },
    { "ori a0,a1,1", 2, 0, 3 },
    { "and a0,a1,a2", 0xff00, 0x0ff0, 0x0f00 },
    { "andi a0,a1,-16", 0xff, 0, 0xf0 },
    { "sll a0,a1,a2", 1, 64 + 63, MIN64 },
    { "srl a0,a1,a2", MIN64, 63, 1 },
    { "sra a0,a1,a2", MIN64, 63, ONES },
    { "slli a0,a1,63", 3, 0, MIN64 },
    { "srli a0,a1,32", 0x123456789, 0, 1 },
    { "srai a0,a1,4", NEG(17), 0, NEG(2) },
    { "sllw a0,a1,a2", 1, 31 + 32, NEG(0x80000000) },
    { "srlw a0,a1,a2", 0xffffffff80000000, 31, 1 },
    { "sraw a0,a1,a2", 0x80000000, 31, ONES },
    { "slliw a0,a1,31", 1, 0, NEG(0x80000000) },
    { "srliw a0,a1,0", 0xffffffff, 0, ONES },
    { "sraiw a0,a1,1", 0x80000000, 0, NEG(0x40000000) },

    { "mul a0,a1,a2", 0x100000001, 0x100000001, 0x200000001 },
    { "mulh a0,a1,a2", NEG(1), NEG(1), 0 },
    { "mulh a0,a1,a2", MIN64, MIN64, UINT64_C(1) << 62 },
    { "mulhu a0,a1,a2", ONES, ONES, NEG(2) },
    { "mulhsu a0,a1,a2", NEG(1), ONES, NEG(1) },
    { "mulw a0,a1,a2", 0x10000, 0x8000, NEG(0x80000000) },
    { "div a0,a1,a2", NEG(7), 2, NEG(3) },
    { "div a0,a1,a2", 7, 0, ONES },
    { "div a0,a1,a2", MIN64, ONES, MIN64 },
    { "divu a0,a1,a2", 7, 0, ONES },
    { "divu a0,a1,a2", ONES, 2, MAX64 },
    { "rem a0,a1,a2", NEG(7), 2, NEG(1) },
    { "rem a0,a1,a2", 7, 0, 7 },
    { "rem a0,a1,a2", MIN64, ONES, 0 },
    { "remu a0,a1,a2", 7, 0, 7 },
    { "divw a0,a1,a2", 0x80000000, 0xffffffff, NEG(0x80000000) },
    { "divw a0,a1,a2", 7, 0x100000000, ONES },
    { "divuw a0,a1,a2", 0xfffffffe, 1, NEG(2) },
    { "remw a0,a1,a2", 0x80000000, 0xffffffff, 0 },
    { "remuw a0,a1,a2", 0xffffffff, 0x100000000, ONES },

    { "sh1add a0,a1,a2", 3, 10, 16 },
    { "sh3add a0,a1,a2", MIN64, 1, 1 },
    { "add.uw a0,a1,a2", 0xffffffff00000001, 1, 2 },
    { "sh2add.uw a0,a1,a2", 0xffffffffffffffff, 0, 0x3fffffffc },
    { "slli.uw a0,a1,4", 0xffffffffffffffff, 0, 0xffffffff0 },
    { "andn a0,a1,a2", 0xff, 0x0f, 0xf0 },
    { "orn a0,a1,a2", 0, 0xff, ~UINT64_C(0xff) },
    { "xnor a0,a1,a2", 0xf0, 0xff, ~UINT64_C(0x0f) },
    { "clz a0,a1", 0, 0, 64 },
    { "clz a0,a1", 1, 0, 63 },
    { "ctz a0,a1", 0, 0, 64 },
    { "ctz a0,a1", MIN64, 0, 63 },
    { "cpop a0,a1", ONES, 0, 64 },
    { "clzw a0,a1", 0xffffffff00000000, 0, 32 },
    { "ctzw a0,a1", 0xffffffff00000000, 0, 32 },
    { "cpopw a0,a1", 0xf0000000f, 0, 4 },
    { "max a0,a1,a2", ONES, 0, 0 },
    { "maxu a0,a1,a2", ONES, 0, ONES },
    { "min a0,a1,a2", ONES, 0, ONES },
    { "minu a0,a1,a2", ONES, 0, 0 },
    { "sext.b a0,a1", 0x180, 0, NEG(0x80) },
    { "sext.h a0,a1", 0x18000, 0, NEG(0x8000) },
    { "zext.h a0,a1", 0x18000, 0, 0x8000 },
    { "rol a0,a1,a2", MIN64, 65, 1 },
    { "ror a0,a1,a2", 1, 65, MIN64 },
    { "rori a0,a1,63", 1, 0, 2 },
    { "rolw a0,a1,a2", 0x40000000, 1, NEG(0x80000000) },
    { "rorw a0,a1,a2", 1, 33, NEG(0x80000000) },
    { "roriw a0,a1,1", 2, 0, 1 },
    { "orc.b a0,a1", 0x0100000000002000, 0, 0xff0000000000ff00 },
    { "rev8 a0,a1", 0x0102030405060708, 0, 0x0807060504030201 },
    { "bclr a0,a1,a2", ONES, 64, NEG(2) },
    { "bset a0,a1,a2", 0, 127, MIN64 },
    { "binvi a0,a1,63", MIN64, 0, 0 },
    { "bext a0,a1,a2", 0x8, 67, 1 },
    { "bexti a0,a1,63", MIN64, 0, 1 },
    { "czero.eqz a0,a1,a2", 5, 0, 0 },
    { "czero.eqz a0,a1,a2", 5, 0x100000000, 5 },
    { "czero.nez a0,a1,a2", 5, 0, 5 },
    { "czero.nez a0,a1,a2", 5, MIN64, 0 },

    { "c.li a0,-1", 0, 0, ONES },
    { "c.lui a0,0xfffe1", 0, 0, NEG(0x1f000) },
    { "c.mv a0,a1", 7, 0, 7 },
    { "c.mv a0,a1\nc.add a0,a2", 7, 8, 15 },
    { "c.mv a0,a1\nc.addi a0,-32", 7, 0, NEG(25) },
    { "c.mv a0,a1\nc.addiw a0,0", 0x80000000, 0, NEG(0x80000000) },
    { "c.mv a0,a1\nc.slli a0,63", 3, 0, MIN64 },
    { "c.mv a0,a1\nc.srli a0,1", ONES, 0, MAX64 },
    { "c.mv a0,a1\nc.srai a0,63", MIN64, 0, ONES },
    { "c.mv a0,a1\nc.andi a0,-2", 3, 0, 2 },
    { "c.mv a0,a1\nc.sub a0,a2", 3, 4, ONES },
    { "c.mv a0,a1\nc.subw a0,a2", 0, 0x80000000, NEG(0x80000000) },
    { "c.mv a0,a1\nc.addw a0,a2", 0xffffffff, 1, 0 },
    { "c.mv a0,a1\nc.xor a0,a2", 3, 5, 6 },
    { "c.mv a0,a1\nc.or a0,a2", 3, 5, 7 },
    { "c.mv a0,a1\nc.and a0,a2", 3, 5, 1 },
    { "addi sp,zero,16\nc.addi4spn a0,sp,1020", 0, 0, 1036 },
    { "addi sp,zero,16\nc.addi16sp sp,-512\nc.mv a0,sp", 0, 0, NEG(496) },
};

static const Case cases32[] = {
    { "add a0,a1,a2", 0xffffffff, 1, 0 },
    { "sub a0,a1,a2", 0, 1, 0xffffffff },
    { "lui a0,0x80000", 0, 0, 0x80000000 },
    { "auipc a0,0x80000", 0, 0, 0 },
    { "slt a0,a1,a2", 0x80000000, 0, 1 },
    { "sltu a0,a1,a2", 0x80000000, 0, 0 },
    { "sll a0,a1,a2", 1, 32 + 31, 0x80000000 },
    { "sra a0,a1,a2", 0x80000000, 31, 0xffffffff },
    { "srai a0,a1,31", 0x80000000, 0, 0xffffffff },
    { "srl a0,a1,a2", 0x80000000, 31, 1 },
    { "mul a0,a1,a2", 0x10001, 0x10001, 0x20001 },
    { "mulh a0,a1,a2", 0x80000000, 0x80000000, 0x40000000 },
    { "mulhu a0,a1,a2", 0xffffffff, 0xffffffff, 0xfffffffe },
    { "mulhsu a0,a1,a2", 0xffffffff, 0xffffffff, 0xffffffff },
    { "div a0,a1,a2", 0x80000000, 0xffffffff, 0x80000000 },
    { "div a0,a1,a2", 7, 0, 0xffffffff },
    { "remu a0,a1,a2", 7, 0, 7 },
    { "clz a0,a1", 0, 0, 32 },
    { "ctz a0,a1", 0, 0, 32 },
    { "cpop a0,a1", 0xffffffff, 0, 32 },
    { "rev8 a0,a1", 0x01020304, 0, 0x04030201 },
    { "orc.b a0,a1", 0x01002000, 0, 0xff00ff00 },
    { "zext.h a0,a1", 0xffff8000, 0, 0x8000 },
    { "sext.b a0,a1", 0x80, 0, 0xffffff80 },
    { "rori a0,a1,1", 1, 0, 0x80000000 },
    { "bset a0,a1,a2", 0, 63, 0x80000000 },
    { "max a0,a1,a2", 0x80000000, 1, 1 },
    { "maxu a0,a1,a2", 0x80000000, 1, 0x80000000 },
    { "czero.eqz a0,a1,a2", 5, 0x80000000, 5 },
};

static void run_cases(const char *host, unsigned xlen, const Case *cases, unsigned count)
{
    g_autoptr(RvBench) bench = rv_bench_new(host, xlen, NULL);

    for (unsigned i = 0; i < count; i++) {
        const Case *c = &cases[i];
        uint64_t a0;

        bench->rv->x[A1] = c->a1;
        bench->rv->x[A2] = c->a2;
        a0 = rv_bench_a0(bench, c->text);
        if (a0 != c->a0) {
            fail_msg("%s: '%s' of %" PRIx64 ", %" PRIx64 " gives %" PRIx64 ", must be %" PRIx64, host,
                c->text, c->a1, c->a2, a0, c->a0);
        }
    }
}

static void rv64_gives_the_manual_s_answers(void **state)
{
    for (unsigned i = 0; hosts[i]; i++) {
        run_cases(hosts[i]->name, 64, cases64, G_N_ELEMENTS(cases64));
    }
}

static void rv32_gives_the_manual_s_answers(void **state)
{
    for (unsigned i = 0; hosts[i]; i++) {
        run_cases(hosts[i]->name, 32, cases32, G_N_ELEMENTS(cases32));
    }
}

static uint64_t run_text(const char *host, unsigned xlen, const char *text)
{
    g_autoptr(RvBench) bench = rv_bench_new(host, xlen, NULL);

    return rv_bench_a0(bench, text);
}

static void loops_calls_and_branches_go_where_they_should(void **state)
{
    static const struct { const char *text; uint64_t a0; } programs[] = {
        { "c.li a0,0\nc.li a1,10\nloop:\nadd a0,a0,a1\nc.addi a1,-1\nc.bnez a1,loop", 55 },
        { "c.li a0,0\ncall:\njal ra,f\nc.addi a0,1\njal zero,end\nf:\nc.addi a0,16\nc.jr ra\nend:", 17 },
        { "c.li a0,1\nauipc t0,0\njalr t1,13(t0)\naddi a0,a0,1\naddi a0,a0,2", 3 },
        { "c.li a0,0\nc.li a1,-1\nblt a1,zero,yes\naddi a0,a0,1\nyes:\nbltu a1,zero,no\naddi a0,a0,2\nno:", 2 },
        { "c.li a0,0\nbge zero,zero,l1\naddi a0,a0,1\nl1:\nbgeu zero,zero,l2\naddi a0,a0,2\nl2:\naddi a0,a0,4", 4 },
        { "c.li a0,0\nbeq zero,zero,l1\naddi a0,a0,1\nl1:\nbne zero,zero,l2\naddi a0,a0,2\nl2:", 2 },
    };

    for (unsigned h = 0; hosts[h]; h++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
            assert_int_equal(run_text(hosts[h]->name, 64, programs[i].text), programs[i].a0);
            assert_int_equal(run_text(hosts[h]->name, 32, programs[i].text), programs[i].a0);
        }
    }
}

static void loads_extend_and_stores_cut(void **state)
{
    static const struct { const char *text; uint64_t a0; } programs[] = {
        { "auipc a1,1\nli a2,0x80818283\nsw a2,0(a1)\nlb a0,3(a1)", NEG(0x80) },
        { "auipc a1,1\nli a2,0x80818283\nsw a2,0(a1)\nlbu a0,3(a1)", 0x80 },
        { "auipc a1,1\nli a2,0x80818283\nsw a2,0(a1)\nlh a0,2(a1)", NEG(0x7f7f) },
        { "auipc a1,1\nli a2,0x80818283\nsw a2,0(a1)\nlhu a0,2(a1)", 0x8081 },
        { "auipc a1,1\nli a2,0x80818283\nsw a2,0(a1)\nlw a0,0(a1)", NEG(0x7f7e7d7d) },
        { "auipc a1,1\nli a2,0x80818283\nsd a2,0(a1)\nlwu a0,0(a1)", 0x80818283 },
        { "auipc a1,1\nli a2,0x80818283\nsd a2,0(a1)\nlwu a0,1(a1)", 0xff808182 },
        { "auipc a1,1\naddi a2,zero,-1\nsd a2,0(a1)\nsb zero,1(a1)\nsh zero,3(a1)\nld a0,0(a1)",
            0xffffff0000ff00ff },
        /* across a page */
        { "auipc a1,1\nli a2,0x01020304\nsd a2,-3(a1)\nld a0,-3(a1)", 0x01020304 },
        { "auipc sp,1\nli a2,0x01020304\nc.sdsp a2,504(sp)\nc.ldsp a0,504(sp)", 0x01020304 },
        { "auipc a1,1\nli a2,0x01020304\nc.sw a2,124(a1)\nc.lw a0,124(a1)", 0x01020304 },
    };

    for (unsigned h = 0; hosts[h]; h++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
            assert_int_equal(run_text(hosts[h]->name, 64, programs[i].text), programs[i].a0);
        }
    }
}

static void atomics_give_the_old_value_and_keep_the_new(void **state)
{
    static const struct { const char *op; uint64_t before, a2, old, after; } cases[] = {
        { "amoswap.w", 0x80000000, 5, NEG(0x80000000), 5 },
        { "amoadd.w", 0x7fffffff, 1, 0x7fffffff, 0x80000000 },
        { "amoxor.w", 0xff, 0x0f, 0xff, 0xf0 },
        { "amoand.w", 0xff, 0x0f, 0xff, 0x0f },
        { "amoor.w", 0xf0, 0x0f, 0xf0, 0xff },
        { "amomin.w", 5, NEG(1), 5, 0xffffffff },
        { "amomax.w", 5, NEG(1), 5, 5 },
        { "amominu.w", 5, NEG(1), 5, 5 },
        { "amomaxu.w", 5, NEG(1), 5, 0xffffffff },
        { "amoswap.d", MIN64, 5, MIN64, 5 },
        { "amoadd.d", MAX64, 1, MAX64, MIN64 },
        { "amomin.d", 5, NEG(1), 5, ONES },
        { "amomaxu.d", 5, NEG(1), 5, ONES },
    };

    for (unsigned h = 0; hosts[h]; h++) {
        g_autoptr(RvBench) bench = rv_bench_new(hosts[h]->name, 64, NULL);

        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_autofree char *text = g_strdup_printf("%s.aqrl a0,a2,(a1)", cases[i].op);

            bench->rv->x[A1] = RV_RAM + 0x1000;
            bench->rv->x[A2] = cases[i].a2;
            rv_bench_write(bench, RV_RAM + 0x1000, &cases[i].before, 8);
            assert_int_equal(rv_bench_a0(bench, text), cases[i].old);
            assert_int_equal(rv_bench_read(bench, RV_RAM + 0x1000, 8), cases[i].after);
        }
    }
}

static void sc_succeeds_only_where_lr_read_and_nothing_changed(void **state)
{
    static const struct { const char *text; uint64_t a0; } programs[] = {
        { "auipc a1,1\nlr.w a2,(a1)\nsc.w a0,a1,(a1)", 0 },
        { "auipc a1,1\nlr.d a2,(a1)\nsc.d a0,a1,(a1)", 0 },
        { "auipc a1,1\nlr.d a2,(a1)\nsc.d a0,a1,(a1)\nsc.d a0,a1,(a1)", 1 },
        { "auipc a1,1\nsc.w a0,a1,(a1)", 1 },
        { "auipc a1,1\nlr.w a2,(a1)\naddi a3,a1,4\nsc.w a0,a1,(a3)", 1 },
        { "auipc a1,1\nlr.w a2,(a1)\nsw a1,0(a1)\nsc.w a0,zero,(a1)", 1 },
        { "auipc a1,1\nc.li a2,7\nlr.w a0,(a1)\nsc.w a0,a2,(a1)\nlw a0,0(a1)", 7 },
    };

    for (unsigned h = 0; hosts[h]; h++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
            assert_int_equal(run_text(hosts[h]->name, 64, programs[i].text), programs[i].a0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rv64_gives_the_manual_s_answers),
        cmocka_unit_test(rv32_gives_the_manual_s_answers),
        cmocka_unit_test(loops_calls_and_branches_go_where_they_should),
        cmocka_unit_test(loads_extend_and_stores_cut),
        cmocka_unit_test(atomics_give_the_old_value_and_keep_the_new),
        cmocka_unit_test(sc_succeeds_only_where_lr_read_and_nothing_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

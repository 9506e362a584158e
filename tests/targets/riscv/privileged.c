/* Traps, interrupts, CSRs, page tables and memory protection, by small programs that run on bare metal. */
#include <inttypes.h>

#include "tests/targets/riscv/rv-bench.h"
#include "tests/test.h"

#include "tcg/host.h"
#include "tcg/tcg-impl.h"

/* The trap handler of all programs: a0 = mcause, a1 = mtval, a2 = mepc, and the end. */
#define HANDLER 0x800
static const char handler[] = "csrrs a0,0x342,zero\ncsrrs a1,0x343,zero\ncsrrs a2,0x341,zero\n"
    "csrrw zero,0x304,zero\nwfi\n";        /* mie is 0, so that nothing ends the wait */

#define SET_MTVEC "auipc t0,1\naddi t0,t0,-2048\ncsrrw zero,0x305,t0\n"     /* to HANDLER; 12 bytes */

/* One entry that opens all memory to all modes. */
#define OPEN_PMP "addi t1,zero,-1\ncsrrw zero,0x3b0,t1\naddi t1,zero,0x1f\ncsrrw zero,0x3a0,t1\n"

/* Goes on at the next line in mode 0 or 1 (MPP). */
#define ENTER(mode) "li t1,0x1800\ncsrrc zero,0x300,t1\nli t1," #mode "\nc.slli t1,11\ncsrrs zero,0x300,t1\n" \
    "auipc t1,0\naddi t1,t1,16\ncsrrw zero,0x341,t1\nmret\n"

static RvBench *run(const char *host, unsigned xlen, const char *text)
{
    RvBench *bench = rv_bench_new(host, xlen, NULL);
    g_autofree char *program = g_strconcat(SET_MTVEC, OPEN_PMP, text, "\nwfi\n", NULL);

    rv_bench_put(bench, HANDLER, handler);
    rv_bench_put(bench, 0, program);
    rv_bench_run(bench);
    return bench;
}

typedef struct TrapCase {
    const char *text;
    uint64_t cause, value;
} TrapCase;

static void check_traps(const TrapCase *cases, unsigned count, unsigned xlen)
{
    for (unsigned h = 0; hosts[h]; h++) {
        for (unsigned i = 0; i < count; i++) {
            g_autoptr(RvBench) bench = run(hosts[h]->name, xlen, cases[i].text);

            if (bench->rv->x[A0] != cases[i].cause || bench->rv->x[A1] != cases[i].value) {
                fail_msg("%s: '%s' gives cause %u, value %" PRIx64, hosts[h]->name, cases[i].text,
                    (unsigned)bench->rv->x[A0], bench->rv->x[A1]);
            }
        }
    }
}

static void traps_have_the_manual_s_causes_and_values(void **state)
{
    static const TrapCase cases[] = {
        { "ecall", CAUSE_ECALL_M, 0 },
        { ENTER(1) "ecall", CAUSE_ECALL_S, 0 },
        { ENTER(0) "ecall", CAUSE_ECALL_U, 0 },
        { "c.ebreak", CAUSE_BREAKPOINT, RV_RAM + 28 },
        { "ebreak", CAUSE_BREAKPOINT, RV_RAM + 28 },
        { "csrrw zero,0x5c0,zero", CAUSE_ILLEGAL, 0x5c001073 },             /* no such CSR */
        { "csrrw zero,0xc00,zero", CAUSE_ILLEGAL, 0xc0001073 },             /* read-only */
        { ENTER(1) "csrrs a0,0x300,zero", CAUSE_ILLEGAL, 0x30002573 },      /* machine's */
        { ENTER(0) "csrrs a0,0x100,zero", CAUSE_ILLEGAL, 0x10002573 },
        { ENTER(0) "csrrs a0,0xc01,zero", CAUSE_ILLEGAL, 0xc0102573 },      /* mcounteren is 0 */
        { ENTER(1) "mret", CAUSE_ILLEGAL, 0x30200073 },
        { ENTER(0) "sret", CAUSE_ILLEGAL, 0x10200073 },
        { ENTER(0) "wfi", CAUSE_ILLEGAL, 0x10500073 },
        { ENTER(0) "sfence.vma zero,zero", CAUSE_ILLEGAL, 0x12000073 },
        { "fadd.s ft0,ft0,ft0", CAUSE_ILLEGAL, 0x00007053 },                /* mstatus.FS is off */
        { "csrrs a0,3,zero", CAUSE_ILLEGAL, 0x00302573 },
        { "lw a0,16(zero)", CAUSE_LOAD_ACCESS, 16 },
        { "sw a0,16(zero)", CAUSE_STORE_ACCESS, 16 },
        { "addi t0,zero,64\njalr zero,0(t0)", CAUSE_FETCH_ACCESS, 64 },
        { "auipc t0,1\nlr.w a0,(t0)\naddi t0,t0,2\nlr.w a0,(t0)", CAUSE_LOAD_MISALIGNED, RV_RAM + 0x1000 + 30 },
        { "auipc t0,1\naddi t0,t0,1\namoadd.w a0,a0,(t0)", CAUSE_STORE_MISALIGNED, RV_RAM + 0x1000 + 29 },
        /* TW, TVM, TSR */
        { "li t2,0x200000\ncsrrs zero,0x300,t2\n" ENTER(1) "wfi", CAUSE_ILLEGAL, 0x10500073 },
        { "li t2,0x100000\ncsrrs zero,0x300,t2\n" ENTER(1) "csrrs a0,0x180,zero", CAUSE_ILLEGAL, 0x18002573 },
        { "li t2,0x100000\ncsrrs zero,0x300,t2\n" ENTER(1) "sfence.vma zero,zero", CAUSE_ILLEGAL, 0x12000073 },
        { "li t2,0x400000\ncsrrs zero,0x300,t2\n" ENTER(1) "sret", CAUSE_ILLEGAL, 0x10200073 },
        /* frm 5 is no rounding mode, for dynamic ones */
        { "li t2,0x2000\ncsrrs zero,0x300,t2\ncsrrwi zero,2,5\nfadd.s ft0,ft0,ft0", CAUSE_ILLEGAL, 0x00007053 },
        /* cbo.zero from U asks menvcfg */
        { ENTER(0) "auipc t0,1\ncbo.zero (t0)", CAUSE_ILLEGAL, 0x0042a00f },
    };

    check_traps(cases, G_N_ELEMENTS(cases), 64);
}

static void rv32_traps_the_same_way(void **state)
{
    static const TrapCase cases[] = {
        { "ecall", CAUSE_ECALL_M, 0 },
        { ENTER(1) "ecall", CAUSE_ECALL_S, 0 },
        { "lw a0,16(zero)", CAUSE_LOAD_ACCESS, 16 },
        { "addi t0,zero,-4\nlw a0,0(t0)", CAUSE_LOAD_ACCESS, 0xfffffffc },
        { "csrrs a0,0x31a,zero\ncsrrs a0,0xb80,zero\ncsrrs a0,0x15d,zero\necall", CAUSE_ECALL_M, 0 },
    };

    check_traps(cases, G_N_ELEMENTS(cases), 32);
}

typedef struct ValueCase {
    const char *text;
    uint64_t a0;
} ValueCase;

static void check_values(const ValueCase *cases, unsigned count, unsigned xlen)
{
    for (unsigned h = 0; hosts[h]; h++) {
        for (unsigned i = 0; i < count; i++) {
            g_autoptr(RvBench) bench = run(hosts[h]->name, xlen, cases[i].text);

            if (bench->rv->x[A0] != cases[i].a0) {
                fail_msg("%s: '%s' gives %" PRIx64 ", must be %" PRIx64, hosts[h]->name, cases[i].text,
                    bench->rv->x[A0], cases[i].a0);
            }
        }
    }
}

static void csrs_keep_what_can_be_written(void **state)
{
    static const ValueCase cases[] = {
        { "addi t0,zero,-1\ncsrrw zero,0x340,t0\ncsrrs a0,0x340,zero", UINT64_MAX },        /* mscratch */
        { "addi t0,zero,-1\ncsrrw zero,0x341,t0\ncsrrs a0,0x341,zero", UINT64_MAX - 1 },    /* mepc */
        { "addi t0,zero,-1\ncsrrw zero,0x305,t0\ncsrrs a0,0x305,zero", UINT64_MAX - 2 },    /* mtvec */
        { "addi t0,zero,-1\ncsrrw zero,0x302,t0\ncsrrs a0,0x302,zero", 0xb3ff },            /* medeleg */
        { "addi t0,zero,-1\ncsrrw zero,0x303,t0\ncsrrs a0,0x303,zero", 0x222 },             /* mideleg */
        { "addi t0,zero,-1\ncsrrw zero,0x304,t0\ncsrrs a0,0x304,zero", 0xaaa },             /* mie */
        { "csrrwi zero,0x340,21\ncsrrsi a0,0x340,10\ncsrrs a0,0x340,zero", 31 },
        { "csrrwi zero,0x340,31\ncsrrci a0,0x340,10\ncsrrs a0,0x340,zero", 21 },
        { "csrrs a0,0x301,zero", UINT64_C(2) << 62 | 0x14112d },                            /* misa */
        { "csrrs a0,0x300,zero", UINT64_C(0xa00000000) },                                   /* SXL, UXL */
        { "li t0,0x1000\ncsrrw zero,0x300,t0\ncsrrs a0,0x300,zero", UINT64_C(0xa00000000) },        /* MPP 2: none */
        { "li t0,0x6000\ncsrrs zero,0x300,t0\ncsrrs a0,0x100,zero", UINT64_C(0x8000000200006000) }, /* SD */
        { "li t0,0x2000\ncsrrs zero,0x300,t0\nfadd.s ft0,ft0,ft0\ncsrrs a0,0x100,zero",
            UINT64_C(0x8000000200006000) },                                                 /* got dirty */
        { "li t0,0x2000\ncsrrs zero,0x300,t0\ncsrrwi zero,3,31\ncsrrwi zero,2,3\ncsrrs a0,3,zero", 0x7f },
        { "addi t0,zero,7\nslli t0,t0,60\ncsrrw zero,0x180,t0\ncsrrs a0,0x180,zero", 0 },   /* no such satp.MODE */
        { "addi t0,zero,10\nslli t0,t0,60\ncsrrw zero,0x180,t0\ncsrrs a0,0x180,zero", UINT64_C(10) << 60 },
        { "addi t0,zero,-1\ncsrrw zero,0x3ef,t0\ncsrrs a0,0x3ef,zero", 0 },                 /* pmpaddr63 */
        { "csrrs a0,0xf14,zero", 0 },
        { "addi t0,zero,100\ncsrrwi zero,0x320,5\ncsrrw zero,0xb00,t0\ncsrrs a0,0xb00,zero", 100 },
    };

    check_values(cases, G_N_ELEMENTS(cases), 64);
}

#define SUPERVISOR_HANDLER (HANDLER + 0x100)

static void delegated_traps_go_to_the_supervisor_and_come_back(void **state)
{
    for (unsigned h = 0; hosts[h]; h++) {
        g_autoptr(RvBench) bench = rv_bench_new(hosts[h]->name, 64, NULL);

        rv_bench_put(bench, HANDLER, handler);
        rv_bench_put(bench, SUPERVISOR_HANDLER,
            "csrrs t1,0x141,zero\naddi t1,t1,4\ncsrrw zero,0x141,t1\ncsrrs s2,0x142,zero\n"
            "csrrs s3,0x100,zero\nsret");
        rv_bench_put(bench, 0, SET_MTVEC OPEN_PMP "addi t0,t0,0x100\ncsrrw zero,0x105,t0\n"
            "addi t0,zero,0x100\ncsrrw zero,0x302,t0\nc.li s4,0\n" ENTER(0)
            "ecall\nc.addi s4,1\nc.ebreak");
        rv_bench_run(bench);

        assert_int_equal(bench->rv->x[S2], CAUSE_ECALL_U);
        assert_int_equal(bench->rv->x[S3] & (MSTATUS_SPP | MSTATUS_SIE), 0);
        assert_int_equal(bench->rv->x[S4], 1);
        assert_int_equal(bench->rv->x[A0], CAUSE_BREAKPOINT);
        assert_int_equal(bench->rv->mstatus & MSTATUS_MPP, 0);
    }
}

static void interrupts_are_taken_in_their_order_when_enabled(void **state)
{
    for (unsigned h = 0; hosts[h]; h++) {
        g_autoptr(RvBench) bench = rv_bench_new(hosts[h]->name, 64, NULL);

        rv_bench_put(bench, HANDLER, handler);
        rv_bench_put(bench, 0, SET_MTVEC "li t0,0x888\ncsrrw zero,0x304,t0\nc.li a0,0\n"
            "csrrsi zero,0x300,8\naddi zero,zero,0\nwfi");
        rv_set_input(&bench->rv->env, IRQ_MTI, true);
        rv_set_input(&bench->rv->env, IRQ_MSI, true);
        rv_bench_run(bench);

        assert_int_equal(bench->rv->x[A0], UINT64_C(1) << 63 | IRQ_MSI);
        assert_int_equal(bench->rv->mstatus & (MSTATUS_MIE | MSTATUS_MPIE), MSTATUS_MPIE);
        assert_int_equal(rv_pending(bench->rv), 1 << IRQ_MTI | 1 << IRQ_MSI);
    }
}

static void vectored_interrupts_have_an_entry_each(void **state)
{
    for (unsigned h = 0; hosts[h]; h++) {
        g_autoptr(RvBench) bench = rv_bench_new(hosts[h]->name, 64, NULL);

        rv_bench_put(bench, HANDLER + 4 * IRQ_MTI, "addi a0,zero,77\ncsrrw zero,0x304,zero\nwfi");
        rv_bench_put(bench, 0, SET_MTVEC "csrrsi zero,0x305,1\nli t0,0x80\ncsrrw zero,0x304,t0\n"
            "csrrsi zero,0x300,8\naddi zero,zero,0\nwfi");
        rv_set_input(&bench->rv->env, IRQ_MTI, true);
        rv_bench_run(bench);

        assert_int_equal(bench->rv->x[A0], 77);
    }
}

static void cache_blocks_are_zeroed_and_hints_do_nothing(void **state)
{
#define FILL "auipc t0,1\naddi t1,zero,-1\nsd t1,8(t0)\n"
    static const ValueCase cases[] = {
        { FILL "cbo.zero (t0)\nld a0,8(t0)", 0 },
        { FILL "addi t2,t0,64\ncbo.zero (t2)\nld a0,8(t0)", UINT64_MAX },
        { FILL "cbo.clean (t0)\ncbo.flush (t0)\ncbo.inval (t0)\nld a0,8(t0)", UINT64_MAX },
        { "addi a0,zero,7\nwrs.nto\nwrs.sto\nfence.i\nfence w,unknown\nfence iorw,iorw", 7 },
        /* menvcfg and senvcfg open cbo.zero to U */
        { "addi t1,zero,0x80\ncsrrw zero,0x30a,t1\ncsrrw zero,0x10a,t1\n" ENTER(0) FILL
          "cbo.zero (t0)\necall", CAUSE_ECALL_U },
    };

    check_values(cases, G_N_ELEMENTS(cases), 64);
}

static void code_that_was_written_runs_after_fence_i(void **state)
{
    static const ValueCase cases[] = {
        /* `addi a0,zero,1` becomes `addi a0,zero,2` between two runs of it. */
        { "c.li s2,0\nc.li s3,0\nauipc t0,0\naddi t0,t0,22\nli t2,0x00200513\nagain:\nc.li s4,0\n"
          "addi zero,zero,0\nsite:\naddi a0,zero,1\nadd s2,s2,a0\nc.addi s3,1\naddi t3,zero,2\n"
          "beq s3,t3,end\nsw t2,0(t0)\nfence.i\njal zero,again\nend:\nadd a0,s2,zero", 3 },
    };

    check_values(cases, G_N_ELEMENTS(cases), 64);
}

static void the_supervisor_s_own_timer_is_due_when_time_has_come(void **state)
{
    static const ValueCase cases[] = {
        /* stimecmp 0: pending at once; then never. */
        { "addi t0,zero,1\nslli t0,t0,63\ncsrrs zero,0x30a,t0\ncsrrw zero,0x14d,zero\ncsrrs a0,0x344,zero", 0x20 },
        { "addi t0,zero,1\nslli t0,t0,63\ncsrrs zero,0x30a,t0\naddi t1,zero,-1\ncsrrw zero,0x14d,t1\n"
          "csrrs a0,0x344,zero", 0 },
        { ENTER(1) "csrrs a0,0x14d,zero", CAUSE_ILLEGAL },
    };

    check_values(cases, G_N_ELEMENTS(cases), 64);
}

/* ---- memory protection ------------------------------------------------------------------------ */

static void protected_memory_faults_below_machine_mode(void **state)
{
    static const TrapCase cases[] = {
        /* pmp0: 4 KiB at RV_RAM + 0x2000 without rights (NAPOT), before the one that opens all. */
#define CLOSE(rights) "addi t1,zero,-1\ncsrrw zero,0x3b1,t1\nauipc t1,2\nli t2,0xfff\nandn t1,t1,t2\n"       \
        "addi t3,t1,0\nsrli t1,t1,2\naddi t1,t1,0x1ff\ncsrrw zero,0x3b0,t1\nli t2,0x1f" #rights              \
        "\ncsrrw zero,0x3a0,t2\naddi t0,t3,0\n"
        { CLOSE(18) ENTER(1) "lw a0,8(t0)", CAUSE_LOAD_ACCESS, RV_RAM + 0x2008 },
        { CLOSE(19) ENTER(1) "lw a0,8(t0)\nsw a0,8(t0)", CAUSE_STORE_ACCESS, RV_RAM + 0x2008 },
        { CLOSE(19) ENTER(1) "jalr zero,0(t0)", CAUSE_FETCH_ACCESS, RV_RAM + 0x2000 },
        { CLOSE(18) "lw a0,8(t0)\nli t1,0x20000\ncsrrs zero,0x300,t1\nlw a0,8(t0)", CAUSE_LOAD_ACCESS,
            RV_RAM + 0x2008 },                              /* MPRV with MPP = U */
        { CLOSE(98) "lw a0,8(t0)", CAUSE_LOAD_ACCESS, RV_RAM + 0x2008 },        /* locked: for M too */
        { CLOSE(18) ENTER(1) "lw a0,-4(t0)\necall", CAUSE_ECALL_S, 0 },
        /* four bytes only (NA4) */
        { "addi t1,zero,-1\ncsrrw zero,0x3b1,t1\nauipc t0,2\naddi t1,t0,0\nsrli t1,t1,2\ncsrrw zero,0x3b0,t1\n"
          "li t2,0x1f10\ncsrrw zero,0x3a0,t2\n" ENTER(1) "lw a0,4(t0)\nlw a0,-4(t0)\nlw a0,0(t0)",
          CAUSE_LOAD_ACCESS, RV_RAM + 0x2000 + 36 },
    };

    check_traps(cases, G_N_ELEMENTS(cases), 64);
}

/* ---- page tables ------------------------------------------------------------------------------ */

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };
enum { ROOT = 0x10000, LEVEL1 = 0x11000, LEVEL0 = 0x12000 };

#define VIRTUAL UINT64_C(0x40000000)        /* root entry 1 of Sv39 */

static void put_entry(RvBench *bench, uint64_t at, uint64_t entry)
{
    rv_bench_write(bench, RV_RAM + at, &entry, 8);
}

static uint64_t pointer(uint64_t table)
{
    return (RV_RAM + table) >> 12 << 10 | V;
}

/* Sv39: RV_RAM mapped to itself as a giant page for the code; VIRTUAL + n pages as the test wants. */
static void map(RvBench *bench, unsigned page, uint64_t physical, unsigned flags)
{
    put_entry(bench, ROOT + 8 * (RV_RAM >> 30), RV_RAM >> 12 << 10 | V | R | W | X | A | D);
    put_entry(bench, ROOT + 8 * (VIRTUAL >> 30), pointer(LEVEL1));
    put_entry(bench, LEVEL1, pointer(LEVEL0));
    put_entry(bench, LEVEL0 + 8 * page, physical >> 12 << 10 | flags);
}

#define ENTER_SV39 "addi t1,zero,8\nslli t1,t1,60\nauipc t2,0x10\nsrli t2,t2,12\nor t1,t1,t2\ncsrrw zero,0x180,t1\n" \
    "lui t0,0x40000\n" ENTER(1)

static RvBench *run_mapped(const char *host, unsigned flags, const char *text)
{
    RvBench *bench = rv_bench_new(host, 64, NULL);
    g_autofree char *program = g_strconcat(SET_MTVEC, OPEN_PMP, ENTER_SV39, text, "\nwfi\n", NULL);
    uint32_t word = 0x600d600d;

    map(bench, 0, RV_RAM + 0x3000, flags);
    rv_bench_write(bench, RV_RAM + 0x3000, &word, 4);
    rv_bench_put(bench, HANDLER, handler);
    rv_bench_put(bench, 0, program);
    rv_bench_run(bench);
    return bench;
}

static void pages_give_the_rights_of_their_entries(void **state)
{
    static const struct { unsigned flags; const char *text; uint64_t cause, value; } cases[] = {
        { V | R | A, "lw a3,0(t0)\necall", CAUSE_ECALL_S, 0 },
        { V | R | A, "sw a3,0(t0)", CAUSE_STORE_PAGE, VIRTUAL },
        { V | R | A | D, "sw a3,4(t0)", CAUSE_STORE_PAGE, VIRTUAL + 4 },
        { V | R | W | A | D, "sw zero,0(t0)\nlw a3,0(t0)\necall", CAUSE_ECALL_S, 0 },
        { V | X | A, "lw a3,0(t0)", CAUSE_LOAD_PAGE, VIRTUAL },
        { V | R | A, "jalr zero,0(t0)", CAUSE_FETCH_PAGE, VIRTUAL },
        { V | R | A | U, "lw a3,0(t0)", CAUSE_LOAD_PAGE, VIRTUAL },
        { V | R | A | U, "li t1,0x40000\ncsrrs zero,0x100,t1\nlw a3,0(t0)\necall", CAUSE_ECALL_S, 0 },      /* SUM */
        { V | X | A, "li t1,0x80000\ncsrrs zero,0x100,t1\nlw a3,0(t0)\necall", CAUSE_ECALL_S, 0 },          /* MXR */
        { V | R | X | A | U, "li t1,0x40000\ncsrrs zero,0x100,t1\njalr zero,0(t0)", CAUSE_FETCH_PAGE, VIRTUAL },
        { 0, "lw a3,0(t0)", CAUSE_LOAD_PAGE, VIRTUAL },
        { V | W | A, "lw a3,0(t0)", CAUSE_LOAD_PAGE, VIRTUAL },             /* reserved */
        { V | A, "lw a3,0(t0)", CAUSE_LOAD_PAGE, VIRTUAL },                 /* a pointer in the last level */
        { V | R | A, "addi t1,zero,1\nslli t1,t1,62\nlw a3,0(t1)", CAUSE_LOAD_PAGE, UINT64_C(1) << 62 },
        { V | R | A, "li t1,0x1000\nadd t1,t0,t1\nld a3,-4(t1)", CAUSE_LOAD_PAGE, VIRTUAL + 0x1000 },
        { V | R | W | A | D, "li t1,0x1000\nadd t1,t0,t1\nsd t1,-4(t1)", CAUSE_STORE_PAGE, VIRTUAL + 0x1000 },
        /* with Svadu and ADUE clear, A and D are software's */
        { V | R, "lw a3,0(t0)", CAUSE_LOAD_PAGE, VIRTUAL },
        { V | R | W | A, "sw a3,0(t0)", CAUSE_STORE_PAGE, VIRTUAL },
    };

    for (unsigned h = 0; hosts[h]; h++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_autoptr(RvBench) bench = run_mapped(hosts[h]->name, cases[i].flags, cases[i].text);

            if (bench->rv->x[A0] != cases[i].cause || bench->rv->x[A1] != cases[i].value) {
                fail_msg("%s: flags %x, '%s' gives cause %u, value %" PRIx64, hosts[h]->name, cases[i].flags,
                    cases[i].text, (unsigned)bench->rv->x[A0], bench->rv->x[A1]);
            }
        }
    }
}

static void a_store_that_faults_on_its_second_page_changes_nothing(void **state)
{
    for (unsigned h = 0; hosts[h]; h++) {
        g_autoptr(RvBench) bench = run_mapped(hosts[h]->name, V | R | W | A | D,
            "li t1,0x1000\nadd t1,t0,t1\nsd t1,-4(t1)");

        assert_int_equal(rv_bench_read(bench, RV_RAM + 0x3ffc, 4), 0);
    }
}

static void accessed_and_dirty_bits_are_set_when_menvcfg_says_so(void **state)
{
    for (unsigned h = 0; hosts[h]; h++) {
        g_autoptr(RvBench) bench = run_mapped(hosts[h]->name, V | R | W, "ecall");

        bench->rv->menvcfg |= ENVCFG_ADUE;
        rv_bench_put(bench, 0, SET_MTVEC OPEN_PMP ENTER_SV39 "lw a3,0(t0)\necall\n");
        rv_mode_changed(bench->rv, PRIV_M);
        rv_bench_run(bench);
        assert_int_equal(rv_bench_read(bench, RV_RAM + LEVEL0, 1), V | R | W | A);

        rv_bench_put(bench, 0, SET_MTVEC OPEN_PMP ENTER_SV39 "sw a3,0(t0)\necall\n");
        rv_bench_run(bench);
        assert_int_equal(bench->rv->x[A0], CAUSE_ECALL_S);
        assert_int_equal(rv_bench_read(bench, RV_RAM + LEVEL0, 1), V | R | W | A | D);
    }
}

static void a_fence_shows_the_changed_table_and_only_it(void **state)
{
    static const char text[] =
        /* The entry of page 0 goes from 0x3000 to 0x4000 without rights to it in between. */
        "lw a3,0(t0)\nauipc t2,0x12\nli t3,0xfff\nandn t2,t2,t3\nld t4,0(t2)\naddi t4,t4,1024\nsd t4,0(t2)\n"
        "sfence.vma t0,zero\nlw a4,0(t0)\necall";

    for (unsigned h = 0; hosts[h]; h++) {
        g_autoptr(RvBench) bench = run_mapped(hosts[h]->name, V | R | W | A | D, text);

        assert_int_equal(bench->rv->x[A0], CAUSE_ECALL_S);
        assert_int_equal((uint32_t)bench->rv->x[A3], 0x600d600d);
        assert_int_equal(bench->rv->x[A4], 0);
    }
}

/* Whether another CPU has its turn when this instruction is run. */
static bool spins(uint32_t insn)
{
    g_autoptr(RvBench) bench = rv_bench_new("interp", 64, NULL);
    const uint32_t program[] = { insn, 0x10500073 /* wfi */ };
    char *text = NULL;
    size_t size;

    rv_bench_write(bench, RV_RAM, program, sizeof(program));
    rv_bench_run(bench);
    FILE *out = open_memstream(&text, &size);
    ir_print(&bench->cpu->ir, out);
    fclose(out);
    bool found = strstr(text, "cpu_spin");
    free(text);
    return found;
}

static void a_pause_is_another_cpu_s_turn(void **state)
{
    assert_true(spins(0x0100000f));  /* pause */
    assert_true(spins(0x00d00073));  /* wrs.nto */
    assert_true(spins(0x01d00073));  /* wrs.sto */
    assert_false(spins(0x0110000f)); /* fence w,w */
    assert_false(spins(0x0010000f)); /* fence 0,w */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traps_have_the_manual_s_causes_and_values),
        cmocka_unit_test(rv32_traps_the_same_way),
        cmocka_unit_test(csrs_keep_what_can_be_written),
        cmocka_unit_test(delegated_traps_go_to_the_supervisor_and_come_back),
        cmocka_unit_test(interrupts_are_taken_in_their_order_when_enabled),
        cmocka_unit_test(vectored_interrupts_have_an_entry_each),
        cmocka_unit_test(cache_blocks_are_zeroed_and_hints_do_nothing),
        cmocka_unit_test(code_that_was_written_runs_after_fence_i),
        cmocka_unit_test(the_supervisor_s_own_timer_is_due_when_time_has_come),
        cmocka_unit_test(protected_memory_faults_below_machine_mode),
        cmocka_unit_test(pages_give_the_rights_of_their_entries),
        cmocka_unit_test(a_store_that_faults_on_its_second_page_changes_nothing),
        cmocka_unit_test(accessed_and_dirty_bits_are_set_when_menvcfg_says_so),
        cmocka_unit_test(a_fence_shows_the_changed_table_and_only_it),
        cmocka_unit_test(a_pause_is_another_cpu_s_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

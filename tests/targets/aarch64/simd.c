/* Floating point and vectors where the reference of the fuzzer is wrong or does not look. */
#include "core/address-space.h"
#include "core/loop.h"
#include "targets/aarch64/state.h"
#include "tcg/fp.h"
#include "tcg/tcg.h"
#include "tests/test.h"

#define RAM UINT64_C(0x40000000)
enum { RAM_SIZE = 1 << 20, WFI = 0xd503207f };

typedef struct Bench {
    Region *ram, *root;
    AddressSpace *memory;
    Tcg *tcg;
    TcgCpu *cpu;
    A64Cpu *a64;
} Bench;

static Bench *bench_of_cpu(const char *host)
{
    Bench *bench = g_new0(Bench, 1);
    const TcgOptions options = { .host = host };
    TcgCpuOptions cpu = { .model = "max" };
    g_autoptr(GError) error = NULL;

    bench->ram = region_new_ram("ram", RAM_SIZE, &error);
    bench->root = region_new_container("root", UINT64_C(1) << 40);
    machine_lock();
    region_map(bench->root, RAM, bench->ram, 0);
    bench->memory = address_space_new("bus", bench->root);
    machine_unlock();
    cpu.memory = bench->memory;
    bench->tcg = tcg_new(tcg_isa_find("aarch64"), &options, &error);
    bench->cpu = tcg_cpu_new(bench->tcg, &cpu, &error);
    bench->a64 = a64_cpu(tcg_cpu_env(bench->cpu));
    return bench;
}

static void bench_done(Bench *bench)
{
    tcg_cpu_free(bench->cpu);
    tcg_free(bench->tcg);
    machine_lock();
    address_space_free(bench->memory);
    region_unref(bench->root);
    region_unref(bench->ram);
    machine_unlock();
    g_free(bench);
}

/* Runs one instruction and a wfi with these FPCR and v1. */
static void run(Bench *bench, uint64_t fpcr, IrVec v1, uint32_t insn)
{
    static const uint64_t args[4];
    const uint32_t code[] = { 0xd51b4400 /* msr fpcr, x0 */, insn, WFI };

    address_space_write(bench->memory, RAM, code, sizeof(code));
    tcg_isa_find("aarch64")->set_entry(&bench->a64->env, RAM, args);
    bench->a64->x[0] = fpcr;
    bench->a64->v[1] = v1;
    bench->a64->cpacr = 3 << 20;
    a64_mode_changed(bench->a64);
    tcg_cpu_run(bench->cpu, 0);
}

static const uint64_t double_subnormal = 1, double_minus_3 = UINT64_C(0xc008000000000000);
enum { FJCVTZS_W0_D1 = 0x1e7e0020, FCVTZS_H0_H1_2 = 0x5f1efc20, SQADD_V0_V1 = 0x4e210c20 };

/* FPToFixedJS(): "elsif sign == '0' && value == 0.0 && !IsZero(op<51:0>) then z = '0'". */
static void a_flushed_number_is_not_what_javascript_has(void **state)
{
    Bench *bench = bench_of_cpu("interp");

    run(bench, FPCR_FZ, (IrVec){ .d = { double_subnormal } }, FJCVTZS_W0_D1);
    assert_int_equal(bench->a64->x[0], 0);
    assert_int_equal(a64_nzcv(bench->a64), 0);
    bench_done(bench);
}

static void an_integer_is_what_javascript_has(void **state)
{
    Bench *bench = bench_of_cpu("interp");

    run(bench, 0, (IrVec){ .d = { double_minus_3 } }, FJCVTZS_W0_D1);
    assert_int_equal(bench->a64->x[0], (uint32_t)-3);
    assert_int_equal(a64_nzcv(bench->a64), (uint64_t)NZCV_Z << NZCV_SHIFT);
    bench_done(bench);
}

static void a_fixed_point_half_is_zero_above_its_16_bits(void **state)
{
    Bench *bench = bench_of_cpu("interp");

    run(bench, 0, (IrVec){ .h = { 0xbc00 /* -1 */ } }, FCVTZS_H0_H1_2);
    assert_int_equal(bench->a64->v[0].d[0], (uint16_t)-4);
    assert_int_equal(bench->a64->v[0].d[1], 0);
    bench_done(bench);
}

static void saturation_is_noted_for_good(void **state)
{
    Bench *bench = bench_of_cpu(NULL);

    run(bench, 0, (IrVec){ .b = { [15] = 0x7f } }, SQADD_V0_V1);
    assert_int_equal(bench->a64->v[0].b[15], 0x7f);
    assert_true(a64_fpsr_read(bench->a64) >> 27 & 1);
    run(bench, 0, (IrVec){ .b = { [15] = 1 } }, SQADD_V0_V1);
    assert_true(a64_fpsr_read(bench->a64) >> 27 & 1);
    a64_fpsr_write(bench->a64, 0);
    assert_int_equal(a64_fpsr_read(bench->a64), 0);
    bench_done(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flushed_number_is_not_what_javascript_has),
        cmocka_unit_test(an_integer_is_what_javascript_has),
        cmocka_unit_test(a_fixed_point_half_is_zero_above_its_16_bits),
        cmocka_unit_test(saturation_is_noted_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

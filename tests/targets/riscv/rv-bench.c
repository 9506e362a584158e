#include "tests/targets/riscv/rv-bench.h"

#include "core/address-space.h"
#include "core/loop.h"
#include "core/region.h"
#include "tests/targets/riscv/asm.h"
#include "tests/test.h"

RvBench *rv_bench_new(const char *host, unsigned xlen, const char *const *features)
{
    g_autoptr(GError) error = NULL;
    RvBench *bench = g_new0(RvBench, 1);
    TcgOptions options = { .host = host };
    TcgCpuOptions cpu = { .features = features };

    bench->ram = region_new_ram("ram", RV_RAM_SIZE, &error);
    g_assert_no_error(error);
    bench->root = region_new_container("root", UINT64_C(1) << 40);
    machine_lock();
    region_map(bench->root, RV_RAM, bench->ram, 0);
    bench->memory = address_space_new("bus", bench->root);
    machine_unlock();
    bench->tcg = tcg_new(tcg_isa_find(xlen == 64 ? "riscv64" : "riscv32"), &options, &error);
    g_assert_no_error(error);
    cpu.memory = bench->memory;
    bench->cpu = tcg_cpu_new(bench->tcg, &cpu, &error);
    g_assert_no_error(error);
    bench->rv = rv_cpu(tcg_cpu_env(bench->cpu));
    return bench;
}

void rv_bench_free(RvBench *bench)
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

void rv_bench_write(RvBench *bench, uint64_t address, const void *data, size_t length)
{
    assert_int_equal(address_space_write(bench->memory, address, data, length), 0);
}

uint64_t rv_bench_read(RvBench *bench, uint64_t address, unsigned size)
{
    uint64_t value = 0;

    assert_int_equal(address_space_read(bench->memory, address, &value, size), 0);
    return value;
}

void rv_bench_put(RvBench *bench, uint64_t offset, const char *text)
{
    uint8_t code[4096];
    size_t length = rv_assemble(RV_RAM + offset, rv_xlen(bench->rv), text, code, sizeof(code));

    rv_bench_write(bench, RV_RAM + offset, code, length);
}

void rv_bench_run(RvBench *bench)
{
    bench->rv->env.pc = RV_RAM;
    tcg_cpu_run(bench->cpu, 0);
}

uint64_t rv_bench_a0(RvBench *bench, const char *text)
{
    g_autofree char *program = g_strconcat(text, "\nwfi\n", NULL);

    rv_bench_put(bench, 0, program);
    rv_bench_run(bench);
    return bench->rv->x[A0];
}

#include "tests/fake-cpu.h"

#include "core/fdt.h"

static void fake_reset(Device *dev)
{
    FakeCpu *fake = (FakeCpu *)dev;

    fake->began = fake->cpu.entry;
    fake->resets++;
}

static void fake_set_input(Device *dev, unsigned index, bool level)
{
    FakeCpu *fake = (FakeCpu *)dev;
    uint64_t bit = UINT64_C(1) << index;

    fake->inputs = level ? fake->inputs | bit : fake->inputs & ~bit;
}

static void fake_describe(const Device *dev, FdtNode *node)
{
    fdt_put_string(node, "compatible", "riscv");
    fdt_put_string(node, "riscv,isa", "rv64imac");
}

static const DeviceClass fake_class = {
    .name = "fake-cpu",
    .state_size = sizeof(FakeCpu),
    .reset = fake_reset,
    .set_input = fake_set_input,
    .describe = fake_describe,
};

static bool fake_start(Cpu *cpu, GError **error)
{
    return true;
}

static void fake_resume(Cpu *cpu)
{
    ((FakeCpu *)cpu)->running = true;
}

static void fake_pause(Cpu *cpu)
{
    ((FakeCpu *)cpu)->running = false;
}

static void fake_nothing(Cpu *cpu)
{
}

static void fake_free(Cpu *cpu)
{
    g_free(cpu);
}

static FdtNode *fake_controller(const Cpu *cpu, FdtNode *node)
{
    FdtNode *controller = fdt_child(node, "interrupt-controller");

    fdt_put_string(controller, "compatible", "riscv,cpu-intc");
    fdt_put_flag(controller, "interrupt-controller");
    fdt_put_u32(controller, "#interrupt-cells", 1);
    fdt_put_u32(controller, "#address-cells", 0);
    return controller;
}

static const CpuOps fake_ops = {
    .start = fake_start,
    .resume = fake_resume,
    .pause = fake_pause,
    .kick = fake_nothing,
    .stop = fake_nothing,
    .free = fake_free,
    .interrupt_controller = fake_controller,
};

Cpu *fake_cpu_create(Machine *machine, const CpuClusterSpec *spec, unsigned index, Diag *diag)
{
    FakeCpu *fake = g_new0(FakeCpu, 1);

    fake->cpu.dev.class = &fake_class;
    fake->cpu.ops = &fake_ops;
    return &fake->cpu;
}

/* What the device tree says of a RISC-V CPU: Documentation/devicetree/bindings/riscv/ in Linux. */
#include <glib.h>

#include "core/fdt.h"
#include "targets/riscv/state.h"

/* Extensions in the canonical order of their names; feature NONE: always there. */
enum { NONE = 64 };
/* clang-format off */
static const struct { const char *name; unsigned feature; } extensions[] = {
    { "i", NONE }, { "m", RV_M }, { "a", RV_A }, { "f", RV_F }, { "d", RV_D }, { "c", RV_C },
    { "zicbom", RV_ZICBOM }, { "zicboz", RV_ZICBOZ }, { "zicntr", NONE }, { "zicond", RV_ZICOND },
    { "zicsr", NONE }, { "zifencei", NONE }, { "zihintpause", NONE }, { "zawrs", RV_ZAWRS },
    { "zfh", RV_ZFH }, { "zfhmin", RV_ZFHMIN }, { "zba", RV_ZBA }, { "zbb", RV_ZBB },
    { "zbs", RV_ZBS }, { "sstc", RV_SSTC }, { "svadu", RV_SVADU },
};
/* clang-format on */

static bool is_there(const RvCpu *cpu, unsigned feature)
{
    return feature == NONE || rv_has(cpu, feature);
}

/* Both forms: the list, and the string of old that single letters begin. */
static void put_extensions(const RvCpu *cpu, FdtNode *node)
{
    const char *list[G_N_ELEMENTS(extensions) + 1] = {};
    g_autofree char *base = g_strdup_printf("rv%ui", rv_xlen(cpu));
    g_autoptr(GString) isa = g_string_new(NULL);
    unsigned count = 0;

    g_string_printf(isa, "rv%u", rv_xlen(cpu));
    for (unsigned i = 0; i < G_N_ELEMENTS(extensions); i++) {
        if (is_there(cpu, extensions[i].feature)) {
            list[count++] = extensions[i].name;
            g_string_append_printf(
                isa, "%s%s", extensions[i].name[1] ? "_" : "", extensions[i].name);
        }
    }
    fdt_put_string(node, "riscv,isa", isa->str);
    fdt_put_string(node, "riscv,isa-base", base);
    fdt_put_strings(node, "riscv,isa-extensions", list);
}

static const char *mmu_type(const RvCpu *cpu)
{
    if (!rv_has(cpu, RV_S)) {
        return "riscv,none";
    }
    if (!rv_has(cpu, RV_RV64)) {
        return "riscv,sv32";
    }
    return rv_has(cpu, RV_SV57) ? "riscv,sv57" : rv_has(cpu, RV_SV48) ? "riscv,sv48" : "riscv,sv39";
}

void rv_describe(const CpuEnv *env, FdtNode *node)
{
    const RvCpu *cpu = rv_cpu_const(env);

    fdt_put_string(node, "compatible", "riscv");
    put_extensions(cpu, node);
    fdt_put_string(node, "mmu-type", mmu_type(cpu));
    if (rv_has(cpu, RV_ZICBOM)) {
        fdt_put_u32(node, "riscv,cbom-block-size", RV_CBO_SIZE);
    }
    if (rv_has(cpu, RV_ZICBOZ)) {
        fdt_put_u32(node, "riscv,cboz-block-size", RV_CBO_SIZE);
    }
}

FdtNode *rv_interrupt_controller(const CpuEnv *env, FdtNode *node)
{
    FdtNode *controller = fdt_child(node, "interrupt-controller");

    fdt_put_string(controller, "compatible", "riscv,cpu-intc");
    fdt_put_flag(controller, "interrupt-controller");
    fdt_put_u32(controller, "#interrupt-cells", 1);
    return controller;
}

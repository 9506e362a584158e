/* What the device tree says of an AArch64 CPU: Documentation/devicetree/bindings/arm/cpus.yaml in Linux. */
#include "core/cpu.h"
#include "core/fdt.h"
#include "core/machine.h"
#include "targets/aarch64/model.h"
#include "targets/aarch64/state.h"
#include "tcg/exec.h"

void a64_describe(const CpuEnv *env, FdtNode *node)
{
    const A64Cpu *cpu = a64_cpu_const(env);
    const CpuClusterSpec *spec = cpu_device(env)->spec;

    fdt_put_string(node, "compatible", cpu->model->compatible);
    if (spec && spec->psci_conduit) {
        fdt_put_string(node, "enable-method", "psci");
    }
}

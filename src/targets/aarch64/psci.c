/* PSCI 1.0: what firmware would do, where the board has none. Arm DEN 0022. */
#include "core/build.h"
#include "core/cpu.h"
#include "core/loop.h"
#include "core/machine.h"
#include "targets/aarch64/state.h"
#include "tcg/exec.h"

#include <string.h>

enum {
    PSCI_VERSION = 0x84000000,
    PSCI_CPU_SUSPEND = 0x84000001,
    PSCI_CPU_OFF = 0x84000002,
    PSCI_CPU_ON = 0x84000003,
    PSCI_AFFINITY_INFO = 0x84000004,
    PSCI_MIGRATE_INFO_TYPE = 0x84000006,
    PSCI_SYSTEM_OFF = 0x84000008,
    PSCI_SYSTEM_RESET = 0x84000009,
    PSCI_FEATURES = 0x8400000a,
    SMCCC_VERSION = 0x80000000,
    PSCI_64 = 0x40000000, /* arguments of 64 bits */
};

enum {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_ALREADY_ON = -4,
    PSCI_ON_PENDING = -5,
};

enum { PSCI_1_0 = 1 << 16, SMCCC_1_1 = 1 << 16 | 1, NO_TRUSTED_OS = 2 };

typedef int64_t PsciCall(A64Cpu *cpu, const uint64_t *args);

static int64_t version(A64Cpu *cpu, const uint64_t *args)
{
    return PSCI_1_0;
}

static int64_t smccc_version(A64Cpu *cpu, const uint64_t *args)
{
    return SMCCC_1_1;
}

static CpuEnv *cpu_of(A64Cpu *cpu, uint64_t affinity)
{
    return affinity & ~UINT64_C(0xff0f)
        ? NULL
        : cpu_by_index(&cpu->env, (unsigned)((affinity & 15) | (affinity >> 8) << 4));
}

static int64_t cpu_on(A64Cpu *cpu, const uint64_t *args)
{
    CpuEnv *other = cpu_of(cpu, args[0]);
    const CpuEntry entry = { .pc = args[1], .args = { args[2] } };

    if (!other) {
        return PSCI_INVALID_PARAMETERS;
    }
    switch (cpu_start(other, &entry)) {
    case POWER_OFF: return PSCI_SUCCESS;
    case POWER_ON: return PSCI_ALREADY_ON;
    case POWER_STARTING: break;
    }
    return PSCI_ON_PENDING;
}

static int64_t cpu_off(A64Cpu *cpu, const uint64_t *args)
{
    cpu_power_off(&cpu->env);
    return PSCI_SUCCESS;
}

/* A standby is over at once, as one with an interrupt would be. */
static int64_t cpu_suspend(A64Cpu *cpu, const uint64_t *args)
{
    return PSCI_SUCCESS;
}

static int64_t affinity_info(A64Cpu *cpu, const uint64_t *args)
{
    const CpuEnv *other = cpu_of(cpu, args[0]);

    return other && !args[1] ? (int64_t)cpu_power(other) : PSCI_INVALID_PARAMETERS;
}

static int64_t migrate_info_type(A64Cpu *cpu, const uint64_t *args)
{
    return NO_TRUSTED_OS;
}

/* The caller does not come back, though the machine takes its time to end. */
static int64_t end_machine(A64Cpu *cpu, MachineRequest what)
{
    bool taken = machine_lock_ensure();

    cpu_power_off(&cpu->env);
    machine_request(cpu_device(&cpu->env)->dev.machine, what, 0);
    machine_lock_restore(taken);
    return PSCI_SUCCESS;
}

static int64_t system_off(A64Cpu *cpu, const uint64_t *args)
{
    return end_machine(cpu, MACHINE_POWEROFF);
}

static int64_t system_reset(A64Cpu *cpu, const uint64_t *args)
{
    return end_machine(cpu, MACHINE_RESET);
}

static int64_t features(A64Cpu *cpu, const uint64_t *args);

static const struct {
    uint32_t number;
    bool wide; /* there is one with PSCI_64 too */
    PsciCall *call;
} calls[] = {
    { PSCI_VERSION, false, version },
    { PSCI_CPU_SUSPEND, true, cpu_suspend },
    { PSCI_CPU_OFF, false, cpu_off },
    { PSCI_CPU_ON, true, cpu_on },
    { PSCI_AFFINITY_INFO, true, affinity_info },
    { PSCI_MIGRATE_INFO_TYPE, false, migrate_info_type },
    { PSCI_SYSTEM_OFF, false, system_off },
    { PSCI_SYSTEM_RESET, false, system_reset },
    { PSCI_FEATURES, false, features },
    { SMCCC_VERSION, false, smccc_version },
};

static PsciCall *find_call(uint32_t number)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++) {
        if (calls[i].number == number || (calls[i].wide && (calls[i].number | PSCI_64) == number)) {
            return calls[i].call;
        }
    }
    return NULL;
}

static int64_t features(A64Cpu *cpu, const uint64_t *args)
{
    return find_call((uint32_t)args[0]) ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED;
}

static bool is_conduit(A64Cpu *cpu, bool by_smc)
{
    const CpuClusterSpec *spec = cpu_device(&cpu->env)->spec;
    const char *conduit = spec ? spec->psci_conduit : NULL;

    return conduit && !strcmp(conduit, by_smc ? "smc" : "hvc");
}

bool a64_psci_call(A64Cpu *cpu, bool by_smc)
{
    uint32_t number = (uint32_t)cpu->x[0];
    PsciCall *call = find_call(number);
    uint64_t args[3];

    if (!is_conduit(cpu, by_smc)) {
        return false;
    }
    for (unsigned i = 0; i < 3; i++) {
        args[i] = number & PSCI_64 ? cpu->x[1 + i] : (uint32_t)cpu->x[1 + i];
    }
    cpu->x[0] = call ? (uint64_t)call(cpu, args) : (uint64_t)PSCI_NOT_SUPPORTED;
    return true;
}

#include "core/cpu.h"

static _Thread_local Cpu *current;

Cpu *cpu_current(void)
{
    return current;
}

void cpu_set_current(Cpu *cpu)
{
    current = cpu;
}

/* A machine that is built: starting, pausing, resetting it, and what its guest asks for. */
#include "core/build-impl.h"
#include "core/loop.h"

/* ---- running and not ---- */

/* Calls something that waits for CPUs: they may need the lock to get where we wait for them. */
static void without_lock(Machine *machine, void (*fn)(Machine *))
{
    bool held = machine_lock_held();

    if (held) {
        machine_unlock();
    }
    fn(machine);
    if (held) {
        machine_lock();
    }
}

static void pause_cpus(Machine *machine)
{
    for (unsigned i = 0; i < machine->cpus->len; i++) {
        Cpu *cpu = machine->cpus->pdata[i];

        cpu->ops->kick(cpu);
    }
    for (unsigned i = 0; i < machine->cpus->len; i++) {
        Cpu *cpu = machine->cpus->pdata[i];

        cpu->ops->pause(cpu);
    }
}

void machine_pause(Machine *machine)
{
    if (machine->running) {
        machine->running = false;
        without_lock(machine, pause_cpus);
        clock_pause(machine->clock);
    }
}

void machine_resume(Machine *machine)
{
    if (!machine->started || machine->running) {
        return;
    }
    machine->running = true;
    clock_resume(machine->clock);
    for (unsigned i = 0; i < machine->cpus->len; i++) {
        Cpu *cpu = machine->cpus->pdata[i];

        cpu->ops->resume(cpu);
    }
}

void machine_slow_down(Machine *machine, unsigned log2)
{
    clock_slow_down(machine->clock, log2);
}

bool machine_start(Machine *machine, GError **error)
{
    for (unsigned i = 0; i < machine->cpus->len; i++) {
        Cpu *cpu = machine->cpus->pdata[i];

        if (!cpu->ops->start(cpu, error)) {
            while (i-- > 0) {
                cpu = machine->cpus->pdata[i];
                cpu->ops->stop(cpu);
            }
            return false;
        }
    }
    machine->started = true;
    machine_resume(machine);
    return true;
}

/* ---- reset ---- */

void machine_reset_devices(Machine *machine)
{
    for (unsigned i = 0; i < machine->devices->len; i++) {
        Device *dev = machine->devices->pdata[i];

        if (dev->class->reset) {
            dev->class->reset(dev);
        }
    }
    /* After the devices: a reset device may have changed the level of a CPU's input. */
    for (unsigned i = 0; i < machine->cpus->len; i++) {
        Cpu *cpu = machine->cpus->pdata[i];

        cpu->dev.class->reset(&cpu->dev);
    }
}

void machine_reset(Machine *machine)
{
    bool was_running = machine->running, taken;

    machine_pause(machine);
    taken = machine_lock_ensure();
    machine_reload_boot(machine);
    machine_reset_devices(machine);
    machine_lock_restore(taken);
    if (was_running) {
        machine_resume(machine);
    }
}

/* ---- what the guest asks ---- */

static void answer_by_default(Machine *machine, MachineRequest what, int code)
{
    if (what == MACHINE_RESET) {
        machine_reset(machine);
    } else {
        machine_pause(machine);
        loop_quit(code);
    }
}

static void answer(void *data)
{
    Machine *machine = data;
    MachineRequest what = machine->request;
    int code = machine->request_code;

    __atomic_store_n(&machine->request_pending, false, __ATOMIC_RELEASE);
    if (machine->on_request) {
        machine->on_request(machine->on_request_data, what, code);
    } else if (machine->started) {
        answer_by_default(machine, what, code);
    }
}

void machine_on_request(Machine *machine, MachineRequested handler, void *data)
{
    machine->on_request = handler;
    machine->on_request_data = data;
}

void machine_request(Machine *machine, MachineRequest what, int code)
{
    /* The first one counts; a guest that asks again before it is answered asks for the same. */
    if (__atomic_exchange_n(&machine->request_pending, true, __ATOMIC_ACQ_REL)) {
        return;
    }
    machine->request = what;
    machine->request_code = code;
    loop_call(answer, machine);
}

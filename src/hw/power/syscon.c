/*
 * Test finisher: one register by which the guest ends the machine.
 *
 * SiFive E31 "test" device: 0x5555 pass, 0x3333 fail with a code in the upper half, 0x7777 reset.
 * The FDT nodes syscon-poweroff and syscon-reboot, in the schema, tell an operating system so.
 */
#include "core/build.h"
#include "core/registers.h"

enum { SYSCON_SIZE = 0x1000 };
enum { FINISH_FAIL = 0x3333, FINISH_PASS = 0x5555, FINISH_RESET = 0x7777 };

typedef struct Syscon {
    Device dev;
} Syscon;

static void finish_write(Device *dev, unsigned index, uint64_t value)
{
    switch (value & 0xffff) {
    case FINISH_FAIL: machine_request(dev->machine, MACHINE_FAIL, value >> 16 & 0xffff); break;
    case FINISH_PASS: machine_request(dev->machine, MACHINE_POWEROFF, 0); break;
    case FINISH_RESET: machine_request(dev->machine, MACHINE_RESET, 0); break;
    default: device_guest_error(dev, "write of 0x%x, which finishes nothing", (unsigned)value);
    }
}

static uint64_t finish_read(Device *dev, unsigned index)
{
    return 0;
}

static const Register syscon_registers[] = {
    { .name = "FINISH", .offset = 0, .read = finish_read, .write = finish_write },
};

/* OpenSBI writes it with 16 bits, Linux with 32. */
static const RegisterBank syscon_bank = REGISTER_BANK(syscon_registers, .guest = { 2, 4 });

static bool syscon_start(Device *dev, Diag *diag)
{
    device_add_region(dev, 0, registers_region("regs", SYSCON_SIZE, &syscon_bank, dev));
    return true;
}

DEVICE_CLASS(syscon) = {
    .name = "syscon",
    .state_size = sizeof(Syscon),
    .start = syscon_start,
};

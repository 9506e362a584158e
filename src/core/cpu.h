/*
 * A CPU as the core knows it: a device with a thread, interrupt inputs and a place to start.
 *
 * What runs on it is the translator's affair. Whoever builds a machine passes a CpuCreate; the
 * core calls the ops below and never looks further.
 */
#ifndef CORE_CPU_H
#define CORE_CPU_H

#include "core/device.h"

typedef struct Cpu Cpu;
typedef struct CpuClusterSpec CpuClusterSpec;
typedef struct MachineSpec MachineSpec;

/* How a CPU begins after reset: as the boot protocol of its ISA wants it. */
typedef struct CpuEntry {
    GuestAddr pc;
    uint64_t args[4]; /* RISC-V a0..a3, AArch64 x0..x3 */
    bool held;        /* not running until another CPU or the firmware starts it */
} CpuEntry;

/* An identification register as a guest reads it. */
typedef struct CpuIdRegister {
    const char *name;
    uint64_t value;
    unsigned field_bits;       /* it is made of fields of so many bits, the lowest first: */
    const char *const *fields; /* their names, NULL where there is none; NULL: no fields */
} CpuIdRegister;

typedef void CpuIdVisit(void *data, const CpuIdRegister *reg);

/*
 * Resetting, interrupt inputs and the FDT are DeviceClass.reset, .set_input and .describe.
 * .set_input is called on any thread with the machine lock; reset uses cpu->entry. All ops but
 * kick are called on the loop's thread.
 */
typedef struct CpuOps {
    /* Makes the thread, paused. */
    bool (*start)(Cpu *cpu, GError **error);
    void (*resume)(Cpu *cpu);
    /* Comes back when the CPU is between two instructions and its state is in memory. Called
     * without the machine lock, which the CPU may need to get there. */
    void (*pause)(Cpu *cpu);
    /* Leaves generated code soon, to look at requests. Any thread, never waits. */
    void (*kick)(Cpu *cpu);
    /* Ends the thread; it is paused by then. */
    void (*stop)(Cpu *cpu);
    /* What CpuCreate made; stopped, or never started. */
    void (*free)(Cpu *cpu);
    /*
     * The node that `interrupts-extended` points at, made in the CPU's; NULL where an ISA has none.
     * What else is in the CPU's node comes from DeviceClass.describe: riscv,isa and the like.
     */
    FdtNode *(*interrupt_controller)(const Cpu *cpu, FdtNode *node);
    /* Visits the registers that tell what the CPU is; not which of several alike. */
    void (*identify)(const Cpu *cpu, CpuIdVisit *visit, void *data);
} CpuOps;

/*
 * Beside the number of a register (Arm): it is a guest's own, of the virtual interface; the secure state's copy is
 * meant; the CPU is at EL3; it sees the non-secure state's priorities.
 */
enum {
    CPU_REG_VIRTUAL = 1 << 16,
    CPU_REG_SECURE = 1 << 17,
    CPU_REG_MONITOR = 1 << 18,
    CPU_REG_SHIFTED = 1 << 19,
};

/*
 * What a CPU has of its interrupt controller when it reaches it by instructions (GICv3's ICC
 * registers), and what its own timers interrupt it through. The machine lock is held.
 */
typedef struct CpuIntc {
    /* False: there is no such register. `reg` is its number as the ISA encodes it. */
    bool (*read)(void *owner, unsigned cpu, uint32_t reg, uint64_t *value);
    bool (*write)(void *owner, unsigned cpu, uint32_t reg, uint64_t value);
    /* A line that only this CPU has: GIC's PPI 0 to 15. */
    void (*set_private)(void *owner, unsigned cpu, unsigned line, bool level);
} CpuIntc;

/* Of semihosting calls: the last error, where its file is, and how much of a write is done that is to be gone on with. */
typedef struct CpuSemihosting {
    int error;
    uint64_t position;
    size_t written;
} CpuSemihosting;

/*
 * Where in Cpu.memory the view of the secure state begins, in which devices may answer otherwise (Arm): beyond all
 * physical addresses.
 */
#define CPU_SECURE_BASE (UINT64_C(1) << 60)

struct Cpu {
    Device dev;     /* dev.class is the ISA's and is in no list */
    unsigned index; /* among all of the machine; also hartid, MPIDR affinity 0 */
    const CpuOps *ops;
    const CpuClusterSpec *spec;
    AddressSpace *memory; /* what it sees; borrowed from the machine */
    uint64_t secure_base; /* CPU_SECURE_BASE; 0: there is one view for both states */
    CpuEntry entry;
    const CpuIntc *intc; /* set by the controller when it starts; NULL: none of this kind */
    void *intc_owner;
    CpuSemihosting semihosting; /* the CPU's thread */
};

/* Makes a CPU, its dev.class and ops set; the core fills the rest. NULL: said to diag. */
typedef Cpu *(*CpuCreate)(Machine *machine, const CpuClusterSpec *spec, unsigned index, Diag *diag);

/*
 * The CPU that this thread runs, NULL on other threads: whose access a device callback answers,
 * where that matters (banked registers). The thread's first act is cpu_set_current().
 */
Cpu *cpu_current(void);
void cpu_set_current(Cpu *cpu);

#endif

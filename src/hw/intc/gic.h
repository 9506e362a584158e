/*
 * What GICv2 and GICv3 have in common: interrupts in banks of 32, and the priorities of a CPU
 * interface. With one security state and five bits of priority.
 *
 * Interrupts 0 to 15 are sent by software (SGI), 16 to 31 belong to one CPU (PPI); these 32 exist
 * for each CPU. Those from 32 on are shared (SPI).
 */
#ifndef HW_INTC_GIC_H
#define HW_INTC_GIC_H

#include "core/cpu.h"

enum {
    GIC_CPUS_MAX = 8,
    GIC_LOCAL = 32,
    GIC_SPIS = 256,
    GIC_SHARED_BANKS = GIC_SPIS / 32,
    GIC_NONE = 1023,
    GIC_IDLE_PRIORITY = 0xff,
    GIC_PRIORITY_MASK = 0xf8,
};

enum { GIC_GROUP_0 = 1, GIC_GROUP_1 = 2 };

/* In the order of the schemas' cpu-irqs. */
enum { GIC_OUT_IRQ, GIC_OUT_FIQ, GIC_OUT_VIRQ, GIC_OUT_VFIQ };

/* 32 interrupts, a bit each. */
typedef struct GicBank {
    uint32_t group, enabled, active;
    uint32_t pending; /* latched: an edge, or by software */
    uint32_t level;   /* of the line */
    uint32_t edge;    /* how it is triggered */
    uint8_t priority[32];
    uint8_t targets[32]; /* CPUs that take it; of no meaning in a CPU's own bank */
} GicBank;

/* One CPU's interface. */
typedef struct GicCpu {
    uint8_t enabled; /* GIC_GROUP_0, GIC_GROUP_1 */
    uint8_t mask;    /* only priorities below it interrupt */
    uint8_t binary_point[2];
    uint8_t group_0_is_fiq;
    uint32_t running[2]; /* by group: a bit for each of the 32 priorities being handled */
} GicCpu;

typedef struct Gic Gic;

/* Interrupts that are messages and in no bank: GICv3's LPIs. Their group is 1 and they are never active. */
typedef struct GicMessages {
    /* The pending one of the highest priority; GIC_NONE when none is enabled. */
    unsigned (*highest)(const Gic *gic, unsigned cpu, unsigned *priority);
    void (*taken)(Gic *gic, unsigned cpu, unsigned id);
} GicMessages;

struct Gic {
    Device dev; /* must be first */
    unsigned cpus;
    const GicMessages *messages; /* NULL: there are none */

    uint8_t enabled; /* by the distributor: GIC_GROUP_0, GIC_GROUP_1 */
    GicBank local[GIC_CPUS_MAX];
    GicBank shared[GIC_SHARED_BANKS];
    GicCpu cpu[GIC_CPUS_MAX];
};

/* Rows for a device's Saved table; its state must be called State with a field `gic`. */
#define GIC_SAVED(State)                                                                           \
    SAVED(State, gic.enabled), SAVED(State, gic.local), SAVED(State, gic.shared),                  \
        SAVED(State, gic.cpu)

/* The inputs `spi` and `ppi`; false, said to diag, when there are too many CPUs. */
bool gic_start(Gic *gic, Diag *diag);
void gic_reset(Gic *gic);
/* Makes it what the CPUs reach by instructions, and interrupt through by lines of their own. */
void gic_serve_cpus(Gic *gic, const CpuIntc *intc);
void gic_set_private(void *gic, unsigned cpu, unsigned ppi, bool level); /* CpuIntc.set_private */
void gic_set_input(Device *dev, unsigned index, bool level);             /* DeviceClass.set_input */

/* Drives the CPUs' lines after anything has changed. */
void gic_update_cpu(Gic *gic, unsigned cpu);
void gic_update(Gic *gic);

GicBank *gic_bank_of(Gic *gic, unsigned cpu, unsigned id);
void gic_send(Gic *gic, unsigned cpu, unsigned sgi); /* makes it pending */

/*
 * The registers that are an array over all interrupts, from 0x080 to 0xcff of the distributor, as
 * this CPU sees them; size 1, 2 or 4. False: there is none at this offset.
 */
bool gic_read_array(Gic *gic, unsigned cpu, uint32_t offset, unsigned size, uint32_t *value);
bool gic_write_array(Gic *gic, unsigned cpu, uint32_t offset, unsigned size, uint32_t value);

/* ---- the CPU interface ---- */

/* What would be acknowledged now, whatever its group: GIC_NONE when nothing is to interrupt. */
unsigned gic_highest(Gic *gic, unsigned cpu, unsigned *group);
/* Makes that one active; it must be of one of these groups, else nothing happens: GIC_NONE. */
unsigned gic_acknowledge(Gic *gic, unsigned cpu, unsigned groups);
unsigned gic_running_priority(const Gic *gic, unsigned cpu);
void gic_drop_priority(Gic *gic, unsigned cpu);
void gic_deactivate(Gic *gic, unsigned cpu, unsigned id);

#endif

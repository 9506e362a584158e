/*
 * What GICv2 and GICv3 have in common: interrupts in banks of 32, and the priorities of a CPU
 * interface. With five bits of priority, and two security states where the machine has them.
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

/*
 * Groups by number, and as sets. Of two security states group 0 and its like, GICv3's secure group 1, are the secure
 * one's; group 1 is the other's.
 */
enum { GROUP_0, GROUP_1, GROUP_1_SECURE, GIC_GROUPS };
enum { GIC_GROUP_0 = 1, GIC_GROUP_1 = 2, GIC_GROUP_1_SECURE = 4 };

/*
 * In the order of the schemas' cpu-irqs. What group 1 of a GICv3 with two states is, IRQ or FIQ, depends on the state
 * that the CPU is in (ARM IHI 0069, 4.6.2): it has lines of its own.
 */
enum {
    GIC_OUT_IRQ,
    GIC_OUT_FIQ,
    GIC_OUT_VIRQ,
    GIC_OUT_VFIQ,
    GIC_OUT_NONSECURE_1,
    GIC_OUT_SECURE_1
};

/* 32 interrupts, a bit each. */
typedef struct GicBank {
    uint32_t group,
        modifier; /* with two states: 1 of the group; else of the modifier: secure group 1 */
    uint32_t enabled, active;
    uint64_t nsacr; /* two bits each: what the non-secure state may do to one that is not its own */
    uint32_t pending; /* latched: an edge, or by software */
    uint32_t level;   /* of the line */
    uint32_t edge;    /* how it is triggered */
    uint8_t priority[32];
    uint8_t targets[32]; /* CPUs that take it; of no meaning in a CPU's own bank */
} GicBank;

/* One CPU's interface. */
typedef struct GicCpu {
    uint8_t enabled; /* a set of groups */
    uint8_t mask;    /* only priorities below it interrupt */
    uint8_t binary_point[GIC_GROUPS];
    uint8_t common_point; /* the groups that go by group 0's (CBPR) */
    uint8_t group_0_is_fiq;
    uint32_t running[GIC_GROUPS]; /* a bit for each of the 32 priorities being handled */
} GicCpu;

typedef struct Gic Gic;

/* Interrupts that are messages and in no bank: GICv3's LPIs. Their group is 1 and they are never active. */
typedef struct GicMessages {
    /* The pending one of the highest priority; GIC_NONE when none is enabled. */
    unsigned (*highest)(const Gic *gic, unsigned cpu, unsigned *priority);
    void (*taken)(Gic *gic, unsigned cpu, unsigned id);
} GicMessages;

/* The owner of a region: what the secure state or the other one has of the registers. */
typedef struct GicPort {
    Gic *gic;
    bool secure;
} GicPort;

struct Gic {
    Device dev; /* must be first */
    unsigned cpus;
    const GicMessages *messages; /* NULL: there are none */
    bool has_modifier;           /* GICv3: secure group 1 */
    GicPort ports[2];            /* by GicPort.secure */

    uint8_t has_states; /* two of them; a GICv3 may come to do without: GICD_CTLR.DS */
    uint8_t enabled;    /* by the distributor: a set of groups */
    GicBank local[GIC_CPUS_MAX];
    GicBank shared[GIC_SHARED_BANKS];
    GicCpu cpu[GIC_CPUS_MAX];
};

/* Rows for a device's Saved table; its state must be called State with a field `gic`. */
#define GIC_SAVED(State)                                                                           \
    SAVED(State, gic.has_states), SAVED(State, gic.enabled), SAVED(State, gic.local),              \
        SAVED(State, gic.shared), SAVED(State, gic.cpu)

/* The inputs `spi` and `ppi`; false, said to diag, when there are too many CPUs. */
bool gic_start(Gic *gic, Diag *diag);
/* Adds a region whose owner is a GicPort; of two states each has its own. */
void gic_add_region(
    Gic *gic, unsigned index, const char *name, uint64_t size, const RegionOps *ops);
void gic_reset(Gic *gic);
/* Where the board has one of the parts that need not be there; NULL: nowhere. */
const struct RegionSpec *gic_place(const Device *dev, const char *name);
/* Makes it what the CPUs reach by instructions, and interrupt through by lines of their own. */
void gic_serve_cpus(Gic *gic, const CpuIntc *intc);
void gic_set_private(void *gic, unsigned cpu, unsigned ppi, bool level); /* CpuIntc.set_private */
void gic_set_input(Device *dev, unsigned index, bool level);             /* DeviceClass.set_input */

/* Drives the CPUs' lines after anything has changed. */
void gic_update_cpu(Gic *gic, unsigned cpu);
void gic_update(Gic *gic);

GicBank *gic_bank_of(Gic *gic, unsigned cpu, unsigned id);
unsigned gic_group_of(const Gic *gic, const GicBank *bank, unsigned i);
/* The bits of NSACR for one of a bank; 3 where it may do all. */
unsigned gic_permission(const Gic *gic, const GicBank *bank, unsigned i);
void gic_send(Gic *gic, unsigned cpu, unsigned sgi); /* makes it pending */

/* Does it come from the secure state, or is there one state, which may do all? */
static inline bool gic_is_secure(const GicPort *port)
{
    return port->secure || !port->gic->has_states;
}

/* A priority as the non-secure state has it: the lower half is all there is (4.8.6). */
static inline uint8_t gic_priority_seen(uint8_t priority)
{
    return priority & 0x80 ? priority << 1 : 0;
}

static inline uint8_t gic_priority_meant(uint8_t seen)
{
    return (seen >> 1 | 0x80) & GIC_PRIORITY_MASK;
}

/* An access of 1, 2 or 4 bytes by a CPU. */
typedef struct GicAccess {
    const GicPort *port;
    unsigned cpu, size;
    uint32_t offset;
} GicAccess;

/*
 * The registers that are an array over all interrupts, from 0x080 to 0xeff of the distributor, as
 * this CPU sees them. False: there is none at this offset.
 */
bool gic_read_array(const GicAccess *access, uint32_t *value);
bool gic_write_array(const GicAccess *access, uint32_t value);

/* ---- the CPU interface ---- */

/* What would be acknowledged now, whatever its group: GIC_NONE when nothing is to interrupt. */
unsigned gic_highest(Gic *gic, unsigned cpu, unsigned *group);
/* Makes that one active; it must be of one of this set of groups, else nothing happens: GIC_NONE. */
unsigned gic_acknowledge(Gic *gic, unsigned cpu, unsigned groups);
/* The highest priority being handled, and of which group; -1: none is. */
unsigned gic_running_priority(const Gic *gic, unsigned cpu);
int gic_running_group(const Gic *gic, unsigned cpu);
void gic_drop_priority(Gic *gic, unsigned cpu);
void gic_deactivate(Gic *gic, unsigned cpu, unsigned id);

#endif

/*
 * The virtual CPU interface of a GIC: what a guest takes for its interrupt controller while a hypervisor runs it,
 * and how the hypervisor fills it: list registers. ARM IHI 0069, 6 and 12.4; IHI 0048B, 5.
 *
 * GICv3 reaches it by system registers (gic-v3-hyp.c), GICv2 in memory (gic-v2-hyp.c). It is kept as GICv3 has it.
 */
#ifndef HW_INTC_GIC_VIRTUAL_H
#define HW_INTC_GIC_VIRTUAL_H

#include <stdbool.h>
#include <stdint.h>

struct Gic; /* gic.h */

enum { GIC_LIST_REGISTERS = 4, GIC_MAINTENANCE_PPI = 9 };

/* ICH_HCR_EL2 */
enum {
    ICH_HCR_EN = 1 << 0,
    ICH_HCR_UIE = 1 << 1,
    ICH_HCR_LRENPIE = 1 << 2,
    ICH_HCR_NPIE = 1 << 3,
    ICH_HCR_GROUPS = 0xf << 4, /* enabled and disabled, of group 0 and group 1 */
    ICH_HCR_TRAPS = 0x1f << 10,
    ICH_HCR_EOI_SHIFT = 27,
};

/* ICH_VMCR_EL2: what the guest has written of its interface's control. */
enum {
    ICH_VMCR_ENABLE_0 = 1 << 0,
    ICH_VMCR_ENABLE_1 = 1 << 1,
    ICH_VMCR_ACK_CTL = 1 << 2, /* GICv2 */
    ICH_VMCR_FIQ_EN = 1 << 3,
    ICH_VMCR_COMMON_POINT = 1 << 4,
    ICH_VMCR_EOI_MODE = 1 << 9,
    ICH_VMCR_POINT_1_SHIFT = 18,
    ICH_VMCR_POINT_0_SHIFT = 21,
    ICH_VMCR_MASK_SHIFT = 24,
};

/* ICH_LR<n>_EL2 */
#define ICH_LR_PENDING (UINT64_C(1) << 62)
#define ICH_LR_ACTIVE (UINT64_C(1) << 63)
#define ICH_LR_STATE (UINT64_C(3) << 62)
#define ICH_LR_HW (UINT64_C(1) << 61)
#define ICH_LR_GROUP_1 (UINT64_C(1) << 60)
#define ICH_LR_EOI (UINT64_C(1) << 41) /* with no HW: maintenance when it ends */
enum { ICH_LR_PRIORITY_SHIFT = 48, ICH_LR_PHYSICAL_SHIFT = 32 };

typedef struct GicVirtual {
    uint32_t control;    /* ICH_HCR_EL2 */
    uint32_t machine;    /* ICH_VMCR_EL2 */
    uint32_t running[2]; /* ICH_AP0R0_EL2, ICH_AP1R0_EL2 */
    uint64_t list[GIC_LIST_REGISTERS];
    uint8_t maintenance; /* the line, as it was driven */
} GicVirtual;

void gic_virtual_reset(GicVirtual *v);
void gic_virtual_write_control(GicVirtual *v, uint32_t value);
void gic_virtual_write_machine(GicVirtual *v, uint32_t value);
void gic_virtual_write_list(GicVirtual *v, unsigned n, uint64_t value);

/* ICH_MISR_EL2, ICH_EISR_EL2, ICH_ELRSR_EL2. */
uint32_t gic_virtual_reasons(const GicVirtual *v);
uint32_t gic_virtual_ended(const GicVirtual *v);
uint32_t gic_virtual_empty(const GicVirtual *v);

/* Which lines are up: bit 0 virtual IRQ, bit 1 virtual FIQ. */
unsigned gic_virtual_lines(const GicVirtual *v);
/* After each change: the lines to the CPU, and its maintenance interrupt. */
void gic_virtual_update(GicVirtual *v, struct Gic *gic, unsigned cpu);

/* ---- what the guest does ---- */

/* The interrupt that it would acknowledge, and its group; GIC_NONE: none that interrupts. */
unsigned gic_virtual_highest(const GicVirtual *v, unsigned *group);
/* Makes it active, if it is of one of these groups (1 << group). *entry: which list register had it. */
unsigned gic_virtual_acknowledge(GicVirtual *v, unsigned groups, unsigned *entry);
/*
 * The end of an interrupt: the priority drops, and without EOI mode it is active no more. Gives the number of the
 * physical interrupt that ends with it; GIC_NONE: none does.
 */
unsigned gic_virtual_end(GicVirtual *v, unsigned group, unsigned id);
unsigned gic_virtual_deactivate(GicVirtual *v, unsigned id);
unsigned gic_virtual_running_priority(const GicVirtual *v);
unsigned gic_virtual_point(const GicVirtual *v, unsigned group); /* of groups of priorities */
void gic_virtual_set_point(GicVirtual *v, unsigned group, unsigned value);

#endif

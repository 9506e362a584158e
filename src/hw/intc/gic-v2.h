/* GICv2: what its distributor and CPU interfaces, and its virtual interface, share. */
#ifndef HW_INTC_GIC_V2_H
#define HW_INTC_GIC_V2_H

#include "hw/intc/gic-virtual.h"
#include "hw/intc/gic.h"

enum { SGIS = 16, GIC_GROUP_1_PENDING = 1022 };

typedef struct GicV2 {
    Gic gic;

    uint32_t control[GIC_CPUS_MAX];      /* GICC_CTLR, as the secure state has it */
    uint8_t senders[GIC_CPUS_MAX][SGIS]; /* CPUs whose SGI waits; pending while not 0 */
    GicVirtual virt[GIC_CPUS_MAX];
} GicV2;

/* Whose registers are meant: those of the CPU that asks. */
unsigned gic_v2_this_cpu(void);

/* ---- the virtual interface (gic-v2-hyp.c) ---- */

/* GICH and GICV, if the board gives them a place. */
void gic_v2_add_virtual(GicV2 *g);
/* Drives each CPU's virtual lines and that of maintenance after anything has changed. */
void gic_v2_update_virtual(GicV2 *g);

#endif

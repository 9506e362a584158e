/* GICv3: what its distributor and its CPU interface share. */
#ifndef HW_INTC_GIC_V3_H
#define HW_INTC_GIC_V3_H

#include "hw/intc/gic.h"

typedef struct GicV3 {
    Gic gic;

    uint64_t route[GIC_SPIS];
    uint8_t asleep[GIC_CPUS_MAX];
    uint32_t control[GIC_CPUS_MAX]; /* ICC_CTLR: what can be written */
} GicV3;

/* The owner is the GicV3. */
extern const CpuIntc gic_v3_intc;

#endif

/* GICv3: what its distributor, CPU interface, message interrupts and translation service share. */
#ifndef HW_INTC_GIC_V3_H
#define HW_INTC_GIC_V3_H

#include "hw/intc/gic-virtual.h"
#include "hw/intc/gic.h"

/* Messages have 16-bit numbers here, from 8192 on. */
enum { LPI_ID_BITS = 16, LPI_FIRST = 8192, LPIS = (1 << LPI_ID_BITS) - LPI_FIRST };

/* What a redistributor knows of its CPU's messages. */
typedef struct LpiCpu {
    uint8_t enabled;            /* GICR_CTLR.EnableLPIs */
    uint64_t properties, table; /* GICR_PROPBASER, GICR_PENDBASER */
    uint32_t pending[LPIS / 32];
    uint32_t pending_count;
} LpiCpu;

enum { ITS_TABLES = 2 };

typedef struct Its {
    uint8_t enabled;
    uint64_t commands, read, write; /* GITS_CBASER, GITS_CREADR, GITS_CWRITER */
    uint64_t table[ITS_TABLES];     /* GITS_BASER: devices, collections */
} Its;

/* A system register as it is accessed: what the CPU is in. */
typedef struct IccAccess {
    bool secure_bank; /* which copy is meant: SCR_EL3.NS is 0 */
    bool monitor;     /* at EL3 */
    bool shifted;     /* priorities are the non-secure state's */
} IccAccess;

typedef struct GicV3 {
    Gic gic;

    uint64_t route[GIC_SPIS];
    uint8_t asleep[GIC_CPUS_MAX];
    uint32_t control[GIC_CPUS_MAX]
                    [3]; /* ICC_CTLR_EL1 of each state, and EL3's: what can be written */
    IccAccess access;    /* under way; not saved */
    LpiCpu lpi[GIC_CPUS_MAX];
    Its its;
    GicVirtual virt[GIC_CPUS_MAX];
} GicV3;

/* The owner is the GicV3. */
extern const CpuIntc gic_v3_intc;

/* A write of 4 or 8 bytes to a register of 8. */
void gic_v3_write_half(uint64_t *word, uint32_t offset, unsigned size, uint64_t value);

/* ---- system registers: ICC (gic-v3-cpu.c), ICV and ICH (gic-v3-hyp.c) ---- */

/* `group`, or whatever `which` means to it, is the row's; both functions NULL: the table ends. */
typedef struct IccRegister {
    uint16_t number;
    uint8_t which;
    uint64_t (*read)(GicV3 *g, unsigned cpu, unsigned which);
    void (*write)(GicV3 *g, unsigned cpu, unsigned which, uint64_t value);
} IccRegister;

#define GIC_REG(op0, op1, crn, crm, op2)                                                           \
    ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

extern const IccRegister icv_registers[], ich_registers[];

/* Drives the virtual lines and that of maintenance after anything has changed. */
void gic_v3_update_virtual(GicV3 *g, unsigned cpu);

/* ---- messages (gic-v3-lpi.c) ---- */

extern const GicMessages gic_v3_messages;

bool lpi_exist(const GicV3 *g); /* with the translation service, which alone sends them */
void lpi_reset(GicV3 *g);
/* The registers of a redistributor's control frame that are about messages; false: another one. */
bool lpi_read(const GicV3 *g, unsigned cpu, uint32_t offset, uint64_t *value);
bool lpi_write(GicV3 *g, unsigned cpu, uint32_t offset, unsigned size, uint64_t value);
/* Makes it pending, or no more; a number that is none is left out. */
void lpi_set(GicV3 *g, unsigned cpu, uint32_t id, bool pending);
bool lpi_is_pending(const GicV3 *g, unsigned cpu, uint32_t id);
void lpi_move_all(GicV3 *g, unsigned from, unsigned to);

/* ---- the interrupt translation service (gic-v3-its.c) ---- */

enum { ITS_SIZE = 0x20000 };

extern const RegionOps its_ops; /* the owner is the GicV3 */

void its_reset(GicV3 *g);
void its_loaded(GicV3 *g);

#endif

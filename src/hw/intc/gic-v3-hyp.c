/* GICv3's virtual interface as system registers: ICV for the guest, ICH for the hypervisor (ARM IHI 0069, 12.3, 12.4). */
#include "hw/intc/gic-v3.h"

/* ---- after each change ------------------------------------------------------------------------ */

void gic_v3_update_virtual(GicV3 *g, unsigned cpu)
{
    gic_virtual_update(&g->virt[cpu], &g->gic, cpu);
}

/* A physical interrupt that the guest has ended with its own. */
static void end_physical(GicV3 *g, unsigned cpu, unsigned id)
{
    if (id < GIC_LOCAL + GIC_SPIS) {
        gic_deactivate(&g->gic, cpu, id);
    }
}

/* ---- the guest's (ICV) ------------------------------------------------------------------------ */

static uint64_t v_iar_read(GicV3 *g, unsigned cpu, unsigned group)
{
    unsigned entry;

    return gic_virtual_acknowledge(&g->virt[cpu], 1 << group, &entry);
}

static uint64_t v_hppir_read(GicV3 *g, unsigned cpu, unsigned group)
{
    unsigned of, id = gic_virtual_highest(&g->virt[cpu], &of);

    return of == group ? id : GIC_NONE;
}

static void v_eoir_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t id)
{
    end_physical(g, cpu, gic_virtual_end(&g->virt[cpu], group, id & 0xffffff));
}

static void v_dir_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t id)
{
    end_physical(g, cpu, gic_virtual_deactivate(&g->virt[cpu], id & 0xffffff));
}

static uint64_t v_rpr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return gic_virtual_running_priority(&g->virt[cpu]);
}

static uint64_t v_pmr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return g->virt[cpu].machine >> ICH_VMCR_MASK_SHIFT;
}

static void v_pmr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    uint32_t rest = g->virt[cpu].machine & ((1u << ICH_VMCR_MASK_SHIFT) - 1);

    g->virt[cpu].machine = rest | (uint32_t)(value & GIC_PRIORITY_MASK) << ICH_VMCR_MASK_SHIFT;
}

static uint64_t v_bpr_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return gic_virtual_point(&g->virt[cpu], group);
}

/* Group 1's is not its own with CBPR, and a write to it then is ignored. */
static void v_bpr_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    if (!(group && g->virt[cpu].machine & ICH_VMCR_COMMON_POINT)) {
        gic_virtual_set_point(&g->virt[cpu], group, value & 7);
    }
}

static uint64_t v_apr_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return g->virt[cpu].running[group];
}

static void v_apr_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    g->virt[cpu].running[group] = (uint32_t)value;
}

static uint64_t v_enable_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return g->virt[cpu].machine >> group & 1;
}

static void v_enable_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    uint32_t bit = 1u << group;

    g->virt[cpu].machine = (g->virt[cpu].machine & ~bit) | (value & 1 ? bit : 0);
}

/* Five bits of priority, 16 of numbers (IDbits 0), CBPR and EOImode. */
static uint64_t v_ctlr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    uint32_t machine = g->virt[cpu].machine;

    return 4 << 8 | (machine & ICH_VMCR_COMMON_POINT ? 1 : 0) |
        (machine & ICH_VMCR_EOI_MODE ? 2 : 0);
}

static void v_ctlr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    uint32_t rest = g->virt[cpu].machine & ~(uint32_t)(ICH_VMCR_COMMON_POINT | ICH_VMCR_EOI_MODE);

    g->virt[cpu].machine = rest | (value & 1 ? ICH_VMCR_COMMON_POINT : 0) |
        (value & 2 ? ICH_VMCR_EOI_MODE : 0);
}

/* ---- the hypervisor's (ICH) ------------------------------------------------------------------- */

static uint64_t hcr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return g->virt[cpu].control;
}

static void hcr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    gic_virtual_write_control(&g->virt[cpu], (uint32_t)value);
}

/* PRIbits and PREbits 5, IDbits 16, A3V, nV4; no SEIs; ICH_HCR_EL2.TDIR. */
static uint64_t vtr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return UINT64_C(4) << 29 | 4 << 26 | 1 << 21 | 1 << 20 | 1 << 19 | (GIC_LIST_REGISTERS - 1);
}

static uint64_t misr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return gic_virtual_reasons(&g->virt[cpu]);
}

static uint64_t eisr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return gic_virtual_ended(&g->virt[cpu]);
}

static uint64_t elrsr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return gic_virtual_empty(&g->virt[cpu]);
}

/* FIQEn is one: with system registers group 0 is FIQ. */
static uint64_t vmcr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return g->virt[cpu].machine;
}

static void vmcr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    gic_virtual_write_machine(&g->virt[cpu], (uint32_t)value | ICH_VMCR_FIQ_EN);
    g->virt[cpu].machine &= ~(uint32_t)ICH_VMCR_ACK_CTL;
}

static uint64_t list_read(GicV3 *g, unsigned cpu, unsigned n)
{
    return g->virt[cpu].list[n];
}

static void list_write(GicV3 *g, unsigned cpu, unsigned n, uint64_t value)
{
    gic_virtual_write_list(&g->virt[cpu], n, value);
}

/* ---- the tables ------------------------------------------------------------------------------- */

#define REG GIC_REG

/* clang-format off */
const IccRegister icv_registers[] = {
    { REG(3, 0, 4, 6, 0), 0, v_pmr_read, v_pmr_write },
    { REG(3, 0, 12, 8, 0), GROUP_0, v_iar_read, NULL },
    { REG(3, 0, 12, 8, 1), GROUP_0, NULL, v_eoir_write },
    { REG(3, 0, 12, 8, 2), GROUP_0, v_hppir_read, NULL },
    { REG(3, 0, 12, 8, 3), GROUP_0, v_bpr_read, v_bpr_write },
    { REG(3, 0, 12, 8, 4), GROUP_0, v_apr_read, v_apr_write },
    { REG(3, 0, 12, 9, 0), GROUP_1, v_apr_read, v_apr_write },
    { REG(3, 0, 12, 11, 1), 0, NULL, v_dir_write },
    { REG(3, 0, 12, 11, 3), 0, v_rpr_read, NULL },
    { REG(3, 0, 12, 12, 0), GROUP_1, v_iar_read, NULL },
    { REG(3, 0, 12, 12, 1), GROUP_1, NULL, v_eoir_write },
    { REG(3, 0, 12, 12, 2), GROUP_1, v_hppir_read, NULL },
    { REG(3, 0, 12, 12, 3), GROUP_1, v_bpr_read, v_bpr_write },
    { REG(3, 0, 12, 12, 4), 0, v_ctlr_read, v_ctlr_write },
    { REG(3, 0, 12, 12, 6), GROUP_0, v_enable_read, v_enable_write },
    { REG(3, 0, 12, 12, 7), GROUP_1, v_enable_read, v_enable_write },
    {},
};

const IccRegister ich_registers[] = {
    { REG(3, 4, 12, 8, 0), GROUP_0, v_apr_read, v_apr_write },  /* ICH_AP0R0_EL2 */
    { REG(3, 4, 12, 9, 0), GROUP_1, v_apr_read, v_apr_write },  /* ICH_AP1R0_EL2 */
    { REG(3, 4, 12, 11, 0), 0, hcr_read, hcr_write },           /* ICH_HCR_EL2 */
    { REG(3, 4, 12, 11, 1), 0, vtr_read, NULL },                /* ICH_VTR_EL2 */
    { REG(3, 4, 12, 11, 2), 0, misr_read, NULL },               /* ICH_MISR_EL2 */
    { REG(3, 4, 12, 11, 3), 0, eisr_read, NULL },               /* ICH_EISR_EL2 */
    { REG(3, 4, 12, 11, 5), 0, elrsr_read, NULL },              /* ICH_ELRSR_EL2 */
    { REG(3, 4, 12, 11, 7), 0, vmcr_read, vmcr_write },         /* ICH_VMCR_EL2 */
    { REG(3, 4, 12, 12, 0), 0, list_read, list_write },         /* ICH_LR<n>_EL2 */
    { REG(3, 4, 12, 12, 1), 1, list_read, list_write },
    { REG(3, 4, 12, 12, 2), 2, list_read, list_write },
    { REG(3, 4, 12, 12, 3), 3, list_read, list_write },
    {},
};
/* clang-format on */

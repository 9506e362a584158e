/* Machine -> device tree: from the devices that exist, their schemas' parts and their own words. */
#include "core/fdt.h"

#include <string.h>

#include "core/build-impl.h"
#include "core/device-impl.h"

/* ---- what schemas and boards write by hand ---- */

static FdtNode *node_of_reference(Fdt *fdt, const Machine *machine, const char *id, FdtNode *self)
{
    if (strcmp(id, "self") == 0) {
        return self;
    }
    for (unsigned i = 0; i < machine->spec->clock_count; i++) {
        if (strcmp(machine->spec->clocks[i].id, id) == 0) {
            return fdt_node_for(fdt, &machine->spec->clocks[i]);
        }
    }
    return fdt_node_for(fdt, machine_find_device(machine, id));
}

static void put_prop(const Machine *machine, FdtNode *node, const FdtPropSpec *prop, FdtNode *self)
{
    fdt_put_flag(node, prop->name);
    for (unsigned i = 0; i < prop->item_count; i++) {
        const FdtItem *item = &prop->items[i];
        FdtNode *target;

        switch (item->kind) {
        case FDT_CELL: fdt_add_cell(node, prop->name, item->cell); break;
        case FDT_STRING: fdt_add_string(node, prop->name, item->text); break;
        case FDT_REFERENCE:
            target = node_of_reference(fdt_tree(node), machine, item->text, self);
            fdt_add_cell(node, prop->name, target ? fdt_handle(target) : 0);
            break;
        }
    }
}

/* Puts the properties and nodes of a spec into node; `self` is what &self means there. */
static void merge(const Machine *machine, FdtNode *node, const FdtNodeSpec *spec, FdtNode *self)
{
    for (unsigned i = 0; i < spec->prop_count; i++) {
        put_prop(machine, node, &spec->props[i], self);
    }
    for (unsigned i = 0; i < spec->node_count; i++) {
        merge(machine, fdt_child(node, "%s", spec->nodes[i].name), &spec->nodes[i], self);
    }
}

/* ---- CPUs, memory, clocks ---- */

static void add_cpu(FdtNode *cpus, const Cpu *cpu)
{
    FdtNode *node = fdt_child(cpus, "cpu@%x", cpu->index);
    FdtNode *controller = NULL;

    fdt_put_string(node, "device_type", "cpu");
    fdt_put_u32(node, "reg", cpu->index);
    fdt_put_string(node, "status", "okay");
    fdt_bind(node, cpu);
    if (cpu->dev.class->describe) {
        cpu->dev.class->describe(&cpu->dev, node);
    }
    if (cpu->ops->interrupt_controller) {
        controller = cpu->ops->interrupt_controller(cpu, node);
    }
    if (controller) {
        fdt_put_u32(controller, "#address-cells", 0);
        fdt_bind(controller, cpu->dev.parts);
    }
}

static void add_cpus(Fdt *fdt, const Machine *machine)
{
    FdtNode *cpus = fdt_child(fdt_root(fdt), "cpus");
    const MachineSpec *spec = machine->spec;

    fdt_put_u32(cpus, "#address-cells", 1);
    fdt_put_u32(cpus, "#size-cells", 0);
    if (spec->cluster_count > 0 && spec->clusters[0].timebase_hz) {
        fdt_put_u32(cpus, "timebase-frequency", spec->clusters[0].timebase_hz);
    }
    for (unsigned i = 0; i < machine->cpus->len; i++) {
        add_cpu(cpus, machine->cpus->pdata[i]);
    }
}

static void add_cpu_map(Fdt *fdt, const Machine *machine)
{
    FdtNode *cluster = fdt_child(fdt_find(fdt, "/cpus"), "cpu-map");

    cluster = fdt_child(cluster, "cluster0");
    for (unsigned i = 0; i < machine->cpus->len; i++) {
        FdtNode *core = fdt_child(cluster, "core%u", i);

        fdt_put_u32(core, "cpu", fdt_handle(fdt_node_for(fdt, machine->cpus->pdata[i])));
    }
}

/* Linux, Documentation/devicetree/bindings/arm/psci.yaml */
static void add_psci(FdtNode *root, const MachineSpec *spec)
{
    static const char *const compatible[] = { "arm,psci-1.0", "arm,psci-0.2", NULL };
    const char *conduit = spec->cluster_count ? spec->clusters[0].psci_conduit : NULL;
    FdtNode *node;

    if (conduit) {
        node = fdt_child(root, "psci");
        fdt_put_strings(node, "compatible", compatible);
        fdt_put_string(node, "method", conduit);
    }
}

/* Linux's arm/secure.txt binding: not for the non-secure state. */
static void put_secure(FdtNode *node)
{
    fdt_put_string(node, "status", "disabled");
    fdt_put_string(node, "secure-status", "okay");
}

static void add_memory(FdtNode *root, const MachineSpec *spec)
{
    for (unsigned i = 0; i < spec->memory_count; i++) {
        const MemorySpec *memory = &spec->memory[i];
        FdtNode *node;

        if (memory->kind != MEMORY_RAM) {
            continue;
        }
        node = fdt_child(root, "memory@%" G_GINT64_MODIFIER "x", memory->at);
        fdt_put_string(node, "device_type", "memory");
        fdt_put_flag(node, "reg");
        fdt_add_cell64(node, "reg", memory->at);
        fdt_add_cell64(node, "reg", memory->size);
        if (memory->secure) {
            put_secure(node);
        }
    }
}

static bool in_tree(const MachineSpec *spec, const ClockSpec *clock)
{
    for (unsigned i = 0; i < spec->device_count; i++) {
        const DeviceSpec *dev = &spec->devices[i];

        for (unsigned k = 0; dev->type->fdt_clocks && k < dev->clock_count; k++) {
            if (strcmp(dev->clocks[k].clock, clock->id) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Those that some device's node points at. */
static void add_clocks(FdtNode *root, const MachineSpec *spec)
{
    for (unsigned i = 0; i < spec->clock_count; i++) {
        const ClockSpec *clock = &spec->clocks[i];
        FdtNode *node;

        if (!in_tree(spec, clock)) {
            continue;
        }
        node = fdt_child(root, "clock-%s", clock->id);
        fdt_put_string(node, "compatible", "fixed-clock");
        fdt_put_u32(node, "#clock-cells", 0);
        fdt_put_u32(node, "clock-frequency", clock->rate_hz);
        fdt_put_string(node, "clock-output-names", clock->id);
        fdt_bind(node, clock);
    }
}

/* ---- devices ---- */

/* Linux dt-bindings/interrupt-controller/irq.h */
static uint32_t trigger_flags(Trigger trigger)
{
    static const uint8_t flags[] = {
        [TRIGGER_EDGE_RISING] = 1,
        [TRIGGER_EDGE_FALLING] = 2,
        [TRIGGER_LEVEL_HIGH] = 4,
        [TRIGGER_LEVEL_LOW] = 8,
    };

    return flags[trigger];
}

/* An interrupt specifier: <line>, <line flags>, or the GIC's <kind line flags>. */
static void add_specifier(FdtNode *node, const char *name, const IrqSpec *irq, unsigned cells)
{
    if (cells == 3) {
        fdt_add_cell(node, name, strcmp(irq->group, "ppi") == 0 ? 1 : 0);
    }
    fdt_add_cell(node, name, irq->line);
    if (cells > 1) {
        fdt_add_cell(node, name, trigger_flags(irq->trigger));
    }
}

/* `interrupts` where one controller takes them all, else `interrupts-extended`. */
static void put_interrupts(FdtNode *node, const Device *dev)
{
    const DeviceSpec *spec = dev->spec;
    bool one = true;

    for (unsigned i = 1; i < spec->irq_count; i++) {
        one &= strcmp(spec->irqs[i].controller, spec->irqs[0].controller) == 0;
    }
    for (unsigned i = 0; i < spec->irq_count; i++) {
        const IrqSpec *irq = &spec->irqs[i];
        const Device *controller = machine_find_device(dev->machine, irq->controller);
        FdtNode *parent = fdt_node_for(fdt_tree(node), controller);

        if (!parent) {
            continue;
        }
        if (one) {
            fdt_put_u32(node, "interrupt-parent", fdt_handle(parent));
        } else {
            fdt_add_cell(node, "interrupts-extended", fdt_handle(parent));
        }
        add_specifier(node, one ? "interrupts" : "interrupts-extended", irq,
            controller->spec->type->fdt_interrupt_cells);
    }
}

/* What the device drives on each CPU, for ISAs whose CPUs have a controller of their own. */
static void put_cpu_interrupts(FdtNode *node, const Device *dev)
{
    const DeviceType *type = dev->spec->type;

    for (unsigned i = 0; i < dev->machine->cpus->len; i++) {
        const Cpu *cpu = dev->machine->cpus->pdata[i];
        FdtNode *controller = fdt_node_for(fdt_tree(node), cpu->dev.parts);

        for (unsigned k = 0; controller && k < type->cpu_output_count; k++) {
            fdt_add_cell(node, "interrupts-extended", fdt_handle(controller));
            fdt_add_cell(node, "interrupts-extended", type->cpu_outputs[k].input);
        }
    }
}

static void put_clocks(FdtNode *node, const Device *dev)
{
    for (unsigned i = 0; dev->spec->type->fdt_clocks && i < dev->spec->clock_count; i++) {
        const ClockUse *use = &dev->spec->clocks[i];
        FdtNode *clock = node_of_reference(fdt_tree(node), dev->machine, use->clock, NULL);

        if (clock) {
            fdt_add_cell(node, "clocks", fdt_handle(clock));
            fdt_add_string(node, "clock-names", use->name);
        }
    }
}

/* The region's size where the board leaves it to the device. */
static uint64_t region_span(const Device *dev, const RegionSpec *spec)
{
    for (unsigned i = 0; spec->size == 0 && i < dev->parts->regions->len; i++) {
        const Region *region = device_region(dev, i);

        if (region && strcmp(region_name(region), spec->name) == 0) {
            return region_size(region);
        }
    }
    return spec->size;
}

static void put_reg(FdtNode *node, const Device *dev)
{
    for (unsigned i = 0; i < dev->spec->region_count; i++) {
        fdt_add_cell64(node, "reg", dev->spec->regions[i].at);
        fdt_add_cell64(node, "reg", region_span(dev, &dev->spec->regions[i]));
    }
}

static void put_compatible(FdtNode *node, const DeviceType *type)
{
    for (unsigned i = 0; i < type->fdt_compatible_count; i++) {
        fdt_add_string(node, "compatible", type->fdt_compatible[i]);
    }
}

static void put_controller(FdtNode *node, const DeviceType *type)
{
    if (type->interrupt_controller) {
        fdt_put_flag(node, "interrupt-controller");
        fdt_put_u32(node, "#interrupt-cells", type->fdt_interrupt_cells);
        fdt_put_u32(node, "#address-cells", 0);
    }
}

static void make_node(FdtNode *soc, Device *dev)
{
    const DeviceSpec *spec = dev->spec;
    FdtNode *node;

    if (!spec->type->fdt_node) {
        return;
    }
    if (spec->region_count > 0) {
        node = fdt_child(
            soc, "%s@%" G_GINT64_MODIFIER "x", spec->type->fdt_node, spec->regions[0].at);
    } else {
        node = fdt_child(fdt_root(fdt_tree(soc)), "%s", spec->type->fdt_node);
    }
    fdt_bind(node, dev);
}

static void fill_node(Fdt *fdt, Device *dev)
{
    FdtNode *node = fdt_node_for(fdt, dev);
    const DeviceType *type = dev->spec->type;

    if (!node) {
        return;
    }
    put_compatible(node, type);
    put_reg(node, dev);
    put_controller(node, type);
    put_interrupts(node, dev);
    put_cpu_interrupts(node, dev);
    put_clocks(node, dev);
    if (dev->spec->secure) {
        put_secure(node);
    }
    merge(dev->machine, node, &dev->spec->fdt, node);
    for (unsigned i = 0; i < type->fdt_root_count; i++) {
        const FdtNodeSpec *root = &type->fdt_roots[i];

        merge(dev->machine, fdt_child(fdt_root(fdt), "%s", root->name), root, node);
    }
    if (dev->class->describe) {
        dev->class->describe(dev, node);
    }
}

static void add_devices(Fdt *fdt, const Machine *machine)
{
    FdtNode *soc = fdt_child(fdt_root(fdt), "soc");

    fdt_put_string(soc, "compatible", "simple-bus");
    fdt_put_u32(soc, "#address-cells", 2);
    fdt_put_u32(soc, "#size-cells", 2);
    fdt_put_flag(soc, "ranges");
    for (unsigned i = 0; i < machine->devices->len; i++) {
        make_node(soc, machine->devices->pdata[i]);
    }
    for (unsigned i = 0; i < machine->devices->len; i++) {
        fill_node(fdt, machine->devices->pdata[i]);
    }
}

/* ---- the board's names ---- */

static void put_path(FdtNode *node, const char *name, const Machine *machine, const char *device)
{
    FdtNode *target = fdt_node_for(fdt_tree(node), machine_find_device(machine, device));

    if (target) {
        g_autofree char *path = fdt_path(target);

        fdt_put_string(node, name, path);
    }
}

static const char *alias_target(const FdtSpec *spec, const char *name)
{
    for (unsigned i = 0; i < spec->alias_count; i++) {
        if (strcmp(spec->aliases[i].name, name) == 0) {
            return spec->aliases[i].value;
        }
    }
    return name;
}

static void add_names(Fdt *fdt, const Machine *machine)
{
    const FdtSpec *spec = &machine->spec->fdt;
    FdtNode *chosen = fdt_child(fdt_root(fdt), "chosen");

    for (unsigned i = 0; i < spec->alias_count; i++) {
        put_path(fdt_child(fdt_root(fdt), "aliases"), spec->aliases[i].name, machine,
            spec->aliases[i].value);
    }
    if (spec->stdout_path) {
        put_path(chosen, "stdout-path", machine, alias_target(spec, spec->stdout_path));
    }
    if (machine->spec->boot.cmdline.text) {
        fdt_put_string(chosen, "bootargs", machine->spec->boot.cmdline.text);
    }
}

static void put_root(Fdt *fdt, const FdtSpec *spec)
{
    FdtNode *root = fdt_root(fdt);

    fdt_put_u32(root, "#address-cells", 2);
    fdt_put_u32(root, "#size-cells", 2);
    for (unsigned i = 0; i < spec->compatible_count; i++) {
        fdt_add_string(root, "compatible", spec->compatible[i]);
    }
    if (spec->model) {
        fdt_put_string(root, "model", spec->model);
    }
}

Fdt *fdt_of_machine(Machine *machine)
{
    g_autoptr(Fdt) fdt = fdt_new();
    const MachineSpec *spec = machine->spec;

    put_root(fdt, &spec->fdt);
    add_memory(fdt_root(fdt), spec);
    add_cpus(fdt, machine);
    add_cpu_map(fdt, machine);
    add_psci(fdt_root(fdt), spec);
    add_clocks(fdt_root(fdt), spec);
    add_devices(fdt, machine);
    add_names(fdt, machine);
    merge(machine, fdt_root(fdt), &spec->fdt.extra, NULL);
    return g_steal_pointer(&fdt);
}

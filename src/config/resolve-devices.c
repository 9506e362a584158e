/* Devices: regions, interrupts, clocks and properties, and the slots they are plugged into. */
#include <string.h>

#include "config/resolve-impl.h"
#include "config/validate.h"

/* One device being resolved; a `count` makes several of one node. */
typedef struct Making {
    Resolver *r;
    const TypeInfo *info;
    const Node *node;
    Mark at;
    unsigned index, count; /* which of how many */
    DeviceSpec spec;
} Making;

/* Keys of a device that say where and to what; the others are properties. */
static const char *const placing_keys[] = {
    "type",
    "at",
    "irq",
    "clock",
    "count",
    "slot",
    "interrupt-parent",
    NULL,
};

static unsigned entries_in(const Node *node)
{
    return node && node->kind == NODE_MAP && !node->bad ? node->map.count : 0;
}

/* ---- properties ---- */

static void fill_value(Resolver *r, PropSpec *prop, const Node *node, UnitKind unit)
{
    switch ((NodeKind)node->kind) {
    case NODE_BOOL:
        prop->kind = VALUE_BOOL;
        prop->number = node_is_true(node);
        break;
    case NODE_STRING:
        prop->kind = unit ? VALUE_NUMBER : VALUE_STRING;
        prop->text = node_text(node);
        prop->number = unit ? resolve_quantity(node, unit) : 0;
        break;
    default:
        prop->kind = VALUE_NUMBER;
        prop->number = node->negative ? -node_uint(node) : node_uint(node);
    }
}

static void fill_list(Resolver *r, PropSpec *prop, const Node *list, UnitKind unit)
{
    unsigned count = list->list.count;
    uint64_t *numbers = arena_alloc(r->arena, count * sizeof(*numbers));
    const char **strings = arena_alloc(r->arena, count * sizeof(*strings));
    bool texts = count && list->list.items[0]->kind == NODE_STRING && !unit;

    for (unsigned i = 0; i < count; i++) {
        PropSpec item = { 0 };

        fill_value(r, &item, list->list.items[i], unit);
        numbers[i] = item.number;
        strings[i] = item.text ? item.text : "";
    }
    prop->kind = texts ? VALUE_STRINGS : VALUE_NUMBERS;
    prop->count = count;
    prop->numbers = texts ? NULL : numbers;
    prop->strings = texts ? strings : NULL;
}

static void fill_props(Making *m)
{
    Resolver *r = m->r;
    PropSpec *props = arena_alloc(r->arena, entries_in(m->node) * sizeof(*props));
    unsigned count = 0;

    for (unsigned i = 0; i < entries_in(m->node); i++) {
        const Entry *entry = &m->node->map.entries[i];
        const Schema *schema = schema_property(m->info->schema, entry->key);
        const Node *value = entry->value;
        PropSpec prop = { .name = entry->key, .mark = value->mark };

        if (g_strv_contains(placing_keys, entry->key) || value->bad || value->kind == NODE_MAP) {
            continue;
        }
        prop.hidden = schema_is_hidden(schema);
        prop.is_default = g_strcmp0(value->layer, "default") == 0;
        if (prop.is_default) {
            prop.mark = m->at;
        }
        if (value->kind == NODE_LIST) {
            fill_list(r, &prop, value,
                value->list.count ? schema_unit(schema ? schema->items : NULL) : 0);
        } else {
            fill_value(r, &prop, value, schema_unit(schema));
        }
        props[count++] = prop;
    }
    m->spec.props = props;
    m->spec.prop_count = count;
}

/* ---- regions ---- */

/* "4KiB", or { property: size }; `per: cpus` makes room for that many CPUs. */
static uint64_t region_size(const Making *m, const Node *region)
{
    const Node *size = node_get(region, "size");
    const char *property = node_text(node_get(size, "property"));
    const PropSpec *prop = property ? device_spec_prop(&m->spec, property) : NULL;
    uint64_t bytes = property ? (prop ? prop->number : 0) : resolve_quantity(size, UNIT_BYTES);

    return node_get(region, "per") ? bytes * m->r->cpu_count : bytes;
}

/* `at: ADDRESS`, `at: { NAME: ADDRESS }`, or `at: { first: ADDRESS, stride: N }`. NULL: not there.
 */
static const Node *region_at(const Making *m, const char *name, uint64_t *at)
{
    const Node *node = node_good(m->node, "at"), *found = node;
    const Node *first = node_good(node, "first"), *stride = node_good(node, "stride");

    if (first) {
        *at = node_uint(first) + m->index * node_uint(stride);
        return first;
    }
    if (node && node->kind == NODE_MAP) {
        found = node_good(node, name);
    }
    *at = node_uint(found);
    return found;
}

static void fill_regions(Making *m)
{
    const Node *regions = node_get(m->info->facts, "regions");
    RegionSpec *out = arena_alloc(m->r->arena, entries_in(regions) * sizeof(*out));
    unsigned count = 0;

    for (unsigned i = 0; i < entries_in(regions); i++) {
        const Entry *entry = &regions->map.entries[i];
        RegionSpec region = { .name = entry->key };
        const Node *at = region_at(m, entry->key, &region.at);

        if (at) {
            region.mark = at->mark;
            region.size = region_size(m, entry->value);
            out[count++] = region;
        }
    }
    m->spec.regions = out;
    m->spec.region_count = count;
}

/* ---- interrupts ---- */

/* "plic/line.10": the parts are written into the irq; false: it has no such form. */
static bool parse_line(Resolver *r, const char *text, IrqSpec *irq)
{
    const char *slash = strrchr(text, '/'), *group = slash ? slash + 1 : text;
    const char *dot = strrchr(group, '.');
    guint64 line;

    if (!dot || !g_ascii_string_to_unsigned(dot + 1, 10, 0, G_MAXUINT16, &line, NULL)) {
        return false;
    }
    irq->controller = slash ? arena_text(r->arena, text, slash - text) : NULL;
    irq->group = arena_text(r->arena, group, dot - group);
    irq->line = line;
    return true;
}

static const Node *declared_device(const Resolver *r, const char *id)
{
    return node_get(node_get(r->in->board, "devices"), id);
}

/* The controller of a line written without one: of the device, or of the board. */
static const Node *interrupt_parent(const Making *m)
{
    const Node *own = node_good(m->node, "interrupt-parent");

    return own ? own : node_good(m->r->in->board, "interrupt-parent");
}

static bool check_line(Resolver *r, const TypeInfo *controller, const IrqSpec *irq)
{
    const Node *groups = node_get(controller->facts, "lines"),
               *group = node_get(groups, irq->group);
    unsigned first = node_uint(node_get(group, "first")),
             count = node_uint(node_get(group, "count"));

    if (!group) {
        diag_error(r->diag, DIAG_UNKNOWN_LINE, irq->mark, "`%s` has no lines called `%s`",
            irq->controller, irq->group);
        resolve_suggest(r, irq->group, groups);
        return false;
    }
    if (irq->line < first || irq->line - first >= count) {
        diag_error(r->diag, DIAG_UNKNOWN_LINE, irq->mark, "`%s` has no line `%s.%u`",
            irq->controller, irq->group, irq->line);
        diag_hint(
            r->diag, "it has %s.%u to %s.%u", irq->group, first, irq->group, first + count - 1);
        return false;
    }
    return true;
}

static bool find_controller(Making *m, IrqSpec *irq)
{
    Resolver *r = m->r;
    const Node *parent = interrupt_parent(m), *device;
    const TypeInfo *info;

    if (!irq->controller && !node_text(parent)) {
        diag_error(r->diag, DIAG_LOOSE_LINE, irq->mark, "this line belongs to no controller");
        diag_hint(r->diag, "say which: controller/%s.%u, or set the board's interrupt-parent",
            irq->group, irq->line);
        return false;
    }
    irq->controller = irq->controller ? irq->controller : node_text(parent);
    device = declared_device(r, irq->controller);
    if (!device) {
        diag_error(
            r->diag, DIAG_UNKNOWN_REFERENCE, irq->mark, "there is no device `%s`", irq->controller);
        resolve_suggest(r, irq->controller, node_get(r->in->board, "devices"));
        return false;
    }
    info = device->bad ? NULL : resolve_type(r, node_good(device, "type"));
    if (info && !info->type.interrupt_controller) {
        return diag_error(r->diag, DIAG_UNKNOWN_LINE, irq->mark, "`%s` is no interrupt controller",
            irq->controller);
    }
    return info && check_line(r, info, irq);
}

/* Fills one line; false after reporting, or when the text was refused before. */
static bool make_irq(Making *m, const Node *node, unsigned output, IrqSpec *irq)
{
    const OutputType *type = &m->info->type.outputs[output];

    *irq = (IrqSpec){ .output = output, .trigger = type->trigger };
    if (!node_text(node) || node->bad || !parse_line(m->r, node_text(node), irq)) {
        return false;
    }
    irq->mark = node->mark;
    return find_controller(m, irq);
}

/* `irq: LINE`, `irq: { NAME: LINE }`, or `irq: { first: LINE }`. */
static void fill_irqs(Making *m)
{
    const DeviceType *type = &m->info->type;
    const Node *node = node_good(m->node, "irq"), *first = node_good(node, "first");
    IrqSpec *irqs = arena_alloc(m->r->arena, type->output_count * sizeof(*irqs));
    unsigned count = 0;

    for (unsigned i = 0; i < type->output_count && !m->r->in->bench; i++) {
        const Node *facts = node_get(node_get(m->info->facts, "irqs"), type->outputs[i].name);
        const Node *line = first ? first : node;

        if (node && node->kind == NODE_MAP && !first) {
            line = node_get(node, type->outputs[i].name);
        }
        if (!line && !node_get(m->node, "irq") && !node_is_true(node_get(facts, "optional"))) {
            diag_error(m->r->diag, DIAG_LOOSE_LINE, m->at, "the interrupt `%s` of %s leads nowhere",
                type->outputs[i].name, m->spec.id);
            diag_hint(m->r->diag, "say where: irq: line.1");
        } else if (line && make_irq(m, line, i, &irqs[count])) {
            irqs[count++].line += first ? m->index : 0;
        }
    }
    m->spec.irqs = irqs;
    m->spec.irq_count = count;
}

/* ---- clocks ---- */

static void fill_clocks(Making *m)
{
    Resolver *r = m->r;
    const Node *order = node_get(m->info->facts, "clocks"),
               *clocks = node_get(r->in->board, "clocks");
    unsigned most = order && order->kind == NODE_LIST ? order->list.count : 0, count = 0;
    ClockUse *uses = arena_alloc(r->arena, most * sizeof(*uses));

    for (unsigned i = 0; i < most; i++) {
        const char *name = node_text(order->list.items[i]);
        const Node *node = name ? node_good(node_good(m->node, "clock"), name) : NULL;
        const Node *clock = node_text(node) ? node_get(clocks, node_text(node)) : NULL;

        if (clock) {
            uses[count++] = (ClockUse){
                .name = name,
                .clock = node_text(node),
                .rate_hz = resolve_quantity(node_good(clock, "rate"), UNIT_RATE),
                .mark = node->mark,
            };
        } else if (node_text(node)) {
            diag_error(
                r->diag, DIAG_UNKNOWN_CLOCK, node->mark, "there is no clock `%s`", node_text(node));
            resolve_suggest(r, node_text(node), clocks);
        }
    }
    m->spec.clocks = uses;
    m->spec.clock_count = count;
}

/* ---- a device ---- */

static void add_device(Making *m, const char *id)
{
    m->spec = (DeviceSpec){ .id = id, .type = &m->info->type, .mark = m->at };
    fill_props(m);
    fill_regions(m);
    fill_irqs(m);
    fill_clocks(m);
    resolve_fdt_node(
        m->r, node_get(node_get(m->info->facts, "fdt"), "properties"), &m->spec, &m->spec.fdt);
    g_array_append_val(m->r->devices, m->spec);
}

/* Its own schema was picked by `type`; a device that does not fit it is left out. */
static const TypeInfo *fitting_type(Resolver *r, const char *path, Node *node, Mark at)
{
    const TypeInfo *info = node->bad ? NULL : resolve_type(r, node_good(node, "type"));

    if (!info || !validate(info->schema, node, path, at, r->diag)) {
        node->bad = true;
        return NULL;
    }
    validate_fill_defaults(info->schema, node, r->arena);
    return info;
}

static void add_board_device(Resolver *r, const Entry *entry)
{
    g_autofree char *path = g_strdup_printf("devices.%s", entry->key);
    const TypeInfo *info = fitting_type(r, path, entry->value, entry->mark);
    const Node *count = node_good(entry->value, "count");
    bool several = count && g_strcmp0(count->layer, "default") != 0;
    Making making = { .r = r, .info = info, .node = entry->value, .at = entry->mark };

    if (!info) {
        return;
    }
    making.count = count ? node_uint(count) : 1;
    for (; making.index < making.count; making.index++) {
        unsigned errors = diag_errors(r->diag);

        add_device(&making,
            several ? arena_printf(r->arena, "%s.%u", entry->key, making.index) : entry->key);
        if (diag_errors(r->diag) != errors) {
            break; /* the others would say the same */
        }
    }
}

void resolve_board_devices(Resolver *r)
{
    const Node *devices = node_good(r->in->board, "devices");

    for (unsigned i = 0; i < entries_in(devices); i++) {
        add_board_device(r, &devices->map.entries[i]);
    }
}

/* ---- slots ---- */

static DeviceSpec *find_device(Resolver *r, const char *id)
{
    for (unsigned i = 0; i < r->devices->len; i++) {
        DeviceSpec *device = &g_array_index(r->devices, DeviceSpec, i);

        if (strcmp(device->id, id) == 0) {
            return device;
        }
    }
    return NULL;
}

static DeviceSpec *find_plugged(Resolver *r, const char *slot)
{
    for (unsigned i = 0; i < r->devices->len; i++) {
        DeviceSpec *device = &g_array_index(r->devices, DeviceSpec, i);

        if (g_strcmp0(device->slot, slot) == 0) {
            return device;
        }
    }
    return NULL;
}

static void report_no_slot(Resolver *r, const DeviceSpec *device, const Node *slot)
{
    const char *bus = device->type->plugs_into;
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < r->devices->len; i++) {
        const DeviceSpec *holder = &g_array_index(r->devices, DeviceSpec, i);

        if (g_strcmp0(holder->type->offers_bus, bus) == 0) {
            g_string_append_printf(list, " %s", holder->id);
        }
    }
    diag_error(r->diag, DIAG_UNKNOWN_SLOT, slot->mark, "`%s` is no slot for %s", node_text(slot),
        device->type->name);
    diag_note(r->diag, NO_MARK, list->len ? "there are:%s" : "the board has none%s", list->str);
}

/* The slot that was asked for, if it can be had. */
static const char *asked_slot(Resolver *r, const DeviceSpec *device, const Node *slot)
{
    DeviceSpec *holder = find_device(r, node_text(slot)), *other;

    if (!holder || !holder->type->offers_bus ||
        g_strcmp0(holder->type->offers_bus, device->type->plugs_into) != 0) {
        report_no_slot(r, device, slot);
        return NULL;
    }
    other = find_plugged(r, holder->id);
    if (other) {
        diag_error(
            r->diag, DIAG_SLOT_TAKEN, slot->mark, "`%s` is taken by %s", holder->id, other->id);
        diag_note(r->diag, other->mark, "%s", other->id);
        return NULL;
    }
    return holder->id;
}

void resolve_plugged_device(Resolver *r, const char *id, Node *node, const Node *slot, Mark at)
{
    const TypeInfo *info = fitting_type(r, id, node, at);
    Making making = { .r = r, .info = info, .node = node, .at = at, .count = 1 };
    DeviceSpec *device;

    if (!info) {
        return;
    }
    if (!info->type.plugs_into) {
        diag_error(r->diag, DIAG_UNKNOWN_SLOT, at, "%s is part of a board; it cannot be plugged",
            info->type.name);
        return;
    }
    add_device(&making, id);
    device = &g_array_index(r->devices, DeviceSpec, r->devices->len - 1);
    if (node_text(slot) && !slot->bad) {
        device->slot = asked_slot(r, device, slot);
        if (!device->slot) {
            g_array_set_size(r->devices, r->devices->len - 1);
        }
    }
}

/* "virtio" is the place of virtio.0, virtio.1 ...; and of a device called virtio. */
static bool belongs_to(const DeviceSpec *holder, const char *place)
{
    size_t length = strlen(place);

    return strncmp(holder->id, place, length) == 0 &&
        (holder->id[length] == '.' || holder->id[length] == '\0');
}

static const char *free_slot_in(Resolver *r, const Entry *place, const char *bus)
{
    bool descending = g_strcmp0(node_text(node_good(place->value, "assign")), "descending") == 0;
    const char *found = NULL;

    for (unsigned i = 0; i < r->devices->len && (!found || descending); i++) {
        const DeviceSpec *holder = &g_array_index(r->devices, DeviceSpec, i);

        if (g_strcmp0(holder->type->offers_bus, bus) == 0 && belongs_to(holder, place->key) &&
            !find_plugged(r, holder->id)) {
            found = holder->id;
        }
    }
    return found;
}

static void assign_slot(Resolver *r, DeviceSpec *device)
{
    const Node *slots = node_good(r->in->board, "slots");

    for (unsigned i = 0; i < entries_in(slots) && !device->slot; i++) {
        const Entry *place = &slots->map.entries[i];

        if (g_strcmp0(node_text(node_good(place->value, "bus")), device->type->plugs_into) == 0) {
            device->slot = free_slot_in(r, place, device->type->plugs_into);
        }
    }
    if (!device->slot) {
        diag_error(r->diag, DIAG_NO_SLOT, device->mark, "the board has no free %s slot for %s",
            device->type->plugs_into, device->id);
    }
}

static bool is_sticky(Resolver *r, const DeviceSpec *holder)
{
    const Node *slots = node_good(r->in->board, "slots");

    for (unsigned i = 0; i < entries_in(slots); i++) {
        const Entry *place = &slots->map.entries[i];

        if (belongs_to(holder, place->key)) {
            return node_is_true(node_good(place->value, "sticky"));
        }
    }
    return true;
}

/* What the lock says stays, so that a drive which is added never moves another. */
static void keep_locked_slot(Resolver *r, DeviceSpec *device)
{
    const char *locked = node_text(node_get(node_get(r->in->lock, "slots"), device->id));
    const DeviceSpec *holder = locked ? find_device(r, locked) : NULL;

    if (holder && g_strcmp0(holder->type->offers_bus, device->type->plugs_into) == 0 &&
        !find_plugged(r, holder->id) && is_sticky(r, holder)) {
        device->slot = holder->id;
    }
}

/* The board says which bus its slots are of; the devices that offer them know it. */
static void check_places(Resolver *r)
{
    const Node *slots = node_good(r->in->board, "slots");

    for (unsigned i = 0; i < entries_in(slots) && !r->in->bench; i++) {
        const Entry *place = &slots->map.entries[i];
        const Node *bus = node_good(place->value, "bus");
        const DeviceSpec *holder = NULL;

        for (unsigned j = 0; j < r->devices->len && !holder; j++) {
            const DeviceSpec *device = &g_array_index(r->devices, DeviceSpec, j);

            holder = belongs_to(device, place->key) ? device : NULL;
        }
        if (holder && bus && g_strcmp0(holder->type->offers_bus, node_text(bus)) != 0) {
            diag_error(r->diag, DIAG_UNKNOWN_SLOT, bus->mark, "%s offers %s, not `%s`", holder->id,
                holder->type->offers_bus ? holder->type->offers_bus : "no slot", node_text(bus));
        }
    }
}

/* Wishes were granted before: a device without one never takes a slot that another asks for. */
void resolve_slots(Resolver *r)
{
    check_places(r);
    for (unsigned i = 0; r->in->lock && i < r->devices->len; i++) {
        DeviceSpec *device = &g_array_index(r->devices, DeviceSpec, i);

        if (device->type->plugs_into && !device->slot) {
            keep_locked_slot(r, device);
        }
    }
    for (unsigned i = 0; i < r->devices->len; i++) {
        DeviceSpec *device = &g_array_index(r->devices, DeviceSpec, i);

        if (device->type->plugs_into && !device->slot) {
            assign_slot(r, device);
        }
    }
}

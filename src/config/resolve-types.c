/* Device types: x-lathe of schemas/devices/<type>.v1.yaml → DeviceType. */
#include <string.h>

#include "config/resolve-impl.h"
#include "config/suggest.h"

static const char *const trigger_names[] = {
    [TRIGGER_LEVEL_HIGH] = "level-high",
    [TRIGGER_LEVEL_LOW] = "level-low",
    [TRIGGER_EDGE_RISING] = "edge-rising",
    [TRIGGER_EDGE_FALLING] = "edge-falling",
};

static Trigger trigger_find(const char *name)
{
    for (unsigned i = 0; name && i < G_N_ELEMENTS(trigger_names); i++) {
        if (strcmp(trigger_names[i], name) == 0) {
            return i;
        }
    }
    return TRIGGER_LEVEL_HIGH;
}

static unsigned entries_in(const Node *node)
{
    return node && node->kind == NODE_MAP ? node->map.count : 0;
}

static void fill_outputs(Resolver *r, DeviceType *type, const Node *irqs)
{
    OutputType *outputs = arena_alloc(r->arena, entries_in(irqs) * sizeof(*outputs));

    for (unsigned i = 0; i < entries_in(irqs); i++) {
        const Entry *entry = &irqs->map.entries[i];

        outputs[i] = (OutputType){
            .name = entry->key,
            .trigger = trigger_find(node_text(node_get(entry->value, "trigger"))),
        };
    }
    type->outputs = outputs;
    type->output_count = entries_in(irqs);
}

static void fill_cpu_outputs(Resolver *r, DeviceType *type, const Node *irqs)
{
    CpuOutputType *outputs = arena_alloc(r->arena, entries_in(irqs) * sizeof(*outputs));

    for (unsigned i = 0; i < entries_in(irqs); i++) {
        const Entry *entry = &irqs->map.entries[i];

        outputs[i] = (CpuOutputType){ .name = entry->key, .input = node_uint(entry->value) };
    }
    type->cpu_outputs = outputs;
    type->cpu_output_count = entries_in(irqs);
}

static void fill_fdt(Resolver *r, DeviceType *type, const Node *fdt)
{
    const Node *compatible = node_get(fdt, "compatible"), *roots = node_get(fdt, "roots");
    FdtNodeSpec holder = { 0 };

    type->fdt_node = node_text(node_get(fdt, "node"));
    type->fdt_interrupt_cells = node_uint(node_get(fdt, "interrupt-cells"));
    type->fdt_clocks = node_is_true(node_get(fdt, "clocks"));
    if (compatible && compatible->kind == NODE_LIST) {
        const char **words = arena_alloc(r->arena, compatible->list.count * sizeof(*words));

        for (unsigned i = 0; i < compatible->list.count; i++) {
            words[i] = node_text(compatible->list.items[i]);
        }
        type->fdt_compatible = words;
        type->fdt_compatible_count = compatible->list.count;
    }
    if (roots) {
        resolve_fdt_node(r, roots, NULL, &holder);
        type->fdt_roots = holder.nodes;
        type->fdt_root_count = holder.node_count;
    }
}

static TypeInfo *make_type(Resolver *r, const char *name, const Schema *schema)
{
    TypeInfo *info = ARENA_NEW(r->arena, TypeInfo);
    const Node *facts = node_get(schema->node, "x-lathe");

    info->schema = schema;
    info->facts = facts;
    info->type.name = arena_text(r->arena, name, strlen(name));
    info->type.offers_bus = node_text(node_get(facts, "bus"));
    info->type.plugs_into = node_text(node_get(facts, "plugs-into"));
    info->type.interrupt_controller = node_get(facts, "lines") != NULL;
    fill_outputs(r, &info->type, node_get(facts, "irqs"));
    fill_cpu_outputs(r, &info->type, node_get(facts, "cpu-irqs"));
    fill_fdt(r, &info->type, node_get(facts, "fdt"));
    return info;
}

static void report_unknown(Resolver *r, const Node *name)
{
    g_autoptr(GPtrArray) names = library_list(r->in->library, "schemas/devices", ".v1.yaml");
    const char *near = suggest(node_text(name), names);

    diag_error(r->diag, DIAG_UNKNOWN_DEVICE, name->mark, "there is no device type `%.60s`",
        node_text(name));
    if (near) {
        diag_hint(r->diag, "did you mean `%s`?", near);
    }
    diag_note(r->diag, NO_MARK, "`lathe list devices` shows all");
}

/* A name is not a path: "../x" is the name of nothing. */
static bool is_name(const char *name)
{
    return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

const TypeInfo *resolve_type(Resolver *r, const Node *name)
{
    const char *text = node_text(name);
    g_autofree char *file = NULL;
    gpointer known = NULL;

    if (!text || name->bad) {
        return NULL;
    }
    if (!g_hash_table_lookup_extended(r->types, text, NULL, &known)) {
        unsigned errors = diag_errors(r->diag);
        const Schema *schema;

        file = g_strdup_printf("schemas/devices/%s.v1.yaml", text);
        schema = is_name(text) ? schema_load(r->in->schemas, file) : NULL;
        known = schema ? make_type(r, text, schema) : NULL;
        g_hash_table_insert(r->types, g_strdup(text), known);
        if (diag_errors(r->diag) != errors) {
            return NULL; /* there is one, and it is wrong */
        }
    }
    if (!known) {
        report_unknown(r, name);
    }
    return known;
}

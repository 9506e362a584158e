/*
 * Addresses are translated through `ranges` (Devicetree Specification v0.4, 2.3.8); what is on a bus
 * without it, such as I2C, has none.
 */
#include "cli/devicetree.h"

#include <glib/gstdio.h>
#include <libfdt.h>
#include <string.h>
#include <unistd.h>

#include "cli/dtb.h"

enum { DEEPEST = 64, MOST_CELLS = 4 };

/* How the children of a node are addressed. */
typedef struct Bus {
    const struct Bus *up;
    const fdt32_t *ranges; /* NULL: the children's addresses are no addresses of ours */
    unsigned range_cells;
    bool same; /* an empty `ranges`, or the root: one address is the other */
    unsigned address_cells, size_cells;
} Bus;

typedef struct Walk {
    const void *fdt;
    GArray *nodes;
} Walk;

/* ---- cells ---- */

static uint64_t cells(const fdt32_t *at, unsigned count)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < count; i++) {
        value = value << 32 | fdt32_ld(at + i);
    }
    return value;
}

static unsigned cell_property(const void *fdt, int node, const char *name, unsigned otherwise)
{
    int length;
    const fdt32_t *value = fdt_getprop(fdt, node, name, &length);

    return value && length == 4 ? MIN(fdt32_ld(value), MOST_CELLS) : otherwise;
}

/* The address as the CPUs see it; false when the bus does not lead there. */
static bool translate(const Bus *bus, uint64_t *address)
{
    for (; bus->up; bus = bus->up) {
        unsigned above = bus->up->address_cells, row = bus->address_cells + above + bus->size_cells;
        bool found = bus->same;

        for (unsigned i = 0; !found && row && i + row <= bus->range_cells; i += row) {
            uint64_t from = cells(bus->ranges + i, bus->address_cells);
            uint64_t to = cells(bus->ranges + i + bus->address_cells, above);
            uint64_t size = cells(bus->ranges + i + bus->address_cells + above, bus->size_cells);

            if (*address >= from && *address - from < size) {
                *address = *address - from + to;
                found = true;
            }
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* ---- nodes ---- */

static void clear_node(gpointer data)
{
    TreeNode *node = data;

    g_free(node->path);
    g_strfreev(node->compatible);
    g_free(node->interrupts);
}

static char **string_list(const void *fdt, int node, const char *name)
{
    int count = fdt_stringlist_count(fdt, node, name);
    char **list = g_new0(char *, MAX(count, 0) + 1);

    for (int i = 0; i < count; i++) {
        list[i] = g_strdup(fdt_stringlist_get(fdt, node, name, i, NULL));
    }
    return list;
}

static void place(TreeNode *out, const void *fdt, int node, const Bus *bus)
{
    int length;
    const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);
    unsigned row = bus->address_cells + bus->size_cells;

    if (reg && bus->size_cells && length >= (int)row * 4) {
        out->at = cells(reg, bus->address_cells);
        out->size = cells(reg + bus->address_cells, bus->size_cells);
        out->placed = translate(bus, &out->at);
    }
}

static void add_node(Walk *walk, int node, const char *path, const Bus *bus)
{
    const void *fdt = walk->fdt;
    int length;
    const char *status = fdt_getprop(fdt, node, "status", &length);
    const void *interrupts;
    TreeNode out = { .path = g_strdup(path) };

    out.compatible = string_list(fdt, node, "compatible");
    out.disabled = status && length > 0 && strncmp(status, "ok", 2) != 0;
    interrupts = fdt_getprop(fdt, node, "interrupts", &length);
    out.interrupts = interrupts ? dtb_value_text(interrupts, length) : NULL;
    place(&out, fdt, node, bus);
    g_array_append_val(walk->nodes, out);
}

static Bus bus_of(const void *fdt, int node, const Bus *up)
{
    int length;
    const fdt32_t *ranges = fdt_getprop(fdt, node, "ranges", &length);
    Bus bus = {
        .up = up,
        .address_cells = cell_property(fdt, node, "#address-cells", 2),
        .size_cells = cell_property(fdt, node, "#size-cells", 1),
    };

    bus.same = ranges && length == 0;
    bus.ranges = length > 0 ? ranges : NULL;
    bus.range_cells = bus.ranges ? length / 4 : 0;
    return bus;
}

static void walk_children(Walk *walk, int parent, const char *path, const Bus *bus, unsigned depth)
{
    int child;

    fdt_for_each_subnode(child, walk->fdt, parent)
    {
        const char *name = fdt_get_name(walk->fdt, child, NULL);
        g_autofree char *below = g_strdup_printf("%s/%s", path, name ? name : "?");
        Bus inner = bus_of(walk->fdt, child, bus);

        if (fdt_getprop(walk->fdt, child, "compatible", NULL)) {
            add_node(walk, child, below, bus);
        }
        if (depth < DEEPEST) {
            walk_children(walk, child, below, &inner, depth + 1);
        }
    }
}

GArray *devicetree_nodes(GBytes *blob)
{
    gsize size;
    Walk walk = { .fdt = g_bytes_get_data(blob, &size) };
    Bus root;

    if (!walk.fdt || fdt_check_full(walk.fdt, size) != 0) {
        return NULL;
    }
    root = bus_of(walk.fdt, 0, NULL);
    walk.nodes = g_array_new(false, false, sizeof(TreeNode));
    g_array_set_clear_func(walk.nodes, clear_node);
    walk_children(&walk, 0, "", &root, 0);
    return walk.nodes;
}

/* ---- files ---- */

/* By way of a file of its own: a blob has zeroes in it, which g_spawn_sync() would end at. */
static GBytes *compile(const char *file, GError **error)
{
    g_autofree char *out = NULL, *data = NULL;
    int fd = g_file_open_tmp("lathe-XXXXXX.dtb", &out, error), status;
    const char *const argv[] = { "dtc", "-q", "-I", "dts", "-O", "dtb", "-o", out, file, NULL };
    bool fine = fd >= 0 &&
        g_spawn_sync(
            NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, error);
    gsize size;

    if (fd >= 0) {
        close(fd);
    }
    if (fine && !g_spawn_check_wait_status(status, NULL)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "dtc does not take `%s`", file);
        fine = false;
    }
    fine = fine && g_file_get_contents(out, &data, &size, error);
    if (out) {
        g_unlink(out);
    }
    return fine ? g_bytes_new_take(g_steal_pointer(&data), size) : NULL;
}

GBytes *devicetree_read(const char *file, GError **error)
{
    char *data;
    gsize size;

    if (!g_file_get_contents(file, &data, &size, error)) {
        return NULL;
    }
    if (size >= 4 && fdt32_ld((const fdt32_t *)(void *)data) == FDT_MAGIC) {
        return g_bytes_new_take(data, size);
    }
    g_free(data);
    return compile(file, error);
}

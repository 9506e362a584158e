/* A walk with libfdt, which checks all that it reads. */
#include "cli/dtb.h"

#include <libfdt.h>
#include <string.h>

enum { DEEPEST = 64 };

static void take_properties(const void *fdt, int node, const char *path, DtbTake take, void *data)
{
    int property;

    take(data, path, NULL, NULL, 0);
    fdt_for_each_property_offset(property, fdt, node)
    {
        const char *name;
        int length;
        const void *value = fdt_getprop_by_offset(fdt, property, &name, &length);

        if (value) {
            take(data, path, name, value, length);
        }
    }
}

static void take_node(
    const void *fdt, int node, const char *path, unsigned depth, DtbTake take, void *data)
{
    int child;

    take_properties(fdt, node, path, take, data);
    fdt_for_each_subnode(child, fdt, node)
    {
        const char *name = fdt_get_name(fdt, child, NULL);
        g_autofree char *below = g_strdup_printf("%s/%s", path[1] ? path : "", name ? name : "?");

        if (depth < DEEPEST) {
            take_node(fdt, child, below, depth + 1, take, data);
        }
    }
}

bool dtb_each(GBytes *blob, DtbTake take, void *data)
{
    gsize size;
    const void *fdt = g_bytes_get_data(blob, &size);

    if (!fdt || fdt_check_full(fdt, size) != 0) {
        return false;
    }
    take_node(fdt, 0, "/", 0, take, data);
    return true;
}

/* Strings end with a NUL, have at least one character each, and nothing that cannot be printed. */
static bool is_strings(const char *value, unsigned length)
{
    bool empty = true;

    for (unsigned i = 0; i < length; i++) {
        if (value[i] ? !g_ascii_isprint(value[i]) : empty) {
            return false;
        }
        empty = !value[i];
    }
    return length > 0 && empty;
}

char *dtb_value_text(const void *value, unsigned length)
{
    const char *bytes = value;
    GString *out = g_string_new(NULL);

    if (is_strings(bytes, length)) {
        for (unsigned i = 0; i < length; i += strlen(bytes + i) + 1) {
            g_string_append_printf(out, "%s\"%s\"", i ? ", " : "", bytes + i);
        }
    } else if (length % 4 == 0 && length) {
        for (unsigned i = 0; i < length; i += 4) {
            g_string_append_printf(
                out, "%s0x%x", i ? " " : "<", fdt32_ld((const fdt32_t *)(bytes + i)));
        }
        g_string_append_c(out, '>');
    } else {
        for (unsigned i = 0; i < length; i++) {
            g_string_append_printf(out, "%s%02x", i ? " " : "[", (unsigned char)bytes[i]);
        }
        g_string_append(out, length ? "]" : "");
    }
    return g_string_free(out, false);
}

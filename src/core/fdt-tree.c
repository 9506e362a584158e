/* The tree of fdt.h: nodes and properties in memory, encoded by libfdt. */
#include "core/fdt.h"

#include <libfdt.h>
#include <stdarg.h>
#include <string.h>

typedef struct FdtProp {
    char *name;
    GByteArray *value;
} FdtProp;

struct FdtNode {
    Fdt *tree;
    FdtNode *parent;
    char *name;
    uint32_t handle;     /* 0: nobody asked for it */
    GPtrArray *props;    /* FdtProp * */
    GPtrArray *children; /* FdtNode * */
};

struct Fdt {
    FdtNode *root;
    uint32_t last_handle;
    GHashTable *bound; /* what it describes -> FdtNode */
};

/* ---- nodes ---- */

static void free_prop(void *data)
{
    FdtProp *prop = data;

    g_byte_array_unref(prop->value);
    g_free(prop->name);
    g_free(prop);
}

static void free_node(void *data)
{
    FdtNode *node = data;

    g_ptr_array_unref(node->props);
    g_ptr_array_unref(node->children);
    g_free(node->name);
    g_free(node);
}

static FdtNode *node_new(Fdt *tree, FdtNode *parent, const char *name)
{
    FdtNode *node = g_new0(FdtNode, 1);

    node->tree = tree;
    node->parent = parent;
    node->name = g_strdup(name);
    node->props = g_ptr_array_new_with_free_func(free_prop);
    node->children = g_ptr_array_new_with_free_func(free_node);
    return node;
}

Fdt *fdt_new(void)
{
    Fdt *fdt = g_new0(Fdt, 1);

    fdt->root = node_new(fdt, NULL, "");
    fdt->bound = g_hash_table_new(g_direct_hash, g_direct_equal);
    return fdt;
}

void fdt_free(Fdt *fdt)
{
    if (fdt) {
        free_node(fdt->root);
        g_hash_table_unref(fdt->bound);
        g_free(fdt);
    }
}

FdtNode *fdt_root(Fdt *fdt)
{
    return fdt->root;
}

Fdt *fdt_tree(FdtNode *node)
{
    return node->tree;
}

static FdtNode *find_child(const FdtNode *parent, const char *name)
{
    for (unsigned i = 0; i < parent->children->len; i++) {
        FdtNode *child = parent->children->pdata[i];

        if (strcmp(child->name, name) == 0) {
            return child;
        }
    }
    return NULL;
}

FdtNode *fdt_child(FdtNode *parent, const char *fmt, ...)
{
    g_autofree char *name = NULL;
    FdtNode *child;
    va_list args;

    va_start(args, fmt);
    name = g_strdup_vprintf(fmt, args);
    va_end(args);
    child = find_child(parent, name);
    if (!child) {
        child = node_new(parent->tree, parent, name);
        g_ptr_array_add(parent->children, child);
    }
    return child;
}

FdtNode *fdt_find(Fdt *fdt, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    FdtNode *node = fdt->root;

    for (unsigned i = 0; node && names[i]; i++) {
        node = names[i][0] ? find_child(node, names[i]) : node;
    }
    return node;
}

char *fdt_path(const FdtNode *node)
{
    GString *path = g_string_new(NULL);

    for (; node->parent; node = node->parent) {
        g_string_prepend(path, node->name);
        g_string_prepend_c(path, '/');
    }
    if (path->len == 0) {
        g_string_append_c(path, '/');
    }
    return g_string_free(path, false);
}

uint32_t fdt_handle(FdtNode *node)
{
    if (node->handle == 0) {
        node->handle = ++node->tree->last_handle;
    }
    return node->handle;
}

void fdt_bind(FdtNode *node, const void *what)
{
    g_hash_table_insert(node->tree->bound, (void *)what, node);
}

FdtNode *fdt_node_for(Fdt *fdt, const void *what)
{
    return what ? g_hash_table_lookup(fdt->bound, what) : NULL;
}

/* ---- properties ---- */

static GByteArray *prop_value(FdtNode *node, const char *name)
{
    FdtProp *prop;

    for (unsigned i = 0; i < node->props->len; i++) {
        prop = node->props->pdata[i];
        if (strcmp(prop->name, name) == 0) {
            return prop->value;
        }
    }
    prop = g_new0(FdtProp, 1);
    prop->name = g_strdup(name);
    prop->value = g_byte_array_new();
    g_ptr_array_add(node->props, prop);
    return prop->value;
}

void fdt_put_bytes(FdtNode *node, const char *name, const void *data, size_t length)
{
    GByteArray *value = prop_value(node, name);

    g_byte_array_set_size(value, 0);
    g_byte_array_append(value, data, length);
}

void fdt_put_flag(FdtNode *node, const char *name)
{
    fdt_put_bytes(node, name, NULL, 0);
}

void fdt_add_cell(FdtNode *node, const char *name, uint32_t cell)
{
    fdt32_t wire = cpu_to_fdt32(cell);

    g_byte_array_append(prop_value(node, name), (const uint8_t *)&wire, sizeof(wire));
}

void fdt_add_cell64(FdtNode *node, const char *name, uint64_t value)
{
    fdt_add_cell(node, name, value >> 32);
    fdt_add_cell(node, name, value);
}

void fdt_add_string(FdtNode *node, const char *name, const char *value)
{
    g_byte_array_append(prop_value(node, name), (const uint8_t *)value, strlen(value) + 1);
}

void fdt_put_u32(FdtNode *node, const char *name, uint32_t value)
{
    fdt_put_cells(node, name, &value, 1);
}

void fdt_put_u64(FdtNode *node, const char *name, uint64_t value)
{
    fdt_put_cells(node, name, (uint32_t[]){ value >> 32, value }, 2);
}

void fdt_put_string(FdtNode *node, const char *name, const char *value)
{
    fdt_put_bytes(node, name, value, strlen(value) + 1);
}

void fdt_put_strings(FdtNode *node, const char *name, const char *const *values)
{
    fdt_put_flag(node, name);
    for (; *values; values++) {
        fdt_add_string(node, name, *values);
    }
}

void fdt_put_cells(FdtNode *node, const char *name, const uint32_t *cells, unsigned count)
{
    fdt_put_flag(node, name);
    for (unsigned i = 0; i < count; i++) {
        fdt_add_cell(node, name, cells[i]);
    }
}

/* ---- encoding ---- */

static size_t encoded_size(const FdtNode *node)
{
    size_t size = 64 + strlen(node->name);

    for (unsigned i = 0; i < node->props->len; i++) {
        const FdtProp *prop = node->props->pdata[i];

        size += 32 + strlen(prop->name) + prop->value->len;
    }
    for (unsigned i = 0; i < node->children->len; i++) {
        size += encoded_size(node->children->pdata[i]);
    }
    return size;
}

/* The blob was given room for all of it, so libfdt has nothing to complain about. */
static void must(int error)
{
    if (error) {
        g_error("device tree: %s", fdt_strerror(error));
    }
}

static void encode_node(void *blob, const FdtNode *node)
{
    must(fdt_begin_node(blob, node->name));
    for (unsigned i = 0; i < node->props->len; i++) {
        const FdtProp *prop = node->props->pdata[i];

        must(fdt_property(blob, prop->name, prop->value->data, prop->value->len));
    }
    if (node->handle) {
        must(fdt_property_u32(blob, "phandle", node->handle));
    }
    for (unsigned i = 0; i < node->children->len; i++) {
        encode_node(blob, node->children->pdata[i]);
    }
    must(fdt_end_node(blob));
}

GBytes *fdt_encode(Fdt *fdt)
{
    size_t room = 1024 + encoded_size(fdt->root);
    g_autofree void *blob = g_malloc0(room);
    size_t size;

    must(fdt_create(blob, room));
    must(fdt_finish_reservemap(blob));
    encode_node(blob, fdt->root);
    must(fdt_finish(blob));
    size = fdt_totalsize(blob);
    return g_bytes_new_take(g_realloc(g_steal_pointer(&blob), size), size);
}

/* ---- as text ---- */

/* Strings end with a NUL, have at least one character each, and nothing that cannot be printed. */
static bool looks_like_strings(const GByteArray *value)
{
    for (unsigned i = 0; i < value->len; i++) {
        bool end = value->data[i] == '\0';

        if ((end && (i == 0 || value->data[i - 1] == '\0')) ||
            (!end && !g_ascii_isprint(value->data[i]))) {
            return false;
        }
    }
    return value->data[value->len - 1] == '\0';
}

static void print_strings(const GByteArray *value, FILE *out)
{
    for (unsigned i = 0; i < value->len; i += strlen((char *)value->data + i) + 1) {
        g_autofree char *escaped = g_strescape((char *)value->data + i, NULL);

        fprintf(out, "%s\"%s\"", i ? ", " : "", escaped);
    }
}

static void print_cells(const GByteArray *value, FILE *out)
{
    fputc('<', out);
    for (unsigned i = 0; i < value->len; i += 4) {
        fprintf(out, "%s0x%x", i ? " " : "", fdt32_ld((const fdt32_t *)(value->data + i)));
    }
    fputc('>', out);
}

static void print_bytes(const GByteArray *value, FILE *out)
{
    fputc('[', out);
    for (unsigned i = 0; i < value->len; i++) {
        fprintf(out, "%s%02x", i ? " " : "", value->data[i]);
    }
    fputc(']', out);
}

static void print_prop(const FdtProp *prop, unsigned depth, FILE *out)
{
    fprintf(out, "%*s%s", 4 * depth, "", prop->name);
    if (prop->value->len > 0) {
        fputs(" = ", out);
        if (looks_like_strings(prop->value)) {
            print_strings(prop->value, out);
        } else if (prop->value->len % 4 == 0) {
            print_cells(prop->value, out);
        } else {
            print_bytes(prop->value, out);
        }
    }
    fputs(";\n", out);
}

static void print_node(const FdtNode *node, unsigned depth, FILE *out)
{
    fprintf(out, "%*s%s {\n", 4 * depth, "", node->parent ? node->name : "/");
    for (unsigned i = 0; i < node->props->len; i++) {
        print_prop(node->props->pdata[i], depth + 1, out);
    }
    if (node->handle) {
        fprintf(out, "%*sphandle = <0x%x>;\n", 4 * (depth + 1), "", node->handle);
    }
    for (unsigned i = 0; i < node->children->len; i++) {
        fputc('\n', out);
        print_node(node->children->pdata[i], depth + 1, out);
    }
    fprintf(out, "%*s};\n", 4 * depth, "");
}

void fdt_print(Fdt *fdt, FILE *out)
{
    fputs("/dts-v1/;\n\n", out);
    print_node(fdt->root, 0, out);
}

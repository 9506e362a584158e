/* The descriptor of a vmdk image: a text of `name=value` lines, and of lines that name files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "block/formats/vmdk.h"

char *vmdk_descriptor_value(const char *descriptor, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(descriptor, "\n", -1);
    size_t length = strlen(name);

    for (unsigned i = 0; lines[i]; i++) {
        char *line = g_strstrip(lines[i]);
        char *value = line + length;

        if (strncmp(line, name, length) == 0 && value[strspn(value, " ")] == '=') {
            value = g_strstrip(value + strspn(value, " =\""));
            value[strcspn(value, "\"")] = '\0';
            return g_strdup(value);
        }
    }
    return NULL;
}

int vmdk_new_content_id(BlockNode *node)
{
    Vmdk *v = node->state;
    char *line = v->descriptor ? strstr(v->descriptor, "\nCID=") : NULL;
    char id[9];
    int result;

    if (!line || v->changed || strlen(line) < 5 + 8) {
        return 0;
    }
    snprintf(id, sizeof(id), "%08x", g_random_int() & 0xfffffffe);
    memcpy(line + 5, id, 8);
    result = block_write(
        node->children[0], v->descriptor_at + (line + 5 - v->descriptor), id, 8, 0);
    v->changed = result == 0;
    return result;
}

/* ---- the files ---- */

/* `RW 4192256 SPARSE "disk-s001.vmdk"`, `RW 1024 FLAT "disk-flat.vmdk" 0`, `RW 63 ZERO` */
typedef struct Line {
    char access[12], type[12], name[256];
    uint64_t sectors, offset;
    bool has_name;
} Line;

static bool parse_line(const char *text, Line *line)
{
    int count;

    *line = (Line){ 0 };
    count = sscanf(text, "%11s %" G_GUINT64_FORMAT " %11s \"%255[^\n\r\"]\" %" G_GUINT64_FORMAT,
        line->access, &line->sectors, line->type, line->name, &line->offset);
    line->has_name = count >= 4;
    return count >= 3 &&
        (strcmp(line->access, "RW") == 0 || strcmp(line->access, "RDONLY") == 0 ||
            strcmp(line->access, "NOACCESS") == 0);
}

/* Only files beside the descriptor: an image from elsewhere must not name just any file. */
static BlockNode *open_file(
    BlockNode *node, const Line *line, const BlockOptions *options, GError **error)
{
    g_autofree char *path = block_path_beside(node->name, line->name);
    BlockOptions below = *options;
    BlockNode *file;

    if (!line->has_name || strchr(line->name, '/') || g_str_has_prefix(line->name, "file:")) {
        block_refuse(node, error, "names a file that is not beside it: `%s`", line->name);
        return NULL;
    }
    below.path = path;
    file = block_open(node->loop, block_driver_find("file"), &below, NULL, NULL, error);
    if (!file || strcmp(line->type, "SPARSE") != 0) {
        return file;
    }
    return block_open(node->loop, block_driver_find("vmdk"), &below, file, NULL, error);
}

static bool is_right_child(const BlockNode *child, const Line *line)
{
    const Vmdk *v = child->state;

    if (child->driver->protocol) {
        return line->offset <= child->length / VMDK_SECTOR &&
            line->sectors <= child->length / VMDK_SECTOR - line->offset;
    }
    return !v->is_list && !child->backing_path && !child->packs_only &&
        child->length >= line->sectors * VMDK_SECTOR;
}

static bool add_extent(
    BlockNode *node, const Line *line, const BlockOptions *options, GError **error)
{
    static const char *const types[] = { "FLAT", "VMFS", "SPARSE", "ZERO", NULL };
    Vmdk *v = node->state;
    VmdkExtent extent = { .start = node->length,
        .length = line->sectors * VMDK_SECTOR,
        .offset = line->offset * VMDK_SECTOR };
    BlockNode *child;

    if (!g_strv_contains(types, line->type)) {
        return block_refuse(node, error, "has an extent of unknown type `%s`", line->type);
    }
    if (v->extents->len == VMDK_EXTENTS_MOST || line->sectors > INT64_MAX / VMDK_SECTOR / 4096) {
        return block_refuse(node, error, "has too many extents, or too large ones");
    }
    if (strcmp(line->type, "ZERO") != 0) {
        extent.child = v->extents->len + 1;
        child = open_file(node, line, options, error);
        block_reserve_children(node, extent.child + 1);
        node->children[extent.child] = child;
        if (!child) {
            return false;
        }
        if (!is_right_child(child, line)) {
            return block_refuse(
                node, error, "lists `%s`, which is not what it should be", line->name);
        }
    }
    node->length += extent.length;
    g_array_append_val(v->extents, extent);
    return true;
}

bool vmdk_open_list(BlockNode *node, const BlockOptions *options, GError **error)
{
    Vmdk *v = node->state;
    g_auto(GStrv) lines = g_strsplit(v->descriptor, "\n", -1);
    g_autofree char *parent = vmdk_descriptor_value(v->descriptor, "parentCID");

    if (parent && g_ascii_strcasecmp(parent, "ffffffff") != 0) {
        return block_refuse(
            node, error, "is several files based on another image, which is not supported");
    }
    v->extents = g_array_new(false, false, sizeof(VmdkExtent));
    for (unsigned i = 0; lines[i]; i++) {
        Line line;

        if (parse_line(lines[i], &line) && !add_extent(node, &line, options, error)) {
            return false;
        }
    }
    return v->extents->len > 0 || block_refuse(node, error, "lists no extents");
}

/* ---- requests ---- */

static const VmdkExtent *find_extent(const Vmdk *v, uint64_t at)
{
    unsigned low = 0, high = v->extents->len - 1;

    while (low < high) {
        unsigned middle = (low + high + 1) / 2;

        if (g_array_index(v->extents, VmdkExtent, middle).start <= at) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return &g_array_index(v->extents, VmdkExtent, low);
}

int vmdk_list_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Vmdk *v = node->state;
    const VmdkExtent *extent = find_extent(v, at);

    *out = (Extent){ .kind = extent->child ? EXTENT_DATA : EXTENT_ZERO,
        .child = extent->child,
        .offset = extent->offset + (at - extent->start),
        .length = MIN(length, extent->start + extent->length - at),
        .writable = v->changed };
    return 0;
}

/* Comes before the first write only: after that the map says that all may be written. */
int vmdk_list_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    Vmdk *v = node->state;
    int result = vmdk_new_content_id(node);

    if (result < 0) {
        return result;
    }
    v->changed = true;
    vmdk_list_map(node, at, length, out);
    return out->kind == EXTENT_DATA ? 0 : -EROFS;
}

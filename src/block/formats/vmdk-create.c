/* Making empty vmdk images. */
#include <errno.h>
#include <string.h>

#include "block/formats/vmdk.h"

enum {
    GRAIN_SECTORS = 128,
    DESCRIPTOR_SECTORS = 20,
    PART = 0x80000000, /* bytes of the disk in each of several files */
};

/* What a word of the option `subformat` means. */
typedef struct Subformat {
    const char *name;
    bool flat, parts, compressed;
} Subformat;

static const Subformat subformats[] = {
    { "monolithicSparse" },
    { "monolithicFlat", .flat = true },
    { "twoGbMaxExtentSparse", .parts = true },
    { "twoGbMaxExtentFlat", .flat = true, .parts = true },
    { "streamOptimized", .compressed = true },
};

typedef struct Wanted {
    const Subformat *subformat;
    const BlockCreate *create;
    const char *adapter, *version;
    bool zero;
    uint64_t size;
    uint32_t parent;
    const char *path; /* the name that the image will have */
} Wanted;

/* ---- a sparse file ---- */

/* Where the parts of a sparse file are, in sectors. */
typedef struct Layout {
    uint64_t tables, mirror, directory, data;
    uint64_t directory_sectors;
} Layout;

static Layout layout_of(uint64_t sectors, uint64_t descriptor)
{
    uint64_t grains = (sectors + GRAIN_SECTORS - 1) / GRAIN_SECTORS;
    uint64_t table_sectors = VMDK_TABLE_ENTRIES * 4 / VMDK_SECTOR;
    Layout l = { .tables = (grains + VMDK_TABLE_ENTRIES - 1) / VMDK_TABLE_ENTRIES,
        .mirror = 1 + descriptor };

    l.directory_sectors = (l.tables * 4 + VMDK_SECTOR - 1) / VMDK_SECTOR;
    l.directory = l.mirror + l.directory_sectors + l.tables * table_sectors;
    l.data = l.directory + l.directory_sectors + l.tables * table_sectors;
    l.data = (l.data + GRAIN_SECTORS - 1) / GRAIN_SECTORS * GRAIN_SECTORS;
    return l;
}

static void fill_header(
    uint8_t *head, const Wanted *w, const Layout *l, uint64_t sectors, uint64_t descriptor)
{
    bool packed = w->subformat->compressed;
    const struct {
        uint8_t offset, width;
        uint64_t value;
    } fields[] = {
        { VMDK_VERSION, 4,
            packed        ? 3
                : w->zero ? 2
                          : 1 },
        { VMDK_FLAGS, 4,
            VMDK_FLAG_NEWLINES | VMDK_FLAG_MIRROR | (w->zero ? VMDK_FLAG_ZERO : 0) |
                (packed ? VMDK_FLAG_COMPRESSED | VMDK_FLAG_MARKERS : 0) },
        { VMDK_CAPACITY, 8, sectors },
        { VMDK_GRAIN, 8, GRAIN_SECTORS },
        { VMDK_DESCRIPTOR, 8, descriptor ? 1 : 0 },
        { VMDK_DESCRIPTOR_SIZE, 8, descriptor },
        { VMDK_PER_TABLE, 4, VMDK_TABLE_ENTRIES },
        { VMDK_MIRROR, 8, l->mirror },
        { VMDK_DIRECTORY, 8, l->directory },
        { VMDK_OVERHEAD, 8, l->data },
        { VMDK_COMPRESSION, 2, packed ? VMDK_DEFLATE : 0 },
    };

    memcpy(head, "KDMV", 4);
    memcpy(head + VMDK_NEWLINES, "\n \r\n", 4);
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        store_le(head + fields[i].offset, fields[i].width, fields[i].value);
    }
}

/* A directory: its tables lie behind it. */
static void fill_directory(uint8_t *bytes, const Layout *l, uint64_t at)
{
    uint64_t table = at + l->directory_sectors;

    for (uint64_t i = 0; i < l->tables; i++) {
        store_le(bytes + i * 4, 4, table + i * (VMDK_TABLE_ENTRIES * 4 / VMDK_SECTOR));
    }
}

static bool write_sparse(
    BlockNode *file, const Wanted *w, uint64_t bytes, const char *descriptor, GError **error)
{
    uint64_t sectors = (bytes + VMDK_SECTOR - 1) / VMDK_SECTOR;
    uint64_t descriptor_sectors = descriptor ? DESCRIPTOR_SECTORS : 0;
    Layout l = layout_of(sectors, descriptor_sectors);
    g_autofree uint8_t *head = g_malloc0((1 + DESCRIPTOR_SECTORS) * VMDK_SECTOR);
    g_autofree uint8_t *directory = g_malloc0(l.directory_sectors * VMDK_SECTOR + 1);
    uint64_t places[] = { l.mirror, l.directory };

    fill_header(head, w, &l, sectors, descriptor_sectors);
    if (descriptor) {
        g_strlcpy((char *)head + VMDK_SECTOR, descriptor, DESCRIPTOR_SECTORS * VMDK_SECTOR);
    }
    if (!format_extend(file, l.data * VMDK_SECTOR, error)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        fill_directory(directory, &l, places[i]);
        if (!format_write(file, places[i] * VMDK_SECTOR, directory,
                l.directory_sectors * VMDK_SECTOR, error)) {
            return false;
        }
    }
    return format_write(file, 0, head, (1 + descriptor_sectors) * VMDK_SECTOR, error);
}

/* ---- the descriptor ---- */

static char *descriptor_text(const Wanted *w, const char *extents)
{
    bool ide = strcmp(w->adapter, "ide") == 0;
    unsigned heads = ide ? 16 : 255;
    GString *out = g_string_new("# Disk DescriptorFile\nversion=1\n");

    g_string_append_printf(out, "CID=%08x\nparentCID=%08x\ncreateType=\"%s\"\n",
        g_random_int() & 0xfffffffe, w->parent, w->subformat->name);
    if (w->create->backing) {
        g_string_append_printf(out, "parentFileNameHint=\"%s\"\n", w->create->backing);
    }
    g_string_append_printf(
        out, "\n# Extent description\n%s\n# The Disk Data Base\n#DDB\n\n", extents);
    g_string_append_printf(out, "ddb.virtualHWVersion = \"%s\"\n", w->version);
    g_string_append_printf(out, "ddb.geometry.cylinders = \"%" G_GUINT64_FORMAT "\"\n",
        w->size / VMDK_SECTOR / 63 / heads);
    g_string_append_printf(
        out, "ddb.geometry.heads = \"%u\"\nddb.geometry.sectors = \"63\"\n", heads);
    g_string_append_printf(out, "ddb.adapterType = \"%s\"\n", w->adapter);
    return g_string_free(out, false);
}

/* ---- several files ---- */

/* "disk-s001.vmdk" beside "disk.vmdk". */
static char *part_name(const Wanted *w, unsigned number)
{
    g_autofree char *base = g_path_get_basename(w->path);
    char *dot = strrchr(base, '.');
    const char *suffix = dot ? dot : "";
    int stem = dot ? (int)(dot - base) : (int)strlen(base);

    if (!w->subformat->parts) {
        return g_strdup_printf("%.*s-flat%s", stem, base, suffix);
    }
    return g_strdup_printf(
        "%.*s-%c%03u%s", stem, base, w->subformat->flat ? 'f' : 's', number, suffix);
}

static bool create_part(
    BlockNode *file, const Wanted *w, const char *name, uint64_t bytes, GError **error)
{
    g_autofree char *path = block_path_beside(w->path, name);
    BlockOptions options = { .path = path, .create = true, .cache = file->cache };
    BlockNode *part = block_open(
        file->loop, block_driver_find("file"), &options, NULL, NULL, error);
    bool fine;

    if (!part) {
        return false;
    }
    block_create_made(w->create, path);
    fine = w->subformat->flat ? format_extend(part, bytes, error)
                              : write_sparse(part, w, bytes, NULL, error);
    block_unref(part);
    return fine;
}

static bool create_parts(BlockNode *file, const Wanted *w, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *text = NULL;
    uint64_t most = w->subformat->parts ? PART : MAX(w->size, 1);

    if (w->size / most >= VMDK_EXTENTS_MOST) {
        return block_refuse(file, error, "of this size needs too many files");
    }
    for (uint64_t at = 0, number = 1; at < w->size || number == 1; at += most, number++) {
        g_autofree char *name = part_name(w, number);
        uint64_t bytes = MIN(most, w->size - at);

        if (!create_part(file, w, name, bytes, error)) {
            return false;
        }
        g_string_append_printf(lines, "RW %" G_GUINT64_FORMAT " %s \"%s\"%s\n", bytes / VMDK_SECTOR,
            w->subformat->flat ? "FLAT" : "SPARSE", name, w->subformat->flat ? " 0" : "");
    }
    text = descriptor_text(w, lines->str);
    return format_write(file, 0, text, strlen(text), error);
}

static bool create_one(BlockNode *file, const Wanted *w, GError **error)
{
    g_autofree char *name = g_path_get_basename(w->path);
    g_autofree char *line = g_strdup_printf(
        "RW %" G_GUINT64_FORMAT " SPARSE \"%s\"\n", w->size / VMDK_SECTOR, name);
    g_autofree char *text = descriptor_text(w, line);

    return write_sparse(file, w, w->size, text, error);
}

/* ---- options ---- */

/* The content id of the image that it is based on, which must be a vmdk one, too. */
static bool read_parent(BlockNode *file, Wanted *w, GError **error)
{
    g_autofree char *path = NULL, *id = NULL;
    BlockOptions options = { .read_only = true, .cache = file->cache };
    BlockNode *parent;
    const Vmdk *v;

    w->parent = UINT32_MAX;
    if (!w->create->backing) {
        return true;
    }
    path = block_path_beside(w->path, w->create->backing);
    options.path = path;
    parent = block_open_image(file->loop, "vmdk", &options, error);
    if (!parent) {
        return false;
    }
    v = parent->state;
    id = v->descriptor ? vmdk_descriptor_value(v->descriptor, "CID") : NULL;
    w->parent = id ? g_ascii_strtoull(id, NULL, 16) : 0;
    block_unref(parent);
    return true;
}

static bool read_options(Wanted *w, BlockNode *file, GError **error)
{
    static const char *const adapters[] = { "ide", "buslogic", "lsilogic", "legacyESX", NULL };
    const char *word = block_create_option(w->create, "subformat", "monolithicSparse");

    w->adapter = block_create_option(w->create, "adapter_type", "ide");
    w->version = block_create_option(w->create, "hwversion", "4");
    for (unsigned i = 0; i < G_N_ELEMENTS(subformats); i++) {
        w->subformat = strcmp(word, subformats[i].name) == 0 ? &subformats[i] : w->subformat;
    }
    if (!w->subformat) {
        return block_refuse(file, error, "cannot get the subformat `%s`", word);
    }
    if (!g_strv_contains(adapters, w->adapter) || strlen(w->version) > 8 ||
        strspn(w->version, "0123456789") != strlen(w->version)) {
        return block_refuse(
            file, error, "gets adapter_type ide, buslogic, lsilogic or legacyESX, and a hwversion");
    }
    if (w->create->backing && (w->subformat->flat || w->subformat->parts)) {
        return block_refuse(file, error, "of subformat %s is not based on another", word);
    }
    return block_create_switch(w->create, "zeroed_grain", false, &w->zero, error) &&
        read_parent(file, w, error);
}

bool vmdk_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    Wanted w = { .create = create, .path = create->path ? create->path : file->name };

    w.size = (create->size + VMDK_SECTOR - 1) / VMDK_SECTOR * VMDK_SECTOR;
    if (!read_options(&w, file, error)) {
        return false;
    }
    if (w.size / PART >= 4096) { /* entries are 32 bits of sectors */
        return block_refuse(file, error, "is too large for a vmdk image");
    }
    return w.subformat->flat || w.subformat->parts ? create_parts(file, &w, error)
                                                   : create_one(file, &w, error);
}

const char *const vmdk_create_options[] = { "adapter_type", "hwversion", "subformat",
    "zeroed_grain", NULL };

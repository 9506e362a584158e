/*
 * What a guest has made of a disk of FAT. All of it is the guest's to choose, so nothing is believed:
 * a cluster belongs to one chain at most, names are names of the host, all numbers are bounded.
 */
#include <errno.h>
#include <string.h>

#include "block/bytes.h"
#include "block/vvfat.h"

enum { PATH_MOST = 2048, FREE_NAME = 0xe5, IS_E5 = 0x05 };
enum { LOWER_BASE = 0x08, LOWER_EXTENSION = 0x10 }; /* of byte 12, as Windows NT has it */
enum { LAST_PART = 0x40, PARTS_MOST = 20 };

/* A long name as far as its parts have come; they come last first. */
typedef struct LongName {
    gunichar2 text[PARTS_MOST * FAT_LONG_PART + 1];
    unsigned missing; /* parts; with `whole`, 0: it is complete */
    uint8_t checksum;
    bool whole;
} LongName;

typedef struct Scanner {
    FatScan *scan;
    const FatShape *shape;
    FatRead *read;
    void *data;
    char **why;
    GHashTable *names; /* of the folder that is read, in one case */
} Scanner;

static G_GNUC_PRINTF(2, 3) int wrong(Scanner *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    *s->why = g_strdup_vprintf(fmt, args);
    va_end(args);
    return -EUCLEAN;
}

/* ---- the table ---- */

/* Where the disk is cut, and how: a guest that changes this has made it another one. */
static int check_shape(Scanner *s)
{
    enum { GEOMETRY = 11, FROM = 446 };
    uint8_t was[FAT_SECTOR], is[FAT_SECTOR];
    unsigned end = s->shape->bits == 32 ? 52 : 36;
    int result = s->read(s->data, 0, is, sizeof(is));

    fat_shape_sector(s->shape, 0, was);
    if (result == 0 && !s->shape->floppy &&
        (memcmp(is + FROM + 4, was + FROM + 4, 12) != 0 || load_le(is + 510, 2) != 0xaa55)) {
        return wrong(s, "the disk has another table of partitions");
    }
    result = result ? result : s->read(s->data, s->shape->start * FAT_SECTOR, is, sizeof(is));
    fat_shape_sector(s->shape, s->shape->start, was);
    if (result == 0 && memcmp(is + GEOMETRY, was + GEOMETRY, end - GEOMETRY) != 0) {
        return wrong(s, "the disk has another file system");
    }
    return result;
}

static void unpack_fat(FatScan *scan, const FatShape *shape, const uint8_t *bytes)
{
    for (uint32_t i = 0; i < shape->clusters + FAT_FIRST_CLUSTER; i++) {
        if (shape->bits == 12) { /* two entries in three bytes */
            scan->fat[i] = load_le(bytes + i / 2 * 3 + i % 2, 2) >> i % 2 * 4 & 0xfff;
        } else {
            scan->fat[i] = load_le(bytes + i * (shape->bits / 8), shape->bits / 8) & 0x0fffffff;
        }
    }
}

/* Both copies say the same, or one of them is still to be written. */
static int read_fat(Scanner *s)
{
    enum { PIECE = 1 << 18 };
    const FatShape *shape = s->shape;
    size_t size = (size_t)shape->fat_sectors * FAT_SECTOR;
    uint64_t at = (shape->start + shape->reserved) * FAT_SECTOR;
    g_autofree uint8_t *first = g_try_malloc0(size + 4); /* an entry of FAT12 may end behind it */
    g_autofree uint8_t *second = g_malloc(PIECE);
    int result = first ? s->read(s->data, at, first, size) : -ENOMEM;

    for (size_t done = 0; result == 0 && done < size; done += PIECE) {
        size_t part = MIN(PIECE, size - done);

        result = s->read(s->data, at + size + done, second, part);
        if (result == 0 && memcmp(first + done, second, part) != 0) {
            return wrong(s, "the two copies of its table differ");
        }
    }
    s->scan->fat = g_try_new0(uint32_t, shape->clusters + FAT_FIRST_CLUSTER);
    s->scan->used = g_try_malloc0((shape->clusters + FAT_FIRST_CLUSTER) / 8 + 1);
    if (result == 0 && (!s->scan->fat || !s->scan->used)) {
        result = -ENOMEM;
    }
    if (result == 0) {
        unpack_fat(s->scan, shape, first);
    }
    return result;
}

static bool is_last(const FatShape *shape, uint32_t next)
{
    uint32_t end = shape->bits == 12 ? 0xff8 : shape->bits == 16 ? 0xfff8 : 0x0ffffff8;

    return next >= end;
}

/* Adds a chain's runs, of so many clusters at least. */
static int take_chain(Scanner *s, FatFound *found, uint32_t cluster, uint64_t least)
{
    FatScan *scan = s->scan;
    uint64_t count = 0;

    found->run = scan->runs->len;
    while (cluster != 0) {
        FatRun *last = found->runs ? &g_array_index(scan->runs, FatRun, scan->runs->len - 1) : NULL;
        uint32_t next;

        if (cluster < FAT_FIRST_CLUSTER || cluster - FAT_FIRST_CLUSTER >= s->shape->clusters) {
            return wrong(s, "`%s` goes on outside of the disk", found->path);
        }
        if (scan->used[cluster / 8] & 1 << cluster % 8) {
            return wrong(s, "`%s` shares a cluster with another file", found->path);
        }
        scan->used[cluster / 8] |= 1 << cluster % 8;
        if (last && last->cluster + last->count == cluster) {
            last->count++;
        } else {
            g_array_append_val(scan->runs, ((FatRun){ cluster, 1 }));
            found->runs++;
        }
        count++;
        next = scan->fat[cluster];
        if (is_last(s->shape, next)) {
            break;
        }
        if (next == 0) {
            return wrong(s, "`%s` goes on in a cluster that is free", found->path);
        }
        cluster = next;
    }
    return count >= least ? 0 : wrong(s, "`%s` is longer than what it has", found->path);
}

/* ---- names ---- */

/* "NAME    EXT" becomes "name.ext"; NULL: it is not of letters that all hosts and guests share. */
static char *short_name_of(const uint8_t *entry)
{
    GString *name = g_string_new(NULL);
    bool fine = true;

    for (unsigned i = 0; i < FAT_SHORT_NAME; i++) {
        bool lower = entry[12] & (i < 8 ? LOWER_BASE : LOWER_EXTENSION);
        uint8_t c = i == 0 && entry[0] == IS_E5 ? FREE_NAME : entry[i];

        if (i == 8 && memcmp(entry + 8, "   ", 3) != 0) {
            while (name->len && name->str[name->len - 1] == ' ') {
                g_string_truncate(name, name->len - 1);
            }
            g_string_append_c(name, '.');
        }
        fine = fine && c < 0x80;
        g_string_append_c(name, lower ? g_ascii_tolower(c) : c);
    }
    while (name->len && name->str[name->len - 1] == ' ') {
        g_string_truncate(name, name->len - 1);
    }
    return g_string_free(name, !fine);
}

static void take_part(LongName *name, const uint8_t *entry)
{
    unsigned number = entry[0] & ~LAST_PART;

    if (entry[0] & LAST_PART) {
        *name = (LongName){ .missing = number, .checksum = entry[13], .whole = true };
        name->whole = number > 0 && number <= PARTS_MOST;
    }
    name->whole = name->whole && name->missing == number && number > 0 &&
        name->checksum == entry[13];
    for (unsigned i = 0; name->whole && i < FAT_LONG_PART; i++) {
        name->text[(number - 1) * FAT_LONG_PART + i] = load_le(entry + fat_long_places[i], 2);
    }
    name->missing = name->whole ? number - 1 : 0;
}

/* The long name if it is this entry's, or the short one; NULL: neither can be read. */
static char *name_of(const LongName *name, const uint8_t *entry)
{
    bool is_its = name->whole && name->missing == 0 &&
        name->checksum == fat_checksum((const char *)entry);

    return is_its ? g_utf16_to_utf8(name->text, -1, NULL, NULL, NULL) : short_name_of(entry);
}

/* Such a name can stand in a folder of the host, and only in that one. */
static bool is_host_name(const char *name)
{
    if (!name || !*name || strlen(name) > FAT_NAME_MOST || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0) {
        return false;
    }
    for (const char *c = name; *c; c++) {
        if ((uint8_t)*c < ' ' || *c == 0x7f || *c == '/') {
            return false;
        }
    }
    return true;
}

/* ---- folders ---- */

static int add_found(Scanner *s, const FatFound *folder, const uint8_t *entry, char *name)
{
    FatScan *scan = s->scan;
    uint32_t high = s->shape->bits == 32 ? load_le(entry + 20, 2) : 0;
    uint32_t cluster = high << 16 | load_le(entry + 26, 2);
    uint32_t cluster_size = s->shape->cluster_sectors * FAT_SECTOR;
    FatFound found = { .path = folder ? g_strdup_printf("%s/%s", folder->path, name)
                                      : g_strdup(name),
        .folder = entry[11] & FAT_FOLDER,
        .size = entry[11] & FAT_FOLDER ? 0 : load_le(entry + 28, 4),
        .time = load_le(entry + 22, 2),
        .date = load_le(entry + 24, 2) };
    uint64_t least = found.folder ? 1 : ((uint64_t)found.size + cluster_size - 1) / cluster_size;
    char *one_case = g_utf8_casefold(name, -1);
    int result;

    if (!g_hash_table_add(s->names, one_case)) {
        result = wrong(s, "`%s` is there twice", found.path);
    } else if (strlen(found.path) > PATH_MOST || scan->found->len == FAT_FILES_MOST) {
        result = wrong(s, "`%.80s...` is too deep, or one file too many", found.path);
    } else {
        result = take_chain(s, &found, cluster, least);
    }
    g_array_append_val(scan->found, found); /* it is cleared there, whatever became of it */
    g_hash_table_insert(scan->by_path, found.path, GUINT_TO_POINTER(scan->found->len));
    return result;
}

static int take_entry(Scanner *s, int folder, const uint8_t *entry, LongName *long_name)
{
    const FatFound *of = folder < 0 ? NULL : &g_array_index(s->scan->found, FatFound, folder);
    g_autofree char *name = NULL;

    if (entry[0] != FREE_NAME && (entry[11] & 0x3f) == FAT_LONG_NAME) {
        take_part(long_name, entry);
        return 0;
    }
    if (entry[0] != FREE_NAME && !(entry[11] & FAT_LABEL) &&
        !(of && (memcmp(entry, ".          ", 11) == 0 || memcmp(entry, "..         ", 11) == 0))) {
        name = name_of(long_name, entry);
        if (!is_host_name(name)) {
            return wrong(
                s, "in `/%s` is a name that no file of the host can have", of ? of->path : "");
        }
    }
    long_name->whole = false;
    return name ? add_found(s, of, entry, name) : 0;
}

/* Entries one after the other; gives 1 behind the last one. */
static int take_entries(
    Scanner *s, int folder, const uint8_t *entries, size_t length, LongName *name)
{
    int result = 0;

    for (size_t i = 0; i < length && result == 0; i += FAT_ENTRY) {
        result = entries[i] == 0 ? 1 : take_entry(s, folder, entries + i, name);
    }
    return result;
}

/* A folder is its clusters, or the sectors of a root that has none. */
static int read_folder(Scanner *s, int folder, const FatRun *runs, unsigned count)
{
    size_t size = s->shape->cluster_sectors * FAT_SECTOR;
    g_autofree uint8_t *buffer = g_malloc(MAX(size, s->shape->root_sectors * FAT_SECTOR));
    LongName name = { 0 };
    uint64_t total = 0;
    int result = 0;

    g_hash_table_remove_all(s->names);
    if (count == 0) {
        size = s->shape->root_sectors * FAT_SECTOR;
        result = s->read(s->data, fat_shape_root(s->shape), buffer, size);
        return result < 0 ? result : take_entries(s, folder, buffer, size, &name);
    }
    for (unsigned i = 0; i < count; i++) {
        for (uint32_t j = 0; j < runs[i].count && result == 0; j++, total += size) {
            if (total >= FAT_FOLDER_MOST) {
                return wrong(s, "a folder is longer than FAT lets it be");
            }
            result = s->read(
                s->data, fat_shape_cluster(s->shape, runs[i].cluster + j), buffer, size);
            result = result < 0 ? result : take_entries(s, folder, buffer, size, &name);
        }
    }
    return result;
}

static void clear_found(void *data)
{
    g_free(((FatFound *)data)->path);
}

static int read_root(Scanner *s)
{
    const FatFile *root = &g_array_index(s->shape->tree.files, FatFile, 0);
    FatFound found = { .path = (char *)"" };
    int result = s->shape->bits == 32 ? take_chain(s, &found, root->cluster, 1) : 0;
    g_autofree FatRun *runs = g_memdup2(s->scan->runs->data, s->scan->runs->len * sizeof(FatRun));

    return result < 0 ? result : read_folder(s, -1, runs, found.runs);
}

int fat_scan(FatScan *scan, const FatShape *shape, FatRead *read, void *data, char **why)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Scanner s = { scan, shape, read, data, why, names };
    int result;

    *why = NULL;
    *scan = (FatScan){ .found = g_array_new(false, false, sizeof(FatFound)),
        .runs = g_array_new(false, false, sizeof(FatRun)),
        .by_path = g_hash_table_new(g_str_hash, g_str_equal) };
    g_array_set_clear_func(scan->found, clear_found);
    result = check_shape(&s);
    result = result < 0 ? result : read_fat(&s);
    result = result < 0 ? result : read_root(&s);
    /* Folders that are found are behind: the array is the list of what is left to do, too. */
    for (unsigned i = 0; result >= 0 && i < scan->found->len; i++) {
        FatFound found = g_array_index(scan->found, FatFound, i);

        if (found.folder) {
            g_autofree FatRun *runs = g_memdup2(
                &g_array_index(scan->runs, FatRun, found.run), found.runs * sizeof(FatRun));

            result = read_folder(&s, i, runs, found.runs);
        }
    }
    return MIN(result, 0);
}

void fat_scan_clear(FatScan *scan)
{
    g_clear_pointer(&scan->by_path, g_hash_table_unref);
    g_clear_pointer(&scan->found, g_array_unref);
    g_clear_pointer(&scan->runs, g_array_unref);
    g_clear_pointer(&scan->fat, g_free);
    g_clear_pointer(&scan->used, g_free);
}

const FatFound *fat_scan_find(const FatScan *scan, const char *path)
{
    unsigned index = GPOINTER_TO_UINT(g_hash_table_lookup(scan->by_path, path));

    return index ? &g_array_index(scan->found, FatFound, index - 1) : NULL;
}

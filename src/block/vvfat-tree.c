#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "block/bytes.h"
#include "block/vvfat.h"

const uint8_t fat_long_places[FAT_LONG_PART] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };

/* ---- entries ---- */

static void put_entry(
    GByteArray *out, const char *short_name, unsigned attributes, const FatFile *file)
{
    uint8_t entry[FAT_ENTRY] = { 0 };

    memcpy(entry, short_name, FAT_SHORT_NAME);
    entry[11] = attributes;
    store_le(entry + 14, 2, file->time);
    store_le(entry + 16, 2, file->date);
    store_le(entry + 18, 2, file->date);
    store_le(entry + 22, 2, file->time);
    store_le(entry + 24, 2, file->date);
    store_le(entry + 28, 4, file->names ? 0 : file->size);
    g_byte_array_append(out, entry, sizeof(entry));
}

uint8_t fat_checksum(const char *short_name)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < FAT_SHORT_NAME; i++) {
        sum = (sum >> 1 | sum << 7) + (uint8_t)short_name[i];
    }
    return sum;
}

/* The parts of a long name, the last one first; it ends with a 0 where there is room. */
static void put_long_name(
    GByteArray *out, const gunichar2 *name, unsigned length, const char *short_name)
{
    unsigned parts = (length + FAT_LONG_PART - 1) / FAT_LONG_PART;

    for (unsigned part = parts; part > 0; part--) {
        uint8_t entry[FAT_ENTRY] = { part | (part == parts ? 0x40 : 0) };

        entry[11] = FAT_LONG_NAME;
        entry[13] = fat_checksum(short_name);
        for (unsigned i = 0; i < FAT_LONG_PART; i++) {
            unsigned at = (part - 1) * FAT_LONG_PART + i;

            store_le(entry + fat_long_places[i], 2,
                at < length        ? name[at]
                    : at == length ? 0
                                   : 0xffff);
        }
        g_byte_array_append(out, entry, sizeof(entry));
    }
}

bool fat_label_parse(const char *text, size_t length, char label[FAT_SHORT_NAME + 1])
{
    bool fine = length > 0 && length <= FAT_SHORT_NAME && text[0] != ' ';

    memset(label, ' ', FAT_SHORT_NAME);
    label[FAT_SHORT_NAME] = 0;
    for (size_t i = 0; fine && i < length; i++) {
        label[i] = g_ascii_toupper(text[i]);
        fine = g_ascii_isalnum(text[i]) || strchr("!#$%&'()-@^_`{}~ ", text[i]);
    }
    return fine;
}

static char short_letter(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("!#$%&'()-@^_`{}~", c)) ? g_ascii_toupper(c) : '_';
}

/* "Some file.text" becomes "SOMEFILE" and "TEX"; true when nothing was lost. */
static bool shorten(const char *name, char *out)
{
    const char *dot = strrchr(name, '.');
    const char *end = dot && dot != name ? dot : name + strlen(name);
    unsigned base = 0, extension = 8;
    bool same = true;

    memset(out, ' ', FAT_SHORT_NAME);
    for (const char *c = name; c < end; c++) {
        same = same && base < 8 && short_letter(*c) == *c;
        if (base < 8 && *c != ' ' && *c != '.') {
            out[base++] = short_letter(*c);
        }
    }
    for (const char *c = end; *c && *++c;) {
        same = same && extension < FAT_SHORT_NAME && short_letter(*c) == *c;
        if (extension < FAT_SHORT_NAME && *c != ' ') {
            out[extension++] = short_letter(*c);
        }
    }
    if (base == 0) {
        out[0] = '_';
    }
    return same && base > 0;
}

/* "SOMEFI~1TEX", with the first number that nobody in the folder has. */
static void make_unique(char *name, GHashTable *used)
{
    char base[FAT_SHORT_NAME];

    memcpy(base, name, FAT_SHORT_NAME);
    for (unsigned number = 1;; number++) {
        g_autofree char *tail = g_strdup_printf("~%u", number);
        unsigned at = 8 - strlen(tail);

        while (at > 1 && base[at - 1] == ' ') {
            at--;
        }
        memcpy(name, base, FAT_SHORT_NAME);
        memset(name + at, ' ', 8 - at);
        memcpy(name + at, tail, strlen(tail));
        if (!g_hash_table_contains(used, name)) {
            return;
        }
    }
}

static void put_name(FatFile *folder, FatFile *file, const char *name, GHashTable *used)
{
    glong length = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(name, -1, NULL, &length, NULL);
    char short_name[FAT_SHORT_NAME + 1] = "";
    bool same = shorten(name, short_name) && !g_hash_table_contains(used, short_name);

    if (!same) {
        make_unique(short_name, used);
        put_long_name(folder->names, wide, length, short_name);
    }
    g_hash_table_add(used, g_strdup(short_name));
    file->entry = folder->names->len;
    put_entry(folder->names, short_name, file->names ? FAT_FOLDER : FAT_ARCHIVE, file);
}

/* ---- the host's folder ---- */

static void set_time(FatFile *file, time_t when)
{
    struct tm tm = { 0 };

    gmtime_r(&when, &tm);
    if (tm.tm_year < 80 || tm.tm_year > 207) { /* FAT counts from 1980 to 2107 */
        tm = (struct tm){ .tm_year = 80, .tm_mday = 1 };
    }
    file->time = tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2;
    file->date = (tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *list_names(const char *folder, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    GPtrArray *names = dir ? g_ptr_array_new_with_free_func(g_free) : NULL;
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_utf8_validate(name, -1, NULL) && g_utf8_strlen(name, -1) <= FAT_NAME_MOST) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    if (names) {
        g_ptr_array_sort(names, compare_names);
    }
    return names;
}

/* False for what is neither a file nor a folder: it is left out. */
static bool look_at(FatFile *file, const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat stat;

    if (lstat(path, &stat) != 0 || !(S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode))) {
        return false;
    }
    *file = (FatFile){ .path = g_steal_pointer(&path),
        .names = S_ISDIR(stat.st_mode) ? g_byte_array_new() : NULL,
        .size = S_ISDIR(stat.st_mode) ? 0 : stat.st_size };
    set_time(file, stat.st_mtime);
    return true;
}

static bool refuse(GError **error, const char *path, const char *text)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "`%s` %s", path, text);
    return false;
}

static void file_clear(void *data)
{
    FatFile *file = data;

    g_free(file->path);
    if (file->names) {
        g_byte_array_unref(file->names);
    }
}

static bool read_folder(FatTree *tree, uint32_t index, const char *label, GError **error)
{
    const char *path = g_array_index(tree->files, FatFile, index).path;
    g_autoptr(GPtrArray) names = list_names(path, error);
    g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (!names) {
        return false;
    }
    if (index == 0) {
        put_entry(g_array_index(tree->files, FatFile, 0).names, label, FAT_LABEL,
            &(FatFile){ .date = 0x21 });
    } else {
        FatFile *folder = &g_array_index(tree->files, FatFile, index);

        put_entry(folder->names, ".          ", FAT_FOLDER, folder);
        put_entry(folder->names, "..         ", FAT_FOLDER, folder);
    }
    for (unsigned i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        FatFile file;

        path = g_array_index(tree->files, FatFile, index).path;
        if (!look_at(&file, path, name)) {
            continue;
        }
        if (file.size > UINT32_MAX || tree->files->len == FAT_FILES_MOST) {
            refuse(error, file.path, "has more than 4 GiB, or is one file too many for FAT");
            file_clear(&file);
            return false;
        }
        file.parent = index;
        put_name(&g_array_index(tree->files, FatFile, index), &file, name, used);
        g_array_append_val(tree->files, file);
    }
    return g_array_index(tree->files, FatFile, index).names->len <= FAT_FOLDER_MOST ||
        refuse(error, path, "has more files than a folder of FAT can");
}

bool fat_tree_read(FatTree *tree, const char *folder, const char *label, GError **error)
{
    FatFile root = { .path = g_strdup(folder), .names = g_byte_array_new() };

    tree->files = g_array_new(false, false, sizeof(FatFile));
    g_array_set_clear_func(tree->files, file_clear);
    g_array_append_val(tree->files, root);
    /* Folders that are found are behind: the array is the list of what is left to do, too. */
    for (uint32_t i = 0; i < tree->files->len; i++) {
        if (g_array_index(tree->files, FatFile, i).names && !read_folder(tree, i, label, error)) {
            return false;
        }
    }
    return true;
}

void fat_tree_clear(FatTree *tree)
{
    g_clear_pointer(&tree->files, g_array_unref);
}

/* ---- places ---- */

static uint64_t clusters_of(const FatFile *file, uint32_t cluster_size)
{
    uint64_t size = file->names ? MAX(file->names->len, 1) : file->size;

    return (size + cluster_size - 1) / cluster_size;
}

uint64_t fat_tree_clusters(const FatTree *tree, uint32_t cluster_size, bool fixed_root)
{
    uint64_t sum = 0;

    for (uint32_t i = fixed_root; i < tree->files->len; i++) {
        sum += clusters_of(&g_array_index(tree->files, FatFile, i), cluster_size);
    }
    return sum;
}

static void set_cluster(uint8_t *entry, uint32_t cluster)
{
    store_le(entry + 20, 2, cluster >> 16);
    store_le(entry + 26, 2, cluster);
}

void fat_tree_place(FatTree *tree, uint32_t cluster_size, bool fixed_root)
{
    uint32_t next = FAT_FIRST_CLUSTER;

    for (uint32_t i = 0; i < tree->files->len; i++) {
        FatFile *file = &g_array_index(tree->files, FatFile, i);
        const FatFile *parent = &g_array_index(tree->files, FatFile, file->parent);

        file->clusters = i == 0 && fixed_root ? 0 : clusters_of(file, cluster_size);
        file->cluster = file->clusters ? next : 0;
        next += file->clusters;
        if (i > 0) {
            set_cluster(parent->names->data + file->entry, file->cluster);
        }
        if (i > 0 && file->names) { /* `..` of what is in the root says 0 */
            set_cluster(file->names->data, file->cluster);
            set_cluster(file->names->data + FAT_ENTRY, file->parent ? parent->cluster : 0);
        }
    }
}

const FatFile *fat_tree_find(const FatTree *tree, uint32_t cluster)
{
    uint32_t low = 0, high = tree->files->len;
    const FatFile *found;

    /* Empty ones have cluster 0: step back from them to one with a place. */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2, at = middle;

        while (at > low && g_array_index(tree->files, FatFile, at).clusters == 0) {
            at--;
        }
        found = &g_array_index(tree->files, FatFile, at);
        if (found->clusters == 0 || found->cluster + found->clusters <= cluster) {
            low = middle + 1;
        } else if (found->cluster > cluster) {
            high = at;
        } else {
            return found;
        }
    }
    return NULL;
}

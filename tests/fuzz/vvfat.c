/*
 * A floppy disk of FAT with any changes: each is where (3 bytes), how many bytes (1), and these. What a
 * scan finds has to be names that a host can have, below the folder, and clusters that nobody else has.
 *
 * folders: core block
 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"
#include "block/vvfat.h"

extern const BlockDriver file_block_driver;
const BlockDriver *const block_drivers[] = { &file_block_driver, NULL };

enum { DISK = 2880 * FAT_SECTOR, FROM = 4, SPAN = 64 << 10 };

typedef struct Disk {
    FatShape shape;
    uint8_t whole[DISK], bytes[DISK];
} Disk;

/* Two files and a folder with a third one, in the first clusters. */
static void make_folder(const char *folder)
{
    g_autofree char *inner = g_build_filename(folder, "a folder", NULL);
    static const char *const names[] = { "FILE.TXT", "a longer name.text", "a folder/inside" };

    g_assert(g_mkdir(inner, 0700) == 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autofree char *text = g_strnfill(i * 700 + 1, 'x');

        g_assert(g_file_set_contents(path, text, -1, NULL));
    }
}

static void fill(Disk *disk)
{
    for (uint32_t i = 0; i < DISK / FAT_SECTOR; i++) {
        if ((uint64_t)i * FAT_SECTOR < fat_shape_cluster(&disk->shape, FAT_FIRST_CLUSTER)) {
            fat_shape_sector(&disk->shape, i, disk->whole + i * FAT_SECTOR);
        }
    }
    for (uint32_t i = 1; i < disk->shape.tree.files->len; i++) {
        const FatFile *file = &g_array_index(disk->shape.tree.files, FatFile, i);

        if (file->names) {
            memcpy(disk->whole + fat_shape_cluster(&disk->shape, file->cluster), file->names->data,
                file->names->len);
        }
    }
}

static Disk *disk_new(void)
{
    Disk *disk = g_new0(Disk, 1);
    g_autofree char *folder = g_dir_make_tmp("fuzz-vvfat-XXXXXX", NULL);

    make_folder(folder);
    disk->shape.floppy = true;
    g_assert(fat_label_parse("FUZZ", 4, disk->shape.label) &&
        fat_tree_read(&disk->shape.tree, folder, disk->shape.label, NULL) &&
        fat_shape_choose(&disk->shape, NULL, NULL));
    fill(disk);
    return disk;
}

static int read_bytes(void *data, uint64_t at, void *out, size_t length)
{
    const Disk *disk = data;

    g_assert(at <= DISK && length <= DISK - at);
    memcpy(out, disk->bytes + at, length);
    return 0;
}

static void check_name(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    g_assert(parts[0]);
    for (unsigned i = 0; parts[i]; i++) {
        g_assert(*parts[i] && strcmp(parts[i], ".") != 0 && strcmp(parts[i], "..") != 0);
        g_assert(strlen(parts[i]) <= FAT_NAME_MOST && g_utf8_validate(parts[i], -1, NULL));
    }
}

static void check_scan(const Disk *disk, const FatScan *scan)
{
    g_autofree uint8_t *taken = g_malloc0(disk->shape.clusters + FAT_FIRST_CLUSTER);

    for (unsigned i = 0; i < scan->found->len; i++) {
        const FatFound *found = &g_array_index(scan->found, FatFound, i);

        check_name(found->path);
        g_assert(fat_scan_find(scan, found->path) == found);
        for (unsigned j = 0; j < found->runs; j++) {
            FatRun run = g_array_index(scan->runs, FatRun, found->run + j);

            for (uint32_t k = 0; k < run.count; k++) {
                g_assert(!taken[run.cluster + k]++);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static Disk *disk;
    g_autofree char *why = NULL;
    FatScan scan = { 0 };

    disk = disk ? disk : disk_new();
    memcpy(disk->bytes, disk->whole, DISK);
    while (size > FROM) {
        uint32_t at = (bytes[0] | bytes[1] << 8 | bytes[2] << 16) % SPAN;
        size_t length = MIN(bytes[3], size - FROM);

        memcpy(disk->bytes + at, bytes + FROM, length);
        bytes += FROM + length;
        size -= FROM + length;
    }
    if (fat_scan(&scan, &disk->shape, read_bytes, disk, &why) == 0) {
        check_scan(disk, &scan);
    } else {
        g_assert(why);
    }
    fat_scan_clear(&scan);
    return 0;
}

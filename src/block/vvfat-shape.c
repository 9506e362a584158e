/* Where everything is on a disk of FAT, and what is in the sectors before the clusters. */
#include "block/vvfat.h"

#include <string.h>

#include "block/block.h"
#include "block/bytes.h"

enum {
    PARTITION = 2048,   /* first sector of the only one */
    ROOT_ENTRIES = 512, /* of FAT12 and FAT16 */
    FAT12_MOST = 4084,  /* clusters; as many, and not more, make it FAT12 */
    FAT16_MOST = 65524, /* "FAT type determination" */
    FAT32_MOST = 0x0ffffff5 - FAT_FIRST_CLUSTER,
    FAT16_ROOM = 1 << 30, /* bytes of files up to which it is FAT16 */
    RESERVED_32 = 32,
    CLUSTER_LEAST_32 = 4096,
    CLUSTER_MOST = 32 << 10,
    ROOM = 512 << 20,            /* of a disk that is written to, at least */
    CLUSTERS_TO_SCAN = 16 << 20, /* of one, at most: the scan has them in memory */
};

/* ---- what it looks like ---- */

static uint32_t fat_bytes(const FatShape *s)
{
    uint64_t entries = (uint64_t)s->clusters + FAT_FIRST_CLUSTER;

    return s->bits == 12 ? (entries * 3 + 1) / 2 : entries * s->bits / 8;
}

/* A FAT is of the kind that the number of its clusters says: there may have to be some more. */
static bool choose_size(const BlockNode *node, FatShape *s, uint64_t most, GError **error)
{
    bool fixed_root = s->bits != 32;
    uint64_t least = s->bits == 32 ? FAT16_MOST + 1 : s->bits == 16 ? FAT12_MOST + 1 : 1;
    uint64_t needed = fat_tree_clusters(&s->tree, s->cluster_sectors * FAT_SECTOR, fixed_root);
    uint64_t spare;

    while (needed > most && s->cluster_sectors * FAT_SECTOR < CLUSTER_MOST) {
        s->cluster_sectors *= 2;
        needed = fat_tree_clusters(&s->tree, s->cluster_sectors * FAT_SECTOR, fixed_root);
    }
    if (needed > most) {
        return block_refuse(
            node, error, "has too many files for FAT%u; fat:32: has more room", s->bits);
    }
    spare = s->roomy ? needed + ROOM / (s->cluster_sectors * FAT_SECTOR) : needed / 8 + 16;
    s->clusters = MAX(needed + MIN(spare, most - needed), least);
    s->reserved = s->bits == 32 ? RESERVED_32 : 1;
    s->root_sectors = fixed_root ? ROOT_ENTRIES * FAT_ENTRY / FAT_SECTOR : 0;
    s->fat_sectors = (fat_bytes(s) + FAT_SECTOR - 1) / FAT_SECTOR;
    return true;
}

static const struct {
    unsigned sectors, in_cluster, in_track;
} floppies[] = { { 2880, 1, 18 }, { 5760, 2, 36 } }; /* 1.44 and 2.88 MB */

/* The smallest floppy disk that has room for all of it. */
static bool choose_floppy(const BlockNode *node, FatShape *s, GError **error)
{
    if (s->bits != 0 && s->bits != 12) {
        return block_refuse(node, error, "is a floppy disk, which has FAT12");
    }
    s->bits = 12;
    s->reserved = 1;
    s->root_sectors = ROOT_ENTRIES * FAT_ENTRY / FAT_SECTOR;
    for (unsigned i = 0; i < G_N_ELEMENTS(floppies); i++) {
        uint32_t left = floppies[i].sectors - s->reserved - s->root_sectors;

        s->cluster_sectors = floppies[i].in_cluster;
        s->clusters = left / s->cluster_sectors;
        s->fat_sectors = (fat_bytes(s) + FAT_SECTOR - 1) / FAT_SECTOR;
        s->clusters = (left - 2 * s->fat_sectors) / s->cluster_sectors;
        s->fat_sectors = (fat_bytes(s) + FAT_SECTOR - 1) / FAT_SECTOR;
        s->clusters = (left - 2 * s->fat_sectors) / s->cluster_sectors;
        s->sectors = floppies[i].sectors;
        if (fat_tree_clusters(&s->tree, s->cluster_sectors * FAT_SECTOR, true) <= s->clusters) {
            return true;
        }
    }
    return block_refuse(
        node, error, "has more files than a floppy disk has room for, which is 2.88 MB");
}

static bool choose_disk(const BlockNode *node, FatShape *s, GError **error)
{
    static const uint64_t most[] = { [12] = FAT12_MOST, [16] = FAT16_MOST, [32] = FAT32_MOST };
    const FatFile *root = &g_array_index(s->tree.files, FatFile, 0);
    uint64_t sectors;

    if (s->bits == 0) {
        s->bits = fat_tree_clusters(&s->tree, 1, false) > FAT16_ROOM ||
                root->names->len > ROOT_ENTRIES * FAT_ENTRY
            ? 32
            : 16;
    }
    s->cluster_sectors = s->bits == 32 ? CLUSTER_LEAST_32 / FAT_SECTOR : s->roomy ? 16 : 4;
    if (!choose_size(
            node, s, s->roomy ? MIN(most[s->bits], CLUSTERS_TO_SCAN) : most[s->bits], error)) {
        return false;
    }
    sectors = s->reserved + 2 * s->fat_sectors + s->root_sectors +
        (uint64_t)s->clusters * s->cluster_sectors;
    if (sectors > UINT32_MAX - PARTITION) {
        return block_refuse(node, error, "has more files than 2 TiB");
    }
    s->start = PARTITION;
    s->sectors = sectors;
    return true;
}

bool fat_shape_choose(FatShape *s, const BlockNode *node, GError **error)
{
    const FatFile *root = &g_array_index(s->tree.files, FatFile, 0);

    if (!(s->floppy ? choose_floppy(node, s, error) : choose_disk(node, s, error))) {
        return false;
    }
    if (s->bits != 32 && root->names->len > ROOT_ENTRIES * FAT_ENTRY) {
        return block_refuse(node, error,
            "has more files than the root of FAT%u has room for: fat:32: can", s->bits);
    }
    fat_tree_place(&s->tree, s->cluster_sectors * FAT_SECTOR, s->bits != 32);
    return true;
}

/* ---- single sectors ---- */

static void put_mbr(const FatShape *s, uint8_t *out)
{
    static const uint8_t kinds[] = { [12] = 0x01, [16] = 0x0e, [32] = 0x0c };
    uint8_t *entry = out + 446;

    store_le(out + 440, 4, 0x6c617468);
    memcpy(entry, "\0\xfe\xff\xff\0\xfe\xff\xff", 8); /* by number of sector, not by cylinder */
    entry[4] = kinds[s->bits];
    store_le(entry + 8, 4, s->start);
    store_le(entry + 12, 4, s->sectors);
    store_le(out + 510, 2, 0xaa55);
}

static void put_boot_sector(const FatShape *s, uint8_t *out)
{
    uint8_t *tail = out + (s->bits == 32 ? 64 : 36);
    bool is_short = s->sectors < 65536;
    unsigned in_track = !s->floppy          ? 63
        : s->sectors == floppies[0].sectors ? floppies[0].in_track
                                            : floppies[1].in_track;
    static const char *const names[] = { [12] = "FAT12   ", [16] = "FAT16   ", [32] = "FAT32   " };

    memcpy(out, "\xeb\x58\x90LATHE   ", 11);
    store_le(out + 11, 2, FAT_SECTOR);
    out[13] = s->cluster_sectors;
    store_le(out + 14, 2, s->reserved);
    out[16] = 2;
    store_le(out + 17, 2, s->bits == 32 ? 0 : ROOT_ENTRIES);
    store_le(out + 19, 2, is_short ? s->sectors : 0);
    out[21] = s->floppy ? 0xf0 : 0xf8;
    store_le(out + 22, 2, s->bits == 32 ? 0 : s->fat_sectors);
    store_le(out + 24, 2, in_track);
    store_le(out + 26, 2, s->floppy ? 2 : 255);
    store_le(out + 28, 4, s->start);
    store_le(out + 32, 4, is_short ? 0 : s->sectors);
    if (s->bits == 32) {
        store_le(out + 36, 4, s->fat_sectors);
        store_le(out + 44, 4, g_array_index(s->tree.files, FatFile, 0).cluster);
        store_le(out + 48, 2, 1); /* FSInfo */
        store_le(out + 50, 2, 6); /* a copy of this sector */
    }
    tail[0] = s->floppy ? 0 : 0x80;
    tail[2] = 0x29;
    store_le(tail + 3, 4, 0x6c617468);
    memcpy(tail + 7, s->label, FAT_SHORT_NAME);
    memcpy(tail + 18, names[s->bits], 8);
    store_le(out + 510, 2, 0xaa55);
}

static void put_info(uint8_t *out)
{
    store_le(out, 4, 0x41615252);
    store_le(out + 484, 4, 0x61417272);
    store_le(out + 488, 4, UINT32_MAX); /* not known how many clusters are free */
    store_le(out + 492, 4, UINT32_MAX);
    store_le(out + 510, 2, 0xaa55);
}

static void put_reserved(const FatShape *s, uint32_t sector, uint8_t *out)
{
    if (sector == 0 || (s->bits == 32 && sector == 6)) {
        put_boot_sector(s, out);
    } else if (s->bits == 32 && (sector == 1 || sector == 7)) {
        put_info(out);
    }
}

static uint32_t fat_entry(const FatShape *s, uint32_t cluster)
{
    uint32_t last = s->bits == 12 ? 0xfff : s->bits == 16 ? 0xffff : 0x0fffffff;
    const FatFile *file;

    if (cluster < FAT_FIRST_CLUSTER) {
        return cluster == 0 ? (last & ~UINT32_C(0xff)) | (s->floppy ? 0xf0 : 0xf8) : last;
    }
    file = cluster < s->clusters + FAT_FIRST_CLUSTER ? fat_tree_find(&s->tree, cluster) : NULL;
    return !file ? 0 : cluster + 1 == file->cluster + file->clusters ? last : cluster + 1;
}

static void put_fat(const FatShape *s, uint32_t sector, uint8_t *out)
{
    uint32_t at = sector * FAT_SECTOR;

    if (s->bits != 12) {
        unsigned bytes = s->bits / 8;

        for (unsigned i = 0; i < FAT_SECTOR; i += bytes) {
            store_le(out + i, bytes, fat_entry(s, (at + i) / bytes));
        }
        return;
    }
    for (unsigned i = 0; i < FAT_SECTOR; i++) { /* two entries in three bytes */
        uint32_t pair = (at + i) / 3 * 2;
        uint32_t both = fat_entry(s, pair) | fat_entry(s, pair + 1) << 12;

        out[i] = both >> (at + i) % 3 * 8;
    }
}

static void put_names(const FatFile *folder, uint64_t from, uint8_t *out, size_t length)
{
    if (from < folder->names->len) {
        memcpy(out, folder->names->data + from, MIN(length, folder->names->len - from));
    }
}

void fat_shape_sector(const FatShape *s, uint64_t sector, uint8_t *out)
{
    memset(out, 0, FAT_SECTOR);
    if (sector < s->start) {
        if (sector == 0) {
            put_mbr(s, out);
        }
        return;
    }
    sector -= s->start;
    if (sector < s->reserved) {
        put_reserved(s, sector, out);
    } else if (sector < s->reserved + 2 * s->fat_sectors) {
        put_fat(s, (sector - s->reserved) % s->fat_sectors, out);
    } else {
        put_names(&g_array_index(s->tree.files, FatFile, 0),
            (sector - s->reserved - 2 * s->fat_sectors) * FAT_SECTOR, out, FAT_SECTOR);
    }
}

uint64_t fat_shape_root(const FatShape *s)
{
    return (s->start + s->reserved + 2 * (uint64_t)s->fat_sectors) * FAT_SECTOR;
}

uint64_t fat_shape_cluster(const FatShape *s, uint32_t cluster)
{
    return fat_shape_root(s) +
        (s->root_sectors + (uint64_t)(cluster - FAT_FIRST_CLUSTER) * s->cluster_sectors) *
        FAT_SECTOR;
}

/*
 * The protocol `vvfat`: a folder of the host as a disk with a FAT file system, to be read. Its
 * name is fat:[12:|16:|32:][floppy:]FOLDER.
 *
 * Nothing but directories is kept in memory: the rest of the file system is computed when it is
 * read, and files are read from the host. They are not to change meanwhile.
 */
#include "block/vvfat.h"

#include <errno.h>
#include <string.h>

#include "block/block.h"
#include "block/bytes.h"

enum {
    PARTITION = 2048,      /* first sector of the only one */
    FLOPPY_SECTORS = 2880, /* 1.44 MB */
    ROOT_ENTRIES = 512,    /* of FAT12 and FAT16 */
    FAT12_MOST = 4084,     /* clusters; as many, and not more, make it FAT12 */
    FAT16_MOST = 65524,    /* "FAT type determination" */
    FAT32_MOST = 0x0ffffff5 - FAT_FIRST_CLUSTER,
    FAT16_ROOM = 1 << 30, /* bytes of files up to which it is FAT16 */
    RESERVED_32 = 32,
    CLUSTER_LEAST_32 = 4096,
    CLUSTER_MOST = 32 << 10,
};

typedef struct Vvfat {
    FatTree tree;
    unsigned bits;    /* 12, 16 or 32 */
    bool floppy;      /* without a partition table */
    uint64_t start;   /* first sector of the file system */
    uint32_t sectors; /* of the file system */
    uint32_t cluster_sectors, clusters;
    uint32_t reserved, fat_sectors, root_sectors;

    const FatFile *current; /* whose file is open */
    BlockNode *file;
} Vvfat;

/* ---- what it looks like ---- */

static uint32_t fat_bytes(const Vvfat *v)
{
    uint64_t entries = (uint64_t)v->clusters + FAT_FIRST_CLUSTER;

    return v->bits == 12 ? (entries * 3 + 1) / 2 : entries * v->bits / 8;
}

/* A FAT is of the kind that the number of its clusters says: there may have to be some more. */
static bool choose_size(const BlockNode *node, Vvfat *v, uint64_t most, GError **error)
{
    bool fixed_root = v->bits != 32;
    uint64_t least = v->bits == 32 ? FAT16_MOST + 1 : v->bits == 16 ? FAT12_MOST + 1 : 1;
    uint64_t needed = fat_tree_clusters(&v->tree, v->cluster_sectors * FAT_SECTOR, fixed_root);

    while (needed > most && v->cluster_sectors * FAT_SECTOR < CLUSTER_MOST) {
        v->cluster_sectors *= 2;
        needed = fat_tree_clusters(&v->tree, v->cluster_sectors * FAT_SECTOR, fixed_root);
    }
    if (needed > most) {
        return block_refuse(
            node, error, "has too many files for FAT%u; fat:32: has more room", v->bits);
    }
    v->clusters = MAX(needed + MIN(needed / 8 + 16, most - needed), least);
    v->reserved = v->bits == 32 ? RESERVED_32 : 1;
    v->root_sectors = fixed_root ? ROOT_ENTRIES * FAT_ENTRY / FAT_SECTOR : 0;
    v->fat_sectors = (fat_bytes(v) + FAT_SECTOR - 1) / FAT_SECTOR;
    return true;
}

static bool lay_out(const BlockNode *node, Vvfat *v, GError **error)
{
    static const uint64_t most[] = { [12] = FAT12_MOST, [16] = FAT16_MOST, [32] = FAT32_MOST };
    const FatFile *root = &g_array_index(v->tree.files, FatFile, 0);
    uint64_t sectors;

    if (v->bits == 0) {
        v->bits = fat_tree_clusters(&v->tree, 1, false) > FAT16_ROOM ||
                root->names->len > ROOT_ENTRIES * FAT_ENTRY
            ? 32
            : 16;
    }
    v->cluster_sectors = v->bits == 32 ? CLUSTER_LEAST_32 / FAT_SECTOR : v->floppy ? 1 : 4;
    if (v->bits != 32 && root->names->len > ROOT_ENTRIES * FAT_ENTRY) {
        return block_refuse(node, error,
            "has more files than the root of FAT%u has room for: fat:32: can", v->bits);
    }
    if (!choose_size(node, v, most[v->bits], error)) {
        return false;
    }
    sectors = v->reserved + 2 * v->fat_sectors + v->root_sectors +
        (uint64_t)v->clusters * v->cluster_sectors;
    if (v->floppy) {
        if (sectors > FLOPPY_SECTORS) {
            return block_refuse(node, error, "has more files than a floppy disk has room for");
        }
        v->clusters = (FLOPPY_SECTORS - v->reserved - 2 * v->fat_sectors - v->root_sectors);
        v->fat_sectors = (fat_bytes(v) + FAT_SECTOR - 1) / FAT_SECTOR;
        v->clusters = (FLOPPY_SECTORS - v->reserved - 2 * v->fat_sectors - v->root_sectors);
        sectors = FLOPPY_SECTORS;
    }
    if (sectors > UINT32_MAX - PARTITION) {
        return block_refuse(node, error, "has more files than 2 TiB");
    }
    v->start = v->floppy ? 0 : PARTITION;
    v->sectors = sectors;
    fat_tree_place(&v->tree, v->cluster_sectors * FAT_SECTOR, v->bits != 32);
    return true;
}

/* ---- single sectors ---- */

static void put_mbr(const Vvfat *v, uint8_t *out)
{
    static const uint8_t kinds[] = { [12] = 0x01, [16] = 0x0e, [32] = 0x0c };
    uint8_t *entry = out + 446;

    store_le(out + 440, 4, 0x6c617468);
    memcpy(entry, "\0\xfe\xff\xff\0\xfe\xff\xff", 8); /* by number of sector, not by cylinder */
    entry[4] = kinds[v->bits];
    store_le(entry + 8, 4, v->start);
    store_le(entry + 12, 4, v->sectors);
    store_le(out + 510, 2, 0xaa55);
}

static void put_boot_sector(const Vvfat *v, uint8_t *out)
{
    uint8_t *tail = out + (v->bits == 32 ? 64 : 36);
    bool is_short = v->sectors < 65536;
    static const char *const names[] = { [12] = "FAT12   ", [16] = "FAT16   ", [32] = "FAT32   " };

    memcpy(out, "\xeb\x58\x90LATHE   ", 11);
    store_le(out + 11, 2, FAT_SECTOR);
    out[13] = v->cluster_sectors;
    store_le(out + 14, 2, v->reserved);
    out[16] = 2;
    store_le(out + 17, 2, v->bits == 32 ? 0 : ROOT_ENTRIES);
    store_le(out + 19, 2, is_short ? v->sectors : 0);
    out[21] = v->floppy ? 0xf0 : 0xf8;
    store_le(out + 22, 2, v->bits == 32 ? 0 : v->fat_sectors);
    store_le(out + 24, 2, v->floppy ? 18 : 63);
    store_le(out + 26, 2, v->floppy ? 2 : 255);
    store_le(out + 28, 4, v->start);
    store_le(out + 32, 4, is_short ? 0 : v->sectors);
    if (v->bits == 32) {
        store_le(out + 36, 4, v->fat_sectors);
        store_le(out + 44, 4, g_array_index(v->tree.files, FatFile, 0).cluster);
        store_le(out + 48, 2, 1); /* FSInfo */
        store_le(out + 50, 2, 6); /* a copy of this sector */
    }
    tail[0] = v->floppy ? 0 : 0x80;
    tail[2] = 0x29;
    store_le(tail + 3, 4, 0x6c617468);
    memcpy(tail + 7, "LATHE      ", 11);
    memcpy(tail + 18, names[v->bits], 8);
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

static void put_reserved(const Vvfat *v, uint32_t sector, uint8_t *out)
{
    if (sector == 0 || (v->bits == 32 && sector == 6)) {
        put_boot_sector(v, out);
    } else if (v->bits == 32 && (sector == 1 || sector == 7)) {
        put_info(out);
    }
}

static uint32_t fat_entry(const Vvfat *v, uint32_t cluster)
{
    uint32_t last = v->bits == 12 ? 0xfff : v->bits == 16 ? 0xffff : 0x0fffffff;
    const FatFile *file;

    if (cluster < FAT_FIRST_CLUSTER) {
        return cluster == 0 ? (last & ~UINT32_C(0xff)) | (v->floppy ? 0xf0 : 0xf8) : last;
    }
    file = cluster < v->clusters + FAT_FIRST_CLUSTER ? fat_tree_find(&v->tree, cluster) : NULL;
    return !file ? 0 : cluster + 1 == file->cluster + file->clusters ? last : cluster + 1;
}

static void put_fat(const Vvfat *v, uint32_t sector, uint8_t *out)
{
    uint32_t at = sector * FAT_SECTOR;

    if (v->bits != 12) {
        unsigned bytes = v->bits / 8;

        for (unsigned i = 0; i < FAT_SECTOR; i += bytes) {
            store_le(out + i, bytes, fat_entry(v, (at + i) / bytes));
        }
        return;
    }
    for (unsigned i = 0; i < FAT_SECTOR; i++) { /* two entries in three bytes */
        uint32_t pair = (at + i) / 3 * 2;
        uint32_t both = fat_entry(v, pair) | fat_entry(v, pair + 1) << 12;

        out[i] = both >> (at + i) % 3 * 8;
    }
}

static void put_names(const FatFile *folder, uint64_t from, uint8_t *out, size_t length)
{
    if (from < folder->names->len) {
        memcpy(out, folder->names->data + from, MIN(length, folder->names->len - from));
    }
}

/* A sector before the clusters; `sector` counts from the start of the disk. */
static void put_sector(const Vvfat *v, uint64_t sector, uint8_t *out)
{
    memset(out, 0, FAT_SECTOR);
    if (sector < v->start) {
        if (sector == 0) {
            put_mbr(v, out);
        }
        return;
    }
    sector -= v->start;
    if (sector < v->reserved) {
        put_reserved(v, sector, out);
    } else if (sector < v->reserved + 2 * v->fat_sectors) {
        put_fat(v, (sector - v->reserved) % v->fat_sectors, out);
    } else {
        put_names(&g_array_index(v->tree.files, FatFile, 0),
            (sector - v->reserved - 2 * v->fat_sectors) * FAT_SECTOR, out, FAT_SECTOR);
    }
}

/* ---- files ---- */

static int open_file(BlockNode *node, const FatFile *file)
{
    Vvfat *v = node->state;
    BlockOptions options = { .path = file->path, .cache = node->cache, .read_only = true };

    if (v->current == file) {
        return 0;
    }
    block_unref(v->file);
    v->current = NULL;
    v->file = block_open(node->loop, block_driver_find("file"), &options, NULL, NULL, NULL);
    v->current = v->file ? file : NULL;
    return v->file ? 0 : -EIO;
}

/* What a file has lost since the folder was read is zeroes. */
static int read_file(
    BlockNode *node, const FatFile *file, uint64_t from, uint8_t *out, uint64_t length)
{
    Vvfat *v = node->state;
    uint64_t there = from < file->size ? MIN(length, file->size - from) : 0;
    int result = there ? open_file(node, file) : 0;

    memset(out + there, 0, length - there);
    return there && result == 0 ? block_read(v->file, from, out, there) : result;
}

/* Bytes of one file at most; gives how many. */
static int64_t read_piece(BlockNode *node, uint64_t at, uint8_t *out, uint64_t length)
{
    Vvfat *v = node->state;
    uint64_t first = (v->start + v->reserved + 2 * v->fat_sectors + v->root_sectors) * FAT_SECTOR;
    uint64_t size = v->cluster_sectors * FAT_SECTOR, cluster, from;
    const FatFile *file;
    int result = 0;

    if (at < first) {
        put_sector(v, at / FAT_SECTOR, out);
        return FAT_SECTOR;
    }
    cluster = (at - first) / size + FAT_FIRST_CLUSTER;
    file = cluster < v->clusters + FAT_FIRST_CLUSTER ? fat_tree_find(&v->tree, cluster) : NULL;
    if (!file) {
        length = MIN(length, size - (at - first) % size);
        memset(out, 0, length);
        return length;
    }
    from = at - first - (file->cluster - FAT_FIRST_CLUSTER) * size;
    length = MIN(length, file->clusters * size - from);
    if (file->names) {
        memset(out, 0, length);
        put_names(file, from, out, length);
    } else {
        result = read_file(node, file, from, out, length);
    }
    return result < 0 ? result : (int64_t)length;
}

static int vvfat_transfer(BlockNode *node, const BlockIo *io)
{
    enum { PIECE = 1 << 20 };
    g_autofree uint8_t *buffer = NULL;

    if (io->op != BLOCK_READ) {
        return io->op == BLOCK_FLUSH ? 0 : -EROFS;
    }
    buffer = g_malloc(PIECE);
    for (uint64_t done = 0; done < io->length;) {
        int64_t part = read_piece(node, io->at + done, buffer, MIN(PIECE, io->length - done));

        if (part < 0) {
            return part;
        }
        block_memory_store(block_memory_after(io->memory, done), buffer, part);
        done += part;
    }
    return 0;
}

/* ---- opening ---- */

/* What is before the folder in its name. */
static const char *take_words(Vvfat *v, const char *name, bool *writable)
{
    static const struct {
        const char *word;
        unsigned bits;
    } kinds[] = { { "12:", 12 }, { "16:", 16 }, { "32:", 32 } };
    bool any = g_str_has_prefix(name, "fat:");

    name += any ? strlen("fat:") : 0;
    while (any) {
        any = false;
        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
            if (g_str_has_prefix(name, kinds[i].word)) {
                v->bits = kinds[i].bits;
                name += strlen(kinds[i].word);
                any = true;
            }
        }
        if (g_str_has_prefix(name, "floppy:") || g_str_has_prefix(name, "rw:")) {
            v->floppy |= name[0] == 'f';
            *writable |= name[0] == 'r';
            name = strchr(name, ':') + 1;
            any = true;
        }
    }
    return name;
}

static bool vvfat_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Vvfat *v = node->state;
    bool writable = !node->read_only;
    const char *folder = take_words(v, options->path ? options->path : "", &writable);

    if (writable) {
        return block_refuse(node, error,
            "is a folder shown as a disk, which is only read: what a guest writes to a FAT are "
            "blocks, not files; set read-only: true or overlay: ephemeral");
    }
    if (v->floppy && v->bits == 0) {
        v->bits = 12;
    }
    if (v->floppy && v->bits != 12) {
        return block_refuse(node, error, "is a floppy disk, which has FAT12");
    }
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_MISSING, "`%s` is not a folder", folder);
        return false;
    }
    if (!fat_tree_read(&v->tree, folder, error) || !lay_out(node, v, error)) {
        return false;
    }
    node->length = (v->start + v->sectors) * FAT_SECTOR;
    node->align = FAT_SECTOR;
    return true;
}

static void vvfat_close(BlockNode *node)
{
    Vvfat *v = node->state;

    block_unref(v->file);
    fat_tree_clear(&v->tree);
}

static const char *const schemes[] = { "fat", NULL };

BLOCK_DRIVER(vvfat) = {
    .name = "vvfat",
    .protocol = true,
    .state_size = sizeof(Vvfat),
    .schemes = schemes,
    .open = vvfat_open,
    .close = vvfat_close,
    .transfer = vvfat_transfer,
};

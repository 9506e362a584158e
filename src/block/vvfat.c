/*
 * The protocol `vvfat`: a folder of the host as a disk with a FAT file system. Its name is
 * fat:[12:|16:|32:][floppy:][label=TEXT:][rw:]FOLDER.
 *
 * Nothing but directories is kept in memory: the rest of the file system is computed when it is
 * read, and files are read from the host. They are not to change meanwhile.
 *
 * With `rw:`, what a guest writes goes to a scratch file, sector by sector, and the disk is that
 * file with the folder behind it. At a flush, and when the disk is closed, the file system is looked
 * at: if all of it agrees, the folder becomes what it says. If not, the scratch file has it until the
 * next time; a disk that is closed like that is saved as an image, whose name is said.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/block.h"
#include "block/bytes.h"
#include "block/cache.h"
#include "block/co-mutex.h"
#include "block/vvfat.h"
#include "core/fat-name.h"

enum { PIECE = 1 << 20, BITS = 64 };

typedef struct Vvfat {
    FatShape shape;
    CoMutex busy; /* one request at a time: a commit sees a disk that stays as it is */

    const FatFile *current; /* whose file is open */
    BlockNode *file;

    /* Of a disk that can be written to. */
    int folder;
    BlockNode *scratch; /* NULL: it cannot be */
    uint64_t *here;     /* a bit for each sector: the scratch file has it */
    uint64_t *changed;  /* it was written since the last commit; from calloc, both */
    bool any_changed;
    GHashTable *ours; /* paths of files that the commits made */
    FatScan was;      /* as the host has it */
} Vvfat;

/* ---- the folder ---- */

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

static void read_names(const FatFile *folder, uint64_t from, uint8_t *out, uint64_t length)
{
    uint64_t there = from < folder->names->len ? MIN(length, folder->names->len - from) : 0;

    memcpy(out, folder->names->data + (there ? from : 0), there);
    memset(out + there, 0, length - there);
}

/* Bytes of one file at most; gives how many. */
static int64_t read_piece(BlockNode *node, uint64_t at, uint8_t *out, uint64_t length)
{
    const FatShape *shape = &((Vvfat *)node->state)->shape;
    uint64_t first = fat_shape_cluster(shape, FAT_FIRST_CLUSTER);
    uint64_t size = shape->cluster_sectors * FAT_SECTOR, cluster, from;
    const FatFile *file;
    int result = 0;

    if (at < first) {
        fat_shape_sector(shape, at / FAT_SECTOR, out);
        return FAT_SECTOR;
    }
    cluster = (at - first) / size + FAT_FIRST_CLUSTER;
    file = cluster < shape->clusters + FAT_FIRST_CLUSTER ? fat_tree_find(&shape->tree, cluster)
                                                         : NULL;
    if (!file) {
        length = MIN(length, size - (at - first) % size);
        memset(out, 0, length);
        return length;
    }
    from = at - first - (file->cluster - FAT_FIRST_CLUSTER) * size;
    length = MIN(length, file->clusters * size - from);
    if (file->names) {
        read_names(file, from, out, length);
    } else {
        result = read_file(node, file, from, out, length);
    }
    return result < 0 ? result : (int64_t)length;
}

static int read_folder(BlockNode *node, uint64_t at, uint8_t *out, uint64_t length)
{
    for (uint64_t done = 0; done < length;) {
        int64_t part = read_piece(node, at + done, out + done, length - done);

        if (part < 0) {
            return part;
        }
        done += part;
    }
    return 0;
}

/* ---- the scratch file ---- */

static bool has_bit(const uint64_t *bits, uint64_t sector)
{
    return bits[sector / BITS] >> sector % BITS & 1;
}

static void set_bits(uint64_t *bits, uint64_t at, uint64_t length)
{
    for (uint64_t sector = at / FAT_SECTOR; sector < (at + length) / FAT_SECTOR; sector++) {
        bits[sector / BITS] |= UINT64_C(1) << sector % BITS;
    }
}

/* Bytes from `at` on that are all in the scratch file, or none of them. */
static uint64_t run_of(const Vvfat *v, uint64_t at, uint64_t length, bool *here)
{
    uint64_t first = at / FAT_SECTOR, end = (at + length) / FAT_SECTOR, sector = first;

    *here = v->scratch && has_bit(v->here, first);
    while (v->scratch && sector < end && has_bit(v->here, sector) == *here) {
        sector++;
    }
    return v->scratch ? (sector - first) * FAT_SECTOR : length;
}

/* Whole sectors of the disk. */
static int read_disk(void *data, uint64_t at, void *out, size_t length)
{
    BlockNode *node = data;
    Vvfat *v = node->state;
    int result = 0;

    for (uint64_t done = 0, part; done < length && result == 0; done += part) {
        uint8_t *to = (uint8_t *)out + done;
        bool here;

        part = run_of(v, at + done, length - done, &here);
        result = here ? block_read(v->scratch, at + done, to, part)
                      : read_folder(node, at + done, to, part);
    }
    return result;
}

static int write_disk(BlockNode *node, const BlockIo *io)
{
    Vvfat *v = node->state;
    int result;

    if (!v->scratch) {
        return -EROFS;
    }
    result = block_io(v->scratch, io);
    if (result == 0) {
        set_bits(v->here, io->at, io->length);
        set_bits(v->changed, io->at, io->length);
        v->any_changed = true;
    }
    return result;
}

/* ---- back to the folder ---- */

/* A file may end in the middle of a sector. */
static int read_bytes(void *data, uint64_t at, void *out, size_t length)
{
    size_t whole = length & ~(size_t)(FAT_SECTOR - 1);
    uint8_t last[FAT_SECTOR];
    int result = whole ? read_disk(data, at, out, whole) : 0;

    if (result == 0 && whole < length) {
        result = read_disk(data, at + whole, last, sizeof(last));
        memcpy((uint8_t *)out + whole, last, length - whole);
    }
    return result;
}

static bool is_changed(void *data, uint64_t at, uint64_t length)
{
    const Vvfat *v = ((BlockNode *)data)->state;

    for (uint64_t sector = at / FAT_SECTOR; sector < (at + length) / FAT_SECTOR;) {
        if (sector % BITS == 0 && v->changed[sector / BITS] == 0) {
            sector += BITS;
        } else if (has_bit(v->changed, sector++)) {
            return true;
        }
    }
    return false;
}

static int keep_bytes(void *data, uint64_t at, uint64_t length)
{
    BlockNode *node = data;
    Vvfat *v = node->state;
    g_autofree uint8_t *buffer = g_malloc(PIECE);
    int result = 0;

    for (uint64_t done = 0, part; done < length && result == 0; done += part) {
        bool here;

        part = run_of(v, at + done, MIN(PIECE, length - done), &here);
        if (!here) {
            result = read_folder(node, at + done, buffer, part);
            result = result < 0 ? result : block_write(v->scratch, at + done, buffer, part, 0);
        }
        if (result == 0) {
            set_bits(v->here, at + done, part);
        }
    }
    return result;
}

/* 0 or -errno; -EUCLEAN: it has to wait. *why is to be freed. */
static int commit(BlockNode *node, bool at_end, char **why)
{
    Vvfat *v = node->state;
    FatScan is = { 0 };
    FatCommit c = { .folder = v->folder,
        .was = &v->was,
        .is = &is,
        .shape = &v->shape,
        .sync = !cache_ignores_flush(&node->cache),
        .at_end = at_end,
        .read = read_bytes,
        .changed = is_changed,
        .keep = keep_bytes,
        .ours = v->ours,
        .data = node };
    int result = fat_scan(&is, &v->shape, read_disk, node, why);

    if (result == 0) {
        result = fat_commit(&c);
        *why = c.why;
    }
    if (result < 0) {
        fat_scan_clear(&is);
        return result;
    }
    fat_scan_clear(&v->was);
    v->was = is;
    v->any_changed = false;
    memset(v->changed, 0, (node->length / FAT_SECTOR / BITS + 1) * sizeof(*v->changed));
    return 0;
}

/* A file system in the middle of a change is no failure: the next flush may find it whole. */
static int flush(BlockNode *node)
{
    Vvfat *v = node->state;
    g_autofree char *why = NULL;
    int result = v->any_changed ? commit(node, false, &why) : 0;

    return result == -EUCLEAN ? 0 : result;
}

static int save_bytes(BlockNode *node, int fd)
{
    g_autofree uint8_t *buffer = g_malloc(PIECE);
    BlockMemory memory = { &(struct iovec){ buffer, PIECE }, 1, 0 };
    int result = ftruncate(fd, node->length) == 0 ? 0 : -errno;

    for (uint64_t at = 0; at < node->length && result == 0; at += PIECE) {
        uint64_t part = MIN(PIECE, node->length - at);

        result = read_disk(node, at, buffer, part);
        if (result == 0 && !block_memory_is_zero(memory, part) &&
            pwrite(fd, buffer, part, at) != (ssize_t)part) {
            result = -errno;
        }
    }
    return result;
}

/* The disk as the guest left it, in a file of its own: what is said of it. */
static char *save(BlockNode *node)
{
    const char *folder = g_getenv("TMPDIR");
    g_autofree char *path = g_strdup_printf(
        "%s/lathe-fat-XXXXXX", folder && *folder ? folder : "/var/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    int result = fd < 0 ? -errno : save_bytes(node, fd);

    if (fd >= 0 && close(fd) != 0 && result == 0) {
        result = -errno;
    }
    if (result == 0) {
        return g_strdup_printf("the disk is saved as `%s`", path);
    }
    if (fd >= 0) {
        unlink(path);
    }
    return g_strdup_printf("it could not be saved either: %s", g_strerror(-result));
}

static void commit_at_end(BlockNode *node)
{
    g_autofree char *why = NULL, *saved = NULL;

    if (commit(node, true, &why) == 0) {
        return;
    }
    saved = save(node);
    block_lose(
        node, "has not all that the guest wrote (%s); %s", why ? why : "it cannot be read", saved);
}

/* ---- requests ---- */

static int read_to(BlockNode *node, const BlockIo *io)
{
    g_autofree uint8_t *buffer = g_malloc(MIN(PIECE, io->length));
    int result = 0;

    for (uint64_t done = 0, part; done < io->length && result == 0; done += part) {
        part = MIN(PIECE, io->length - done);
        result = read_disk(node, io->at + done, buffer, part);
        if (result == 0) {
            block_memory_store(block_memory_after(io->memory, done), buffer, part);
        }
    }
    return result;
}

static int vvfat_transfer(BlockNode *node, const BlockIo *io)
{
    Vvfat *v = node->state;
    int result;

    co_mutex_lock(&v->busy);
    switch (io->op) {
    case BLOCK_READ: result = read_to(node, io); break;
    case BLOCK_FLUSH: result = v->scratch ? flush(node) : 0; break;
    case BLOCK_DISCARD: result = 0; break; /* only a hint */
    default: result = write_disk(node, io);
    }
    co_mutex_unlock(&v->busy);
    return result;
}

/* ---- opening ---- */

/* What is before the folder in its name; false: a word is wrong. */
static bool take_words(
    const BlockNode *node, FatShape *shape, const char **name, bool *writable, GError **error)
{
    static const struct {
        const char *word;
        unsigned bits;
    } kinds[] = { { "12:", 12 }, { "16:", 16 }, { "32:", 32 } };
    size_t words = fat_name_words(*name);
    const char *end = *name + words;

    fat_label_parse("LATHE", 5, shape->label);
    for (const char *word = *name + (words ? strlen("fat:") : 0); word < end;
         word = strchr(word, ':') + 1) {
        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
            shape->bits = g_str_has_prefix(word, kinds[i].word) ? kinds[i].bits : shape->bits;
        }
        shape->floppy |= word[0] == 'f';
        *writable |= word[0] == 'r';
        if (word[0] == 'l' && !fat_label_parse(word + 6, strcspn(word + 6, ":"), shape->label)) {
            return block_refuse(node, error, "has a label that is not of 1 to 11 letters");
        }
    }
    *name = end;
    return true;
}

static bool open_scratch(BlockNode *node, const char *folder, GError **error)
{
    Vvfat *v = node->state;
    BlockOptions options = { .size = node->length };
    size_t words = node->length / FAT_SECTOR / BITS + 1;
    g_autofree char *why = NULL;
    int result;

    cache_from_word("writeback", &options.cache);
    v->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    v->ours = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    v->here = calloc(words, sizeof(*v->here));
    v->changed = calloc(words, sizeof(*v->changed));
    if (v->folder < 0 || !v->here || !v->changed) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be opened: %s", folder,
            g_strerror(errno));
        return false;
    }
    v->scratch = block_open(node->loop, block_driver_find("file"), &options, NULL, NULL, error);
    if (!v->scratch) {
        return false;
    }
    result = fat_scan(&v->was, &v->shape, read_disk, node, &why);
    return result == 0 ||
        block_refuse(
            node, error, "cannot be written to as FAT: %s", why ? why : g_strerror(-result));
}

static bool check_writable(BlockNode *node, bool named, GError **error)
{
    if (!node->read_only && !named) {
        return block_refuse(node, error,
            "is a folder shown as a disk, which is only read unless its name says fat:rw:; set "
            "read-only: true or overlay: ephemeral, or say `rw:`");
    }
    if (!node->read_only && cache_writes_durably(&node->cache)) {
        return block_refuse(node, error,
            "is a folder shown as a disk, where a write is on stable storage only after a flush: "
            "`%s` promises more than that; use writeback",
            node->cache.word);
    }
    return true;
}

static bool vvfat_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Vvfat *v = node->state;
    const char *folder = options->path ? options->path : "";
    bool writable = false;

    v->folder = -1;
    if (!take_words(node, &v->shape, &folder, &writable, error) ||
        !check_writable(node, writable, error)) {
        return false;
    }
    v->shape.roomy = writable; /* the same disk whether it is written to or only looked at */
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_MISSING, "`%s` is not a folder", folder);
        return false;
    }
    if (!fat_tree_read(&v->shape.tree, folder, v->shape.label, error) ||
        !fat_shape_choose(&v->shape, node, error)) {
        return false;
    }
    node->length = (v->shape.start + v->shape.sectors) * FAT_SECTOR;
    node->align = FAT_SECTOR;
    return node->read_only || open_scratch(node, folder, error);
}

static void vvfat_close(BlockNode *node)
{
    Vvfat *v = node->state;

    if (v->any_changed) {
        commit_at_end(node);
    }
    fat_scan_clear(&v->was);
    block_unref(v->scratch);
    block_unref(v->file);
    if (v->folder >= 0) {
        close(v->folder);
    }
    g_clear_pointer(&v->ours, g_hash_table_unref);
    free(v->here);
    free(v->changed);
    fat_tree_clear(&v->shape.tree);
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

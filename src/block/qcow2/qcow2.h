/*
 * qcow2 in memory.
 *
 * Tables are changed in memory only, page by page (meta.c), and written together by a commit
 * (commit.c), always in this order: refcounts that went up, what they count for, then the
 * references, and only when those are on stable storage are refcounts brought down. So whenever
 * the power fails, no cluster in use has a refcount that is too low: the worst are leaks.
 *
 * One mutex guards all of it; it is not held while guest data moves.
 */
#ifndef BLOCK_QCOW2_QCOW2_H
#define BLOCK_QCOW2_QCOW2_H

#include "block/block.h"
#include "block/co-mutex.h"
#include "block/qcow2/format.h"

typedef struct Cipher Cipher;

/* How the guest's data is encrypted. */
typedef struct QcowCrypt {
    uint64_t header, header_length; /* of LUKS, in the file */
    Cipher *legacy;                 /* the old scheme, of which data is only read; or NULL */
} QcowCrypt;

/* ---- metadata pages ---- */

enum { META_PAGE = 4096 };

typedef enum MetaKind { META_REFCOUNT, META_L2 } MetaKind;

typedef struct MetaPage {
    uint64_t offset; /* in the file */
    uint8_t *data;   /* as on disk */
    MetaKind kind;
    bool dirty;
    bool dropped;  /* forgotten while pinned: freed by the last unpin */
    unsigned pins; /* commits that are writing it */
    GList lru;
} MetaPage;

typedef struct MetaCache {
    GHashTable *pages; /* by offset */
    GQueue lru;        /* most recent first */
    unsigned page_size, limit, dirty;
} MetaCache;

/* ---- the image ---- */

typedef struct Qcow2Snapshot {
    uint64_t l1_offset;
    uint32_t l1_size;
    uint32_t date_sec, date_nsec;
    uint64_t vm_clock_nsec, vm_state_size, disk_size, icount;
    char *id, *name;
    GBytes *more; /* extra data that is not known here, to be kept; NULL: none */
} Qcow2Snapshot;

/* A table that is wholly in memory, in host byte order, with the part that has changed. */
typedef struct Qcow2Table {
    uint64_t *entries;
    uint32_t size; /* entries */
    uint64_t offset;
    uint32_t dirty_from, dirty_to; /* half open */
} Qcow2Table;

typedef struct Qcow2 {
    BlockNode *node, *file;
    BlockNode *data;     /* the file that has the guest's data; not `file` when `external` */
    bool external;       /* an external data file */
    unsigned data_child; /* 0; or 1: the external file, or what encrypts */
    QcowCrypt crypt;
    Qcow2Header header; /* host byte order */
    unsigned cluster_bits, cluster_size;
    unsigned l2_bits;       /* log2 of the entries of an L2 table */
    unsigned entry_size;    /* 8, or 16 with subclusters */
    unsigned sub_bits;      /* log2 of a subcluster's size; of a cluster's without them */
    unsigned refcount_bits; /* width of one */
    unsigned refblock_bits; /* log2 of the refcounts in a block */

    Qcow2Table l1, reftable;
    MetaCache meta;
    CoMutex lock, committing, growing;
    uint64_t free_hint;   /* no free cluster has a smaller number */
    GArray *to_free;      /* of uint64_t: clusters to count down when the commit is stable */
    bool fresh_data;      /* new clusters were written since the last barrier */
    uint64_t known_end;   /* bytes that the file had when it was opened */
    uint64_t top_cluster; /* no cluster with a higher number was ever in use */

    GPtrArray *snapshots; /* of Qcow2Snapshot; NULL: not read yet */
    uint64_t snapshots_bytes;
    char *data_file;
    uint32_t bitmap_count; /* persistent dirty bitmaps, and their directory */
    uint64_t bitmap_directory, bitmap_directory_size;
    GPtrArray *bitmaps;   /* of Qcow2Bitmap; NULL: not read yet */
    GArray *bitmap_frees; /* of uint64_t: clusters to count down when the bitmaps are stored */
    CoMutex bitmaps_lock; /* held around the other locks */

    uint64_t packed_end;     /* byte behind the last compressed cluster written; 0: none yet */
    uint64_t unpacked_entry; /* the L2 entry of the cluster below; 0: none */
    uint8_t *unpacked;
} Qcow2;

static inline Qcow2 *qcow2_of(BlockNode *node)
{
    return node->state;
}

static inline uint64_t qcow2_align_up(const Qcow2 *q, uint64_t bytes)
{
    return (bytes + q->cluster_size - 1) & ~(uint64_t)(q->cluster_size - 1);
}

static inline bool qcow2_has_subclusters(const Qcow2 *q)
{
    return q->entry_size == 16;
}

/* Does an L2 entry name a cluster as it is? In an external data file that may be the first one. */
static inline bool qcow2_is_plain(const Qcow2 *q, uint64_t entry)
{
    uint64_t place = QCOW2_OFFSET_MASK | (q->data_child != 0 ? QCOW2_COPIED : 0);

    return !(entry & QCOW2_COMPRESSED) && entry & place;
}

/* qcow2.c: [co] Reads the refcount table if that was put off. */
int qcow2_need_reftable(Qcow2 *q);

/* meta.c; all but the first two with the lock. */
void meta_init(MetaCache *meta, unsigned page_size, unsigned limit);
void meta_clear(MetaCache *meta);
/* [co] The page that holds the byte at `offset`, valid until the lock is let go. */
int meta_get(Qcow2 *q, MetaKind kind, uint64_t offset, MetaPage **out);
/* A page of a cluster that has just been allocated: zeroes, dirty, not read. */
MetaPage *meta_new(Qcow2 *q, MetaKind kind, uint64_t offset);
void meta_dirty(Qcow2 *q, MetaPage *page);
/* Keeps a page's memory while a commit is busy with it. */
void meta_pin(MetaPage *page);
void meta_unpin(MetaPage *page);
/* Forgets pages of a cluster that is free now. */
void meta_drop(Qcow2 *q, uint64_t offset, uint64_t length);

/* refcount.c; [co], with the lock. */
int refcount_get(Qcow2 *q, uint64_t cluster, uint64_t *out);
int refcount_add(Qcow2 *q, uint64_t cluster, int delta, uint64_t *now);
uint64_t refcount_most(const Qcow2 *q); /* that a refcount can say */
int refcount_set(Qcow2 *q, uint64_t cluster, uint64_t value);
/* For repair: makes a block with the cluster's refcount, of 0, where there is none that can be. */
int refcount_provide(Qcow2 *q, uint64_t cluster);
/* For repair: the block is not one, or is also something else. */
void refcount_forget_block(Qcow2 *q, uint64_t number);
/* `count` clusters side by side, each with a refcount of 1. */
int refcount_allocate(Qcow2 *q, unsigned count, uint64_t *offset);
/* Counts down once nothing on stable storage refers to them. */
void refcount_free_later(Qcow2 *q, uint64_t offset, uint64_t clusters);
int refcount_apply_frees(Qcow2 *q, GArray *clusters);

/* commit.c; [co], without the lock. */
int qcow2_commit(Qcow2 *q);

/* map.c */
uint64_t l2_entry_load(const Qcow2 *q, const MetaPage *page, uint64_t at, uint64_t *bitmap);
void l2_entry_store(Qcow2 *q, MetaPage *page, uint64_t at, uint64_t entry, uint64_t bitmap);
/* [co] The page of the L2 entry of a guest offset; *page is NULL when there is no table. */
int l2_find(Qcow2 *q, uint64_t at, MetaPage **page);
int qcow2_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out);

/* packed.c */
int qcow2_unpack(BlockNode *node, const Extent *from, void *out);
int qcow2_pack(BlockNode *node, uint64_t at, const void *data, uint64_t length);
/* The bytes of the file that a compressed entry touches. */
void qcow2_packed_place(const Qcow2 *q, uint64_t entry, uint64_t *offset, uint64_t *length);

/* write.c */
int qcow2_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out);
int qcow2_link(BlockNode *node, uint64_t at, const Extent *fresh);
void qcow2_abandon(BlockNode *node, uint64_t at, const Extent *fresh);
int qcow2_zero(BlockNode *node, uint64_t at, uint64_t length, unsigned flags);
int qcow2_discard(BlockNode *node, uint64_t at, uint64_t length);
/*
 * [co] Takes the lock when there is room: not too many dirty pages, so that memory stays bounded
 * and a flush later is short, and a refcount table that is long enough. Not taken on failure.
 */
int qcow2_lock_with_room(Qcow2 *q);
void qcow2_set_l1(Qcow2 *q, uint64_t index, uint64_t entry);
/* [co] With the lock: makes sure that the L2 table for `at` is there and belongs to nobody else. */
int qcow2_own_table(Qcow2 *q, uint64_t at);
/* With the lock: lets go of what an L2 entry refers to, but for the cluster `except`. */
void qcow2_free_entry(Qcow2 *q, uint64_t entry, uint64_t except);

/* snapshot.c */
/* [co] Fills q->snapshots. */
int qcow2_read_snapshots(Qcow2 *q);
void qcow2_snapshot_free(void *snapshot);
/* The table of q->snapshots, as it is written. */
GByteArray *qcow2_snapshot_bytes(const Qcow2 *q);

/* snapshot-ops.c */
int qcow2_empty(BlockNode *node);
extern const BlockSnapshots qcow2_snapshots;

/* grow.c: [co], without the lock. */
int qcow2_grow_reftable(Qcow2 *q);
/* Flushes, writes a header, flushes, and takes it for the image's own. */
int qcow2_switch_header(Qcow2 *q, const Qcow2Header *wanted);
int qcow2_resize(BlockNode *node, uint64_t length);

/* create.c */
/* [co] Gives all of the disk that has none a place; what was zero stays zero. */
int qcow2_preallocate(Qcow2 *q, BlockPreallocation preallocation);
bool qcow2_measure(BlockNode *from, const BlockCreate *create, BlockMeasure *out, GError **error);
bool qcow2_create(BlockNode *file, const BlockCreate *create, GError **error);

/* amend.c: [co], without the lock. */
int qcow2_set_backing(BlockNode *node, const char *path, const char *format);
bool qcow2_amend(BlockNode *node, const BlockCreate *options, GError **error);
extern const char *const qcow2_amend_options[];

/* check.c: [co] the whole image; nobody else uses it meanwhile. */
int qcow2_check(BlockNode *node, BlockCheck *out, BlockRepair repair);

#endif

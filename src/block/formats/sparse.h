/*
 * Formats whose tables say for each block of the disk where it is in the file, or that it is not:
 * vdi, vhd, vhdx, vmdk, parallels, qed, qcow. A format's state begins with a Sparse; its open fills
 * in where the tables are, and the rest of the driver is here.
 *
 * There is one table, or a first one that says where the second ones are. Changed entries stay in
 * memory until a flush, which writes them when the data they refer to is on stable storage. So a
 * loss of power leaves tables that refer only to what is there.
 */
#ifndef BLOCK_FORMATS_SPARSE_H
#define BLOCK_FORMATS_SPARSE_H

#include "block/block.h"
#include "block/bytes.h"
#include "block/co-mutex.h"

/* How a format writes its entries. */
typedef struct SparseKind {
    unsigned entry_size; /* 4 or 8 */
    bool big_endian;
    /* Sets kind and, with DATA, the block's place in the file; with PACKED the cookie. */
    void (*decode)(const BlockNode *node, uint64_t entry, Extent *out);
    uint64_t (*encode)(const BlockNode *node, uint64_t offset);
    bool has_zero; /* there is an entry for a block of zeroes: */
    uint64_t zero;
    uint64_t (*index_of)(const BlockNode *node, uint64_t block); /* optional: of its entry */
    /* [co] optional, with the lock: before the first change; a new block; tables are written */
    int (*begin)(BlockNode *node);
    int (*added)(BlockNode *node, uint64_t offset);
    int (*committed)(BlockNode *node);
} SparseKind;

typedef struct Sparse {
    const SparseKind *kind;

    /* Set by the format's open. */
    uint64_t block;        /* bytes that an entry stands for; a power of two */
    uint64_t entries;      /* of the only table, or of all second ones together */
    uint64_t table;        /* where the (first) table is */
    uint64_t per_table;    /* entries of a second table; 0: there is only one table */
    uint64_t table_unit;   /* entries of the first table are in so many bytes */
    uint64_t mirror;       /* another first table, whose second ones are kept the same; 0: none */
    uint64_t end;          /* of what is in use in the file: a new block goes there */
    uint64_t align, lead;  /* of a new block's place; bytes in front of it */
    uint64_t trail;        /* bytes behind the end that move with it */
    uint64_t first_data;   /* nothing before it is a block's place */
    uint64_t blocks_added; /* since the image was opened */

    /* sparse.c's own. */
    uint64_t *first, *first_mirror; /* places of second tables in bytes; NULL with one table */
    bool first_dirty, changed;
    GHashTable *pages; /* parts of tables, by place in the file */
    GQueue recent;     /* the same pages, those used last first */
    unsigned dirty;
    CoMutex lock;
} Sparse;

/* [co] For the end of a format's open: checks the limits, reads the first table. */
bool sparse_open(BlockNode *node, GError **error);

/* The driver's callbacks. */
void sparse_close(BlockNode *node);
int sparse_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out);
int sparse_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out);
int sparse_link(BlockNode *node, uint64_t at, const Extent *fresh);
int sparse_zero(BlockNode *node, uint64_t at, uint64_t length, unsigned flags);
int sparse_discard(BlockNode *node, uint64_t at, uint64_t length);
int sparse_flush(BlockNode *node);
int sparse_check(BlockNode *node, BlockCheck *out, BlockRepair repair);

/* [co] Writes a compressed block behind all others, and its entry. */
int sparse_append(BlockNode *node, uint64_t at, const void *packed, uint64_t length);

/* [co] With the lock: an entry, by its index. */
int sparse_load(BlockNode *node, uint64_t index, uint64_t *entry);
int sparse_store(BlockNode *node, uint64_t index, uint64_t entry);

#define SPARSE_READ .close = sparse_close, .map = sparse_map, .check = sparse_check
#define SPARSE_WRITE                                                                               \
    SPARSE_READ, .allocate = sparse_allocate, .link = sparse_link, .zero = sparse_zero,            \
                 .discard = sparse_discard, .flush = sparse_flush

/* [co] The first bytes of the file, or a refusal. */
bool format_read(BlockNode *node, uint64_t at, void *out, size_t length, GError **error);
/* [co] Takes the name of what the image is based on; a size of 0: it is based on nothing. */
bool format_read_backing(BlockNode *node, uint64_t offset, uint32_t size, GError **error);
/* [co] For create: writes, or an error. */
bool format_write(BlockNode *file, uint64_t at, const void *data, size_t length, GError **error);
/* [co] For create: the file is so long, with zeroes where there was nothing; or an error. */
bool format_extend(BlockNode *file, uint64_t length, GError **error);

#endif

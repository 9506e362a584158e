/*
 * qcow2 on disk; QEMU's docs/interop/qcow2.txt is the specification. Numbers are big endian.
 */
#ifndef BLOCK_QCOW2_FORMAT_H
#define BLOCK_QCOW2_FORMAT_H

#include <stdint.h>

enum {
    QCOW2_MAGIC = 0x514649fb, /* "QFI\xfb" */
    QCOW2_V2_HEADER = 72,
    QCOW2_V3_HEADER = 104,
    QCOW2_HEADER_READ = 112, /* with the compression type and its padding */
};

typedef struct Qcow2Header {
    uint32_t magic, version;
    uint64_t backing_file_offset;
    uint32_t backing_file_size, cluster_bits;
    uint64_t size;
    uint32_t crypt_method, l1_size;
    uint64_t l1_table_offset, refcount_table_offset;
    uint32_t refcount_table_clusters, nb_snapshots;
    uint64_t snapshots_offset;
    /* Version 3. */
    uint64_t incompatible_features, compatible_features, autoclear_features;
    uint32_t refcount_order, header_length;
    uint8_t compression_type, padding[7];
} Qcow2Header;

enum {
    QCOW2_INCOMPAT_DIRTY = 1 << 0,       /* refcounts may be wrong: rebuild them */
    QCOW2_INCOMPAT_CORRUPT = 1 << 1,     /* not to be written */
    QCOW2_INCOMPAT_DATA_FILE = 1 << 2,   /* guest data is in another file */
    QCOW2_INCOMPAT_COMPRESSION = 1 << 3, /* compression_type is not 0 */
    QCOW2_INCOMPAT_EXTENDED_L2 = 1 << 4, /* L2 entries have a bitmap of 32 subclusters */
    QCOW2_INCOMPAT_KNOWN = 31,
    QCOW2_COMPAT_LAZY = 1 << 0,
    QCOW2_AUTOCLEAR_BITMAPS = 1 << 0,
    QCOW2_AUTOCLEAR_RAW_DATA = 1 << 1,
};

enum { QCOW2_DEFLATE, QCOW2_ZSTD };

/* crypt_method */
enum { QCOW2_PLAIN, QCOW2_AES, QCOW2_LUKS };

/* Header extensions. */
#define QCOW2_EXT_BACKING_FORMAT UINT32_C(0xe2792aca)
#define QCOW2_EXT_FEATURE_NAMES UINT32_C(0x6803f857)
#define QCOW2_EXT_BITMAPS UINT32_C(0x23852875)
#define QCOW2_EXT_ENCRYPTION UINT32_C(0x0537be77)
#define QCOW2_EXT_DATA_FILE UINT32_C(0x44415441)

/* Entries of L1 and L2 tables. */
#define QCOW2_OFFSET_MASK UINT64_C(0x00fffffffffffe00)
#define QCOW2_COPIED (UINT64_C(1) << 63) /* its refcount is exactly 1: may be overwritten */
#define QCOW2_COMPRESSED (UINT64_C(1) << 62)
#define QCOW2_ZERO UINT64_C(1) /* reads as zeroes (version 3, standard entries) */
#define QCOW2_REFTABLE_MASK UINT64_C(0xfffffffffffffe00)

/* Limits: those of other implementations, so that images can be exchanged. */
enum {
    QCOW2_MIN_CLUSTER_BITS = 9,
    QCOW2_MAX_CLUSTER_BITS = 21,
    QCOW2_MAX_L1_BYTES = 32 << 20,
    QCOW2_MAX_REFTABLE_BYTES = 8 << 20,
    QCOW2_MAX_SNAPSHOTS = 65536,
    QCOW2_MAX_SNAPSHOT_BYTES = 64 << 20,
    QCOW2_SUBCLUSTERS = 32,
};

#endif

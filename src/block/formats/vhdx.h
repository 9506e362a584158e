/*
 * The format `vhdx` (MS-VHDX), numbers little endian: two headers of which the newer one counts, a
 * list of regions, metadata, one table with an entry for each block, and a log.
 */
#ifndef BLOCK_FORMATS_VHDX_H
#define BLOCK_FORMATS_VHDX_H

#include "block/formats/sparse.h"

enum {
    VHDX_SECTOR = 4096,
    VHDX_MIB = 1 << 20,
    VHDX_REGION_BYTES = 64 << 10,
    /* Places in the file. */
    VHDX_HEADER_1 = 64 << 10,
    VHDX_HEADER_2 = 128 << 10,
    VHDX_REGIONS_1 = 192 << 10,
    VHDX_REGIONS_2 = 256 << 10,
    /* Offsets in a header. */
    VHDX_CHECKSUM = 4,
    VHDX_SEQUENCE = 8,
    VHDX_FILE_GUID = 16,
    VHDX_DATA_GUID = 32,
    VHDX_LOG_GUID = 48,
    VHDX_LOG_VERSION = 64,
    VHDX_VERSION = 66,
    VHDX_LOG_LENGTH = 68,
    VHDX_LOG_OFFSET = 72,
};

/* States of a block. */
enum { VHDX_ABSENT = 0, VHDX_UNDEFINED, VHDX_ZERO, VHDX_UNMAPPED, VHDX_PRESENT = 6, VHDX_PARTIAL };

typedef struct Vhdx {
    Sparse sparse;
    uint8_t header[VHDX_SECTOR]; /* the newer one */
    bool second;                 /* it is the second one */
    uint64_t chunk;              /* blocks between two entries that are not for blocks */
    uint64_t table, metadata;    /* places of regions */
    uint32_t table_bytes, metadata_bytes;
} Vhdx;

/* GUIDs in the order of bytes on disk. */
extern const uint8_t vhdx_guid_table[16], vhdx_guid_metadata[16], vhdx_guid_parameters[16],
    vhdx_guid_size[16], vhdx_guid_page83[16], vhdx_guid_sector[16], vhdx_guid_physical[16],
    vhdx_guid_parent[16];

void vhdx_random_guid(uint8_t *out);

/* CRC-32C of the bytes, of which those 4 at `skip` count as zeroes. */
uint32_t vhdx_checksum(const uint8_t *bytes, size_t length, size_t skip);

/* [co] Writes v->header, changed, to the place of the older one. */
int vhdx_write_header(BlockNode *node);

/* vhdx-log.c: [co] Does what the log says was to be done when the last writer stopped. */
bool vhdx_replay(BlockNode *node, GError **error);

/* vhdx-create.c */
bool vhdx_create(BlockNode *file, const BlockCreate *create, GError **error);
extern const char *const vhdx_create_options[];

#endif

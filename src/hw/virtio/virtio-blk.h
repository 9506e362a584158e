/* Layouts and numbers of the virtio block device (virtio 1.2, 5.2); all little endian. */
#ifndef HW_VIRTIO_VIRTIO_BLK_H
#define HW_VIRTIO_VIRTIO_BLK_H

#include <glib.h>
#include <stdint.h>

/* Feature bits (5.2.3). */
enum {
    F_SEG_MAX = 2,
    F_RO = 5,
    F_BLK_SIZE = 6,
    F_FLUSH = 9,
    F_TOPOLOGY = 10,
    F_CONFIG_WCE = 11,
    F_MQ = 12,
    F_DISCARD = 13,
    F_WRITE_ZEROES = 14,
};

/* Request types and status (5.2.6). */
enum { T_IN, T_OUT, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK, S_IOERR, S_UNSUPP };

enum {
    SECTOR = 512,
    HEADER_SIZE = 16,
    ID_SIZE = 20,
    UNMAP = 1, /* flag of a range */
};

/* Configuration space (5.2.4), little endian. */
typedef struct BlkConfig {
    uint64_t capacity;
    uint32_t size_max, seg_max;
    uint8_t geometry[4];
    uint32_t blk_size;
    uint8_t physical_block_exp, alignment_offset;
    uint16_t min_io_size;
    uint32_t opt_io_size;
    uint8_t writeback, unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused1[3];
} BlkConfig;
G_STATIC_ASSERT(sizeof(BlkConfig) == 64);

/* A range of a discard or of write zeroes (5.2.6). */
typedef struct BlkRange {
    uint64_t sector;
    uint32_t sectors, flags;
} BlkRange;

typedef struct BlkHeader {
    uint32_t type, reserved;
    uint64_t sector;
} BlkHeader;

#endif

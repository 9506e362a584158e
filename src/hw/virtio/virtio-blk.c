/* Virtio block device: virtio 1.2, 5.2. Requests run on the drive's own thread. */
#include <errno.h>
#include <string.h>

#include "block/drive.h"
#include "hw/virtio/virtio-blk.h"
#include "hw/virtio/virtio.h"

enum {
    RANGES_MAX = 32,         /* of one discard */
    RANGE_SECTORS = 4 << 20, /* 2 GiB each */
};
#define BIT(n) (UINT64_C(1) << (n))

typedef struct VirtioBlk {
    Virtio virtio;

    Drive *drive;
    uint32_t queues, queue_size;
    BlkConfig config; /* guest-visible: writeback is the guest's to change */
} VirtioBlk;

typedef struct BlkRequest {
    DriveRequest drive;
    VirtioBlk *blk;
    VirtioChain *chain;
    uint64_t data_in; /* bytes put into guest memory when it succeeds */
    unsigned next_range, range_count;
    BlkRange ranges[];
} BlkRequest;

/* ---- the end of a request ---- */

/* The status is the very last byte of the chain. */
static void complete(VirtioChain *chain, uint8_t status, uint64_t data_in)
{
    virtio_chain_write(chain, chain->in_size - 1, &status, 1);
    virtqueue_push(chain, MIN(data_in + 1, UINT32_MAX));
}

static void submit_range(BlkRequest *r);

static void request_done(DriveRequest *request, int result)
{
    BlkRequest *r = (BlkRequest *)request;

    if (result == 0 && r->next_range < r->range_count) {
        submit_range(r);
        return;
    }
    if (result == 0 && r->data_in > 0) {
        virtio_chain_wrote(r->chain, 0, r->data_in);
    }
    complete(r->chain,
        result == 0              ? S_OK
            : result == -ENOTSUP ? S_UNSUPP
                                 : S_IOERR,
        result == 0 ? r->data_in : 0);
    g_free(r);
}

/* ---- kinds of requests; each gives a status, or -1 when it is under way ---- */

enum { UNDER_WAY = -1 };

static BlkRequest *request_new(VirtioBlk *blk, VirtioChain *chain, unsigned ranges)
{
    BlkRequest *r = g_malloc0(sizeof(*r) + ranges * sizeof(BlkRange));

    r->blk = blk;
    r->chain = chain;
    r->range_count = ranges;
    r->drive.done = request_done;
    return r;
}

static bool is_on_disk(const VirtioBlk *blk, uint64_t sector, uint64_t sectors)
{
    uint64_t capacity = GUINT64_FROM_LE(blk->config.capacity);

    return sector <= capacity && sectors <= capacity - sector;
}

static int transfer(VirtioBlk *blk, VirtioChain *chain, const BlkHeader *header)
{
    bool is_read = header->type == T_IN;
    uint64_t length = is_read ? chain->in_size - 1 : chain->out_size - HEADER_SIZE;
    BlockMemory memory = is_read ? (BlockMemory){ chain->in, chain->in_count, 0 }
                                 : (BlockMemory){ chain->out, chain->out_count, 0 };
    BlkRequest *r;

    if (length % SECTOR || !is_on_disk(blk, header->sector, length / SECTOR)) {
        return S_IOERR;
    }
    r = request_new(blk, chain, 0);
    r->data_in = is_read ? length : 0;
    r->drive.io = (BlockIo){
        .op = is_read ? BLOCK_READ : BLOCK_WRITE,
        .at = header->sector * SECTOR,
        .length = length,
        .memory = is_read ? memory : block_memory_after(memory, HEADER_SIZE),
    };
    drive_submit(blk->drive, &r->drive);
    return UNDER_WAY;
}

static int flush(VirtioBlk *blk, VirtioChain *chain, const BlkHeader *header)
{
    BlkRequest *r = request_new(blk, chain, 0);

    r->drive.io.op = BLOCK_FLUSH;
    drive_submit(blk->drive, &r->drive);
    return UNDER_WAY;
}

/* Twenty bytes, padded with zeroes, not terminated when all are used. */
static int get_id(VirtioBlk *blk, VirtioChain *chain, const BlkHeader *header)
{
    const char *serial = drive_serial(blk->drive);
    char id[ID_SIZE] = { 0 };

    if (chain->in_size - 1 < ID_SIZE) {
        return S_IOERR;
    }
    memcpy(id, serial ? serial : "", serial ? strnlen(serial, ID_SIZE) : 0);
    virtio_chain_write(chain, 0, id, sizeof(id));
    complete(chain, S_OK, ID_SIZE);
    return UNDER_WAY;
}

static void submit_range(BlkRequest *r)
{
    const BlkRange *range = &r->ranges[r->next_range++];

    r->drive.io.at = range->sector * SECTOR;
    r->drive.io.length = (uint64_t)range->sectors * SECTOR;
    r->drive.io.flags = range->flags & UNMAP ? BLOCK_MAY_UNMAP : 0;
    drive_submit(r->blk->drive, &r->drive);
}

/* Discards must not have flags, zeroes only that one (5.2.6.2). */
static int check_range(const VirtioBlk *blk, const BlkRange *range, uint32_t type)
{
    if (range->flags & ~(type == T_WRITE_ZEROES ? UNMAP : 0)) {
        return S_UNSUPP;
    }
    if (range->sectors > RANGE_SECTORS || !is_on_disk(blk, range->sector, range->sectors)) {
        return S_IOERR;
    }
    return S_OK;
}

static int change_ranges(VirtioBlk *blk, VirtioChain *chain, const BlkHeader *header)
{
    uint64_t bytes = chain->out_size - HEADER_SIZE;
    unsigned count = MIN(bytes / sizeof(BlkRange), RANGES_MAX + 1);
    int status = S_OK;
    BlkRequest *r;

    if (bytes % sizeof(BlkRange) || count == 0 || count > RANGES_MAX) {
        return S_IOERR;
    }
    r = request_new(blk, chain, count);
    virtio_chain_read(chain, HEADER_SIZE, r->ranges, bytes);
    for (unsigned i = 0; i < count && status == S_OK; i++) {
        BlkRange *range = &r->ranges[i];

        range->sector = GUINT64_FROM_LE(range->sector);
        range->sectors = GUINT32_FROM_LE(range->sectors);
        range->flags = GUINT32_FROM_LE(range->flags);
        status = check_range(blk, range, header->type);
    }
    if (status != S_OK) {
        g_free(r);
        return status;
    }
    r->drive.io.op = header->type == T_DISCARD ? BLOCK_DISCARD : BLOCK_ZERO;
    submit_range(r);
    return UNDER_WAY;
}

static const struct {
    uint32_t type;
    int feature;  /* that the driver must have accepted; -1: none */
    bool changes; /* the disk's contents */
    int (*run)(VirtioBlk *blk, VirtioChain *chain, const BlkHeader *header);
} kinds[] = {
    { T_IN, -1, false, transfer },
    { T_OUT, -1, true, transfer },
    { T_FLUSH, -1, false, flush },
    { T_GET_ID, -1, false, get_id },
    { T_DISCARD, F_DISCARD, true, change_ranges },
    { T_WRITE_ZEROES, F_WRITE_ZEROES, true, change_ranges },
};

static int run_request(VirtioBlk *blk, VirtioChain *chain, const BlkHeader *header)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].type != header->type) {
            continue;
        }
        if (kinds[i].feature >= 0 && !virtio_has(&blk->virtio, kinds[i].feature)) {
            return S_UNSUPP;
        }
        if (kinds[i].changes && drive_is_read_only(blk->drive)) {
            return S_IOERR;
        }
        return kinds[i].run(blk, chain, header);
    }
    return S_UNSUPP;
}

static void take_requests(Virtio *virtio, unsigned queue)
{
    VirtioBlk *blk = (VirtioBlk *)virtio;
    VirtioChain *chain;

    while ((chain = virtqueue_pop(virtio, queue))) {
        BlkHeader header;
        int status;

        if (chain->in_size < 1 ||
            virtio_chain_read(chain, 0, &header, sizeof(header)) < sizeof(header)) {
            virtio_break(virtio, "a request without header or status");
            virtqueue_push(chain, 0);
            return;
        }
        header.type = GUINT32_FROM_LE(header.type);
        header.sector = GUINT64_FROM_LE(header.sector);
        status = run_request(blk, chain, &header);
        if (status != UNDER_WAY) {
            complete(chain, status, 0);
        }
    }
}

/* What the driver made available at once goes to the drive at once. */
static void blk_kick(Virtio *virtio, unsigned queue)
{
    VirtioBlk *blk = (VirtioBlk *)virtio;

    drive_plug(blk->drive);
    take_requests(virtio, queue);
    drive_unplug(blk->drive);
}

/* ---- the write cache ---- */

static void set_writeback(VirtioBlk *blk, bool on)
{
    drive_set_write_cache(blk->drive, on);
    blk->config.writeback = drive_has_write_cache(blk->drive);
}

/* A driver that knows neither takes each completed write for stable (5.2.6.2). */
static void blk_driver_ok(Virtio *virtio)
{
    VirtioBlk *blk = (VirtioBlk *)virtio;

    if (!virtio_has(virtio, F_CONFIG_WCE)) {
        set_writeback(blk, virtio_has(virtio, F_FLUSH));
    }
}

static void blk_write_config(Virtio *virtio, unsigned offset, unsigned size, uint64_t value)
{
    if (offset == offsetof(BlkConfig, writeback) && size == 1 &&
        (virtio->offered & BIT(F_CONFIG_WCE))) {
        set_writeback((VirtioBlk *)virtio, value & 1);
    } else {
        device_guest_error(&virtio->dev, "write to read-only configuration byte 0x%x", offset);
    }
}

static void blk_reset(Virtio *virtio)
{
    VirtioBlk *blk = (VirtioBlk *)virtio;

    drive_drain(blk->drive);
    set_writeback(blk, true);
}

static void blk_loaded(Device *dev)
{
    VirtioBlk *blk = (VirtioBlk *)dev;

    set_writeback(blk, blk->config.writeback);
    virtio_device_loaded(dev);
}

static const VirtioOps blk_ops = {
    .id = 2,
    .kick = blk_kick,
    .driver_ok = blk_driver_ok,
    .write_config = blk_write_config,
    .reset = blk_reset,
};

/* ---- what the guest is offered ---- */

static uint64_t offered_features(const VirtioBlk *blk)
{
    uint64_t features = BIT(F_SEG_MAX) | BIT(F_BLK_SIZE) | BIT(F_TOPOLOGY) | BIT(F_MQ);

    if (drive_is_read_only(blk->drive)) {
        features |= BIT(F_RO);
    } else {
        features |= BIT(F_WRITE_ZEROES);
    }
    if (drive_passes_discard(blk->drive)) {
        features |= BIT(F_DISCARD);
    }
    /* Without a cache there is nothing to flush, and none may be switched on. */
    if (drive_offers_write_cache(blk->drive)) {
        features |= BIT(F_FLUSH) | BIT(F_CONFIG_WCE);
    }
    return features;
}

static void fill_config(VirtioBlk *blk)
{
    unsigned block = drive_block_size(blk->drive);

    blk->config = (BlkConfig){
        .capacity = GUINT64_TO_LE(drive_length(blk->drive) / SECTOR),
        .seg_max = GUINT32_TO_LE(blk->queue_size - 2), /* header and status take one each */
        .blk_size = GUINT32_TO_LE(SECTOR),
        .physical_block_exp = __builtin_ctz(block / SECTOR),
        .writeback = drive_offers_write_cache(blk->drive),
        .num_queues = GUINT16_TO_LE(blk->queues),
        .max_discard_sectors = GUINT32_TO_LE(RANGE_SECTORS),
        .max_discard_seg = GUINT32_TO_LE(RANGES_MAX),
        .discard_sector_alignment = GUINT32_TO_LE(block / SECTOR),
        .max_write_zeroes_sectors = GUINT32_TO_LE(RANGE_SECTORS),
        .max_write_zeroes_seg = GUINT32_TO_LE(RANGES_MAX),
        .write_zeroes_may_unmap = drive_passes_discard(blk->drive),
    };
}

static bool blk_start(Device *dev, Diag *diag)
{
    VirtioBlk *blk = (VirtioBlk *)dev;

    if (!blk->drive) {
        return device_error(dev, diag, "drive", "is needed");
    }
    if (blk->queues == 0) {
        blk->queues = CLAMP(device_cpu_count(dev), 1, VIRTIO_QUEUES_MAX);
    }
    if (blk->queue_size & (blk->queue_size - 1)) {
        return device_error(dev, diag, "queue-size", "must be a power of two");
    }
    fill_config(blk);
    virtio_setup(&blk->virtio, &blk_ops,
        &(VirtioSetup){ .features = offered_features(blk),
            .config = &blk->config,
            .config_size = sizeof(blk->config),
            .queues = blk->queues,
            .queue_size = blk->queue_size });
    return true;
}

static void blk_stop(Device *dev)
{
    VirtioBlk *blk = (VirtioBlk *)dev;

    if (blk->drive) {
        drive_drain(blk->drive);
    }
    virtio_device_stop(dev);
}

static const Prop blk_props[] = {
    PROP(BLOCK, VirtioBlk, drive),
    PROP(U32, VirtioBlk, queues),
    PROP(U32, VirtioBlk, queue_size),
    {},
};
static const Saved blk_saved[] = {
    VIRTIO_SAVED(VirtioBlk),
    SAVED(VirtioBlk, config.writeback),
    {},
};

DEVICE_CLASS(virtio_blk) = {
    .name = "virtio-blk",
    .state_size = sizeof(VirtioBlk),
    .props = blk_props,
    .saved = blk_saved,
    .start = blk_start,
    .reset = virtio_device_reset,
    .loaded = blk_loaded,
    .stop = blk_stop,
};

/* A drive as the contents of a flash. */
#include "hw/storage/flash-bus.h"

#include <string.h>

#include "block/drive.h"

enum { SECTOR = 512 };

struct FlashImage {
    Device dev;

    Drive *drive;
    uint8_t *array; /* the flash's */

    /* Changed, and not yet on its way; nothing when both are equal. */
    uint64_t dirty_from, dirty_to;

    bool busy, failed;
    DriveRequest request;
    struct iovec piece; /* of the request; a copy, as the array may change meanwhile */
};

uint64_t flash_image_size(const FlashImage *image)
{
    return drive_length(image->drive);
}

bool flash_image_is_read_only(const FlashImage *image)
{
    return drive_is_read_only(image->drive);
}

bool flash_image_is_busy(const FlashImage *image)
{
    return image->busy;
}

bool flash_image_has_failed(const FlashImage *image)
{
    return image->failed;
}

/* ---- requests, one at a time ---- */

static void submit(FlashImage *image, BlockOp op, void *memory, uint64_t at, uint64_t length)
{
    image->busy = true;
    image->piece = (struct iovec){ memory, length };
    image->request.io = (BlockIo){
        .op = op,
        .at = at,
        .length = length,
        .memory = { &image->piece, 1, 0 },
    };
    drive_submit(image->drive, &image->request);
}

static void write_changes(FlashImage *image)
{
    uint64_t from = image->dirty_from / SECTOR * SECTOR;
    uint64_t to = (image->dirty_to + SECTOR - 1) / SECTOR * SECTOR;

    if (image->busy || image->dirty_from == image->dirty_to) {
        return;
    }
    image->dirty_from = image->dirty_to = 0;
    submit(image, BLOCK_WRITE, g_memdup2(image->array + from, to - from), from, to - from);
}

static void request_done(DriveRequest *request, int result)
{
    FlashImage *image = (FlashImage *)((char *)request - offsetof(FlashImage, request));

    if (request->io.op == BLOCK_WRITE) {
        g_free(image->piece.iov_base);
    }
    image->busy = false;
    image->failed |= result < 0;
    write_changes(image);
}

bool flash_image_load(FlashImage *image, uint8_t *array, Diag *diag)
{
    image->array = array;
    submit(image, BLOCK_READ, array, 0, flash_image_size(image));
    drive_drain(image->drive);
    return !image->failed ||
        device_error(&image->dev, diag, "drive", "cannot be read into the flash");
}

void flash_image_changed(FlashImage *image, uint64_t at, uint64_t length)
{
    bool clean = image->dirty_from == image->dirty_to;

    image->dirty_from = clean ? at : MIN(image->dirty_from, at);
    image->dirty_to = clean ? at + length : MAX(image->dirty_to, at + length);
    write_changes(image);
}

/* ---- life ---- */

static bool image_start(Device *dev, Diag *diag)
{
    FlashImage *image = (FlashImage *)dev;

    if (!image->drive) {
        return device_error(dev, diag, "drive", "names no drive");
    }
    image->request.done = request_done;
    drive_set_write_cache(image->drive, false); /* a flash has no command to flush one */
    return true;
}

static void image_stop(Device *dev)
{
    FlashImage *image = (FlashImage *)dev;

    if (image->drive) {
        drive_drain(image->drive);
    }
}

static const Prop image_props[] = { PROP(BLOCK, FlashImage, drive), {} };

DEVICE_CLASS(flash_image) = {
    .name = "flash-image",
    .state_size = sizeof(FlashImage),
    .props = image_props,
    .start = image_start,
    .stop = image_stop,
};

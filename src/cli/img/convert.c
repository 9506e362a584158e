/*
 * `lathe img convert`: the disk of an image in an image of another format. Several pieces are
 * under way at once; what is known or found to be zero is not written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/img/new.h"

enum { PIECE = 2 << 20, GRAIN = 64 << 10, WORKERS = 8 };

typedef struct Convert {
    Img *img;
    BlockNode *from, *to;
    unsigned flags;    /* of writes */
    unsigned grain;    /* what is looked at for zeroes, and written, as a whole */
    uint64_t next;     /* byte that no worker has taken yet */
    unsigned workers;  /* not finished */
    int result;        /* the first error */
    Coroutine *waiter; /* sleeps until all workers have finished */
    bool show;
    unsigned shown; /* percent */
} Convert;

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* Writes the grains that are not zero, those side by side together. */
static int write_piece(Convert *c, uint64_t at, const uint8_t *bytes, uint64_t length)
{
    uint64_t start = 0;
    int result = 0;

    for (uint64_t grain = 0; grain < length && result == 0; grain += c->grain) {
        uint64_t size = MIN(c->grain, length - grain);

        if (!is_zero(bytes + grain, size)) {
            if (grain + size < length) {
                continue;
            }
            grain = length;
        }
        if (start < grain) {
            result = block_write(c->to, at + start, bytes + start, grain - start, c->flags);
        }
        start = grain + size;
    }
    return result;
}

static void show(Convert *c)
{
    unsigned percent = c->from->length ? c->next * 100 / c->from->length : 100;

    if (c->show && percent != c->shown) {
        c->shown = percent;
        fprintf(stderr, "\r%3u %%", percent);
    }
}

/*
 * The next step from `at`, which ends with a grain: over all that is zero, or over a piece of what
 * is not. True when there is something to copy.
 */
static bool step_over(const Convert *c, uint64_t at, const Extent *extent, uint64_t *length)
{
    uint64_t end = at + extent->length;
    bool last = end == c->from->length;
    uint64_t zero_end = last ? end : end - end % c->grain;
    uint64_t data_end = MIN(zero_end + (zero_end < end ? c->grain : 0), c->from->length);

    if (extent->kind == EXTENT_ZERO && zero_end > at) {
        *length = zero_end - at;
        return false;
    }
    *length = MIN(data_end - at, PIECE - at % PIECE);
    return true;
}

/* Takes the next bytes that hold data; false at the end of the disk. */
static bool take(Convert *c, uint64_t *at, uint64_t *length)
{
    while (c->next < c->from->length && c->result == 0) {
        BlockNode *node = c->from;
        uint64_t start = c->next;
        Extent extent = { 0 };
        int result = block_locate(&node, start, c->from->length - start, &extent);
        bool has_data;

        if (result < 0) {
            c->result = result;
            return false;
        }
        if (start != c->next) {
            continue; /* another worker was faster while this one waited for the map */
        }
        *at = start;
        has_data = step_over(c, start, &extent, length);
        c->next = start + *length;
        show(c);
        if (has_data) {
            return true;
        }
    }
    return false;
}

static void worker_main(void *data)
{
    Convert *c = data;
    void *buffer = NULL;
    uint64_t at, length;

    if (posix_memalign(&buffer, 4096, PIECE) != 0) {
        c->result = -ENOMEM;
    }
    while (c->result == 0 && take(c, &at, &length)) {
        int result = block_read(c->from, at, buffer, length);

        if (result == 0) {
            result = write_piece(c, at, buffer, length);
        }
        c->result = c->result ? c->result : result;
    }
    free(buffer);
    if (--c->workers == 0 && c->waiter) {
        coroutine_enter(c->waiter);
    }
}

static int copy(Convert *c)
{
    c->workers = WORKERS;
    for (unsigned i = 0; i < WORKERS; i++) {
        coroutine_enter(coroutine_new(worker_main, c));
    }
    if (c->workers > 0) {
        c->waiter = coroutine_self();
        coroutine_yield();
    }
    if (c->show) {
        fprintf(stderr, "\r100 %%\n");
    }
    return c->result == 0 ? block_flush(c->to) : c->result;
}

static bool convert(Img *img, BlockNode *from, ImgNew *new)
{
    Convert c = { .img = img, .from = from, .grain = GRAIN, .shown = 101, .show = img->progress };
    int result;

    new->create.size = from->length;
    new->create.backing = img->backing;
    new->create.backing_format = img->backing_format;
    if (!img_new_begin(img, new)) {
        return false;
    }
    c.to = img_open(img, new->partial, new->format, true);
    if (!c.to) {
        return false;
    }
    if (img->compress || c.to->packs_only) {
        c.flags = BLOCK_PACK;
        c.grain = c.to->cluster;
    }
    result = !c.flags || c.to->driver->pack ? copy(&c) : -ENOTSUP;
    block_unref(c.to);
    if (result == -ENOTSUP) {
        return img_fail_with(img, EXIT_HOST, "no compressed data in a new image of format %s%s",
            new->format, img->options ? " with these options" : "");
    }
    if (result < 0) {
        return img_fail_with(img, EXIT_HOST, "%s", g_strerror(-result));
    }
    return img_new_finish(img, new);
}

static void run(Img *img)
{
    g_auto(ImgNew) new = { .path = img->argv[2],
        .format = img->output_format ? img->output_format : "raw" };
    BlockNode *from = img_open(img, img->argv[1], img->format, false);

    if (from) {
        convert(img, from, &new);
    }
    block_unref(from);
}

const ImgCommand img_convert = {
    .name = "convert",
    .arguments = "FILE NEW-FILE",
    .summary = "the same disk in another format (-O)",
    .takes = "cfOotpq",
    .least = 2,
    .most = 2,
    .run = run,
};

/* Copies what is not zero; several pieces are under way at once. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/img/copy.h"

enum { PIECE = 2 << 20, GRAIN = 64 << 10, WORKERS = 8 };

typedef struct Copy {
    const ImgCopy *what;
    BlockNode *from, *to;
    unsigned flags;    /* of writes */
    unsigned grain;    /* what is looked at for zeroes, and written, as a whole */
    uint64_t next;     /* byte that no worker has taken yet */
    uint64_t end;      /* behind the last one */
    unsigned workers;  /* not finished */
    int result;        /* the first error */
    Coroutine *waiter; /* sleeps until all workers have finished */
    ImgProgress progress;
} Copy;

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* Writes the grains that are not zero, those side by side together. */
static int write_piece(Copy *c, uint64_t at, const uint8_t *bytes, uint64_t length)
{
    uint64_t start = 0;
    int result = 0;

    for (uint64_t grain = 0; grain < length && result == 0; grain += c->grain) {
        uint64_t size = MIN(c->grain, length - grain);

        if (c->to->noisy || !is_zero(bytes + grain, size)) {
            if (grain + size < length) {
                continue;
            }
            grain = length;
        }
        if (start < grain) {
            result = block_write(
                c->to, at - c->what->skip + start, bytes + start, grain - start, c->flags);
        }
        start = grain + size;
    }
    return result;
}

/*
 * The next step from `at`, which ends with a grain: over all that is zero, or over a piece of what
 * is not. True when there is something to copy.
 */
static bool step_over(const Copy *c, uint64_t at, const Extent *extent, uint64_t *length)
{
    uint64_t end = at + extent->length;
    bool last = end == c->end;
    uint64_t zero_end = last ? end : end - end % c->grain;
    uint64_t data_end = MIN(zero_end + (zero_end < end ? c->grain : 0), c->end);

    if (extent->kind == EXTENT_ZERO && zero_end > at && !c->to->noisy) {
        *length = zero_end - at;
        return false;
    }
    *length = MIN(data_end - at, PIECE - at % PIECE);
    return true;
}

/* Takes the next bytes that hold data; false at the end of the disk. */
static bool take(Copy *c, uint64_t *at, uint64_t *length)
{
    while (c->next < c->end && c->result == 0) {
        BlockNode *node = c->from;
        uint64_t start = c->next;
        Extent extent = { 0 };
        int result = block_locate(&node, start, c->end - start, &extent);
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
        img_progress(&c->progress, c->next - c->what->skip);
        if (has_data) {
            return true;
        }
    }
    return false;
}

static void worker_main(void *data)
{
    Copy *c = data;
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

int img_copy(const ImgCopy *what)
{
    Copy c = { .what = what,
        .from = what->from,
        .to = what->to,
        .flags = what->pack ? BLOCK_PACK : 0,
        .grain = what->pack ? what->to->cluster : GRAIN,
        .next = what->skip,
        .end = what->skip + what->length,
        .workers = WORKERS,
        .progress = { .show = what->progress, .total = what->length } };

    for (unsigned i = 0; i < WORKERS; i++) {
        coroutine_enter(coroutine_new(worker_main, &c));
    }
    if (c.workers > 0) {
        c.waiter = coroutine_self();
        coroutine_yield();
    }
    img_progress_end(&c.progress);
    return c.result == 0 ? block_flush(c.to) : c.result;
}

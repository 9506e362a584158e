/* Copies what is not zero; several pieces are under way at once. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/img/copy.h"

enum { PIECE = 2 << 20, GRAIN = 64 << 10, WORKERS = 8, SECTOR = 512 };

typedef struct Copy {
    ImgCopy *what;
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

/* A piece of the disk on its way. */
typedef struct Piece {
    uint64_t at, length; /* in `from` */
    uint8_t *bytes;
    const uint8_t *old; /* what `to` shows there so far; NULL: zeroes, or nothing to rely on */
} Piece;

typedef enum Fate { FATE_LEAVE, FATE_ZERO, FATE_WRITE } Fate;

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* What has to be done so that a grain is in its place. */
static Fate fate_of(const Copy *c, const Piece *piece, uint64_t at, uint64_t size)
{
    if (piece->old && memcmp(piece->bytes + at, piece->old + at, size) == 0) {
        return FATE_LEAVE;
    }
    if (c->what->all || !is_zero(piece->bytes + at, size)) {
        return FATE_WRITE;
    }
    return piece->old || c->what->overwrite ? FATE_ZERO : FATE_LEAVE;
}

static int do_part(Copy *c, const Piece *piece, Fate fate, uint64_t from, uint64_t to)
{
    uint64_t at = piece->at - c->what->skip + c->what->to_at + from;

    switch (fate) {
    case FATE_WRITE: return block_write(c->to, at, piece->bytes + from, to - from, c->flags);
    case FATE_ZERO: return block_zero(c->to, at, to - from, BLOCK_MAY_UNMAP);
    default: return 0;
    }
}

/* Grains side by side that share a fate share a request. */
static int write_piece(Copy *c, const Piece *piece)
{
    uint64_t start = 0;
    Fate fate = FATE_LEAVE;
    int result = 0;

    for (uint64_t at = 0; at < piece->length && result == 0; at += c->grain) {
        Fate next = fate_of(c, piece, at, MIN(c->grain, piece->length - at));

        if (next != fate) {
            result = do_part(c, piece, fate, start, at);
            start = at;
            fate = next;
        }
    }
    return result == 0 ? do_part(c, piece, fate, start, piece->length) : result;
}

/* ---- reading ---- */

/* What cannot be read is zeroes, sector by sector. */
static int read_what_can_be(Copy *c, uint64_t at, uint8_t *out, uint64_t length)
{
    int result = block_read(c->from, at, out, length);

    if (result == 0 || !c->what->salvage) {
        return result;
    }
    if (length <= SECTOR) {
        memset(out, 0, length);
        c->what->lost += length;
        return 0;
    }
    for (uint64_t done = 0, size; done < length && result != -ENOMEM; done += size) {
        size = MIN(length > 128 * SECTOR ? length / 8 : SECTOR, length - done);
        result = read_what_can_be(c, at + done, out + done, size);
    }
    return result;
}

/* A disk that is based on another shows zeroes beyond its end. */
static int read_below(const Copy *c, uint64_t at, uint8_t *out, uint64_t length)
{
    BlockNode *below = c->what->below;
    uint64_t there = at < below->length ? MIN(length, below->length - at) : 0;

    memset(out + there, 0, length - there);
    return there > 0 ? block_read(below, at, out, there) : 0;
}

static int copy_piece(Copy *c, Piece *piece, uint8_t *old)
{
    int result = read_what_can_be(c, piece->at, piece->bytes, piece->length);

    if (result == 0 && old) {
        result = read_below(c, piece->at - c->what->skip + c->what->to_at, old, piece->length);
        piece->old = old;
    }
    return result == 0 ? write_piece(c, piece) : result;
}

/* ---- taking turns ---- */

/* Must zeroes be looked at like everything else? */
static bool zeroes_count(const Copy *c)
{
    return c->what->overwrite || c->what->below || c->what->all;
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

    if (extent->kind == EXTENT_ZERO && zero_end > at && !zeroes_count(c)) {
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

        if (result < 0 && c->what->salvage) { /* reading says how much of it is lost */
            extent = (Extent){ .kind = EXTENT_DATA, .length = MIN(c->grain, c->end - start) };
        } else if (result < 0) {
            c->result = result;
            return false;
        }
        if (start != c->next) {
            continue; /* another worker was faster while this one waited for the map */
        }
        *at = start;
        has_data = step_over(c, start, &extent, length);
        c->next = start + *length;
        img_progress(&c->progress, c->next - c->what->skip + c->what->to_at);
        if (has_data) {
            return true;
        }
    }
    return false;
}

static void worker_main(void *data)
{
    Copy *c = data;
    void *buffer = NULL, *old = NULL;
    Piece piece;

    if (posix_memalign(&buffer, 4096, PIECE) != 0 ||
        (c->what->below && posix_memalign(&old, 4096, PIECE) != 0)) {
        c->result = -ENOMEM;
    }
    piece = (Piece){ .bytes = buffer };
    while (c->result == 0 && take(c, &piece.at, &piece.length)) {
        int result;

        if (c->what->pace) {
            img_pace_wait(c->what->pace, c->to->loop, piece.length);
        }
        result = copy_piece(c, &piece, old);

        c->result = c->result ? c->result : result;
    }
    free(buffer);
    free(old);
    if (--c->workers == 0 && c->waiter) {
        coroutine_enter(c->waiter);
    }
}

int img_copy(ImgCopy *what)
{
    unsigned workers = what->workers ? what->workers : WORKERS;
    Copy c = { .what = what,
        .from = what->from,
        .to = what->to,
        .flags = what->pack ? BLOCK_PACK : 0,
        .grain = what->pack ? what->to->cluster
            : what->grain   ? what->grain
                            : GRAIN,
        .next = what->skip,
        .end = what->skip + what->length,
        .workers = workers,
        .progress = { .show = what->progress, .total = MAX(what->total, what->length) } };

    for (unsigned i = 0; i < workers; i++) {
        coroutine_enter(coroutine_new(worker_main, &c));
    }
    if (c.workers > 0) {
        c.waiter = coroutine_self();
        coroutine_yield();
    }
    if (what->to_at + what->length >= what->total) {
        img_progress_end(&c.progress);
    }
    return c.result == 0 ? block_flush(c.to) : c.result;
}

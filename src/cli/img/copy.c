/* Copies what is not zero; several pieces are under way at once. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/img/copy.h"

enum { PIECE = 2 << 20, GRAIN = 64 << 10, WORKERS = 8, SECTOR = 512, BLOCK = 4096 };
enum { PUSH = 16 << 20 }; /* so much written, and the host is told to begin to write it out */

typedef struct Copy {
    ImgCopy *what;
    BlockNode *from, *to;
    unsigned flags;    /* of writes */
    unsigned grain;    /* what is looked at for zeroes, and written, as a whole */
    uint64_t next;     /* byte that no worker has taken yet */
    uint64_t end;      /* behind the last one */
    uint64_t unpushed; /* bytes written since the host was told to write out */
    bool pushing;      /* it is being told */
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

/* Must zeroes be looked at like everything else? */
static bool zeroes_count(const Copy *c)
{
    return c->what->overwrite || c->what->below || c->what->all;
}

/* Where byte `at` of a piece belongs in the new image. */
static uint64_t place_of(const Copy *c, const Piece *piece, uint64_t at)
{
    return piece->at - c->what->skip + c->what->to_at + at;
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

/* So the disk is busy while the rest is copied, and the flush at the end has less to wait for. */
static void push(Copy *c, uint64_t written)
{
    c->unpushed += written;
    if (c->unpushed >= PUSH && !c->pushing) {
        c->unpushed = 0;
        c->pushing = true;
        block_write_back(c->to);
        c->pushing = false;
    }
}

/* A plain file need not have the zeroes at both ends of what is not zero as a whole. */
static void trim(const Copy *c, const Piece *piece, uint64_t *from, uint64_t *to)
{
    if (c->to->cluster > 0 || c->what->grain > 0 || zeroes_count(c)) {
        return;
    }
    while (*to - *from > BLOCK && is_zero(piece->bytes + *from, BLOCK)) {
        *from += BLOCK;
    }
    while (*to - *from > BLOCK && is_zero(piece->bytes + *to - BLOCK, BLOCK)) {
        *to -= BLOCK;
    }
}

static int write_part(Copy *c, const Piece *piece, uint64_t from, uint64_t to)
{
    int result;

    trim(c, piece, &from, &to);
    result = block_write(c->to, place_of(c, piece, from), piece->bytes + from, to - from, c->flags);
    push(c, to - from);
    return result;
}

static int do_part(Copy *c, const Piece *piece, Fate fate, uint64_t from, uint64_t to)
{
    switch (fate) {
    case FATE_WRITE: return write_part(c, piece, from, to);
    case FATE_ZERO: return block_zero(c->to, place_of(c, piece, from), to - from, BLOCK_MAY_UNMAP);
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

/* What is at `at`; one grain of data when that cannot be told, and reading says what is lost. */
static int look_at(const Copy *c, uint64_t at, Extent *out)
{
    BlockNode *node = c->from;
    int result = block_locate(&node, at, c->end - at, out);

    if (result < 0 && c->what->salvage) {
        *out = (Extent){ .kind = EXTENT_DATA, .length = MIN(c->grain, c->end - at) };
        return 0;
    }
    return result;
}

/* The whole grains of an extent of zeroes, which are left out; false: there are none. */
static bool find_gap(const Copy *c, uint64_t at, const Extent *extent, uint64_t *from, uint64_t *to)
{
    uint64_t end = at + extent->length;

    *from = at == c->what->skip ? at : (at + c->grain - 1) / c->grain * c->grain;
    *to = end == c->end ? end : end / c->grain * c->grain;
    return extent->kind == EXTENT_ZERO && !zeroes_count(c) && *from < *to;
}

/* Where a piece that starts at `at` ends at the latest: as a cluster of the new image does. */
static uint64_t limit_of(const Copy *c, uint64_t at)
{
    uint64_t unit = MAX(c->grain, c->to->cluster);
    uint64_t limit = (at + PIECE) / unit * unit;

    return MIN(limit > at ? limit : at + PIECE, c->end);
}

/*
 * The next piece from `start` on, up to zeroes that are left out, and where the search goes on
 * behind it. A piece of length 0: nothing but zeroes. When another worker was faster while this one
 * waited for the map, the piece is void.
 */
static int find_piece(const Copy *c, uint64_t start, uint64_t *length, uint64_t *next)
{
    uint64_t limit = limit_of(c, start), at = start;

    while (at < limit && c->next == start) {
        Extent extent = { 0 };
        uint64_t from, to;
        int result = look_at(c, at, &extent);

        if (result < 0) {
            return result;
        }
        if (find_gap(c, at, &extent, &from, &to) && (at == start || from < limit)) {
            *length = at == start ? 0 : from - start;
            *next = to;
            return 0;
        }
        at += extent.length;
    }
    *length = limit - start;
    *next = limit;
    return 0;
}

/* Takes the next bytes that hold data; false at the end of the disk. */
static bool take(Copy *c, uint64_t *at, uint64_t *length)
{
    while (c->next < c->end && c->result == 0) {
        uint64_t start = c->next, next = 0;
        int result = find_piece(c, start, length, &next);

        if (result < 0) {
            c->result = result;
            return false;
        }
        if (start != c->next) {
            continue;
        }
        *at = start;
        c->next = next;
        img_progress(&c->progress, next - c->what->skip + c->what->to_at);
        if (*length > 0) {
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

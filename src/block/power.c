#include "block/power.h"

#include <string.h>

enum { SECTOR = 512 };

typedef struct Change {
    uint64_t began, ended; /* moments; ended is 0 while it is under way */
    uint64_t at, length;
    bool durable;
    uint8_t *data; /* NULL: zeroes */
} Change;

typedef struct FlushSpan {
    uint64_t began, ended;
} FlushSpan;

typedef struct Power {
    GPtrArray *changes; /* of Change, in the order in which they began */
    GArray *flushes;    /* of FlushSpan that succeeded */
    uint64_t now;
} Power;

static void change_free(void *data)
{
    Change *change = data;

    g_free(change->data);
    g_free(change);
}

static bool power_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Power *p = node->state;

    p->changes = g_ptr_array_new_with_free_func(change_free);
    p->flushes = g_array_new(false, false, sizeof(FlushSpan));
    node->length = node->children[0]->length;
    node->grows = node->children[0]->grows;
    return true;
}

static void power_close(BlockNode *node)
{
    Power *p = node->state;

    g_clear_pointer(&p->changes, g_ptr_array_unref);
    g_clear_pointer(&p->flushes, g_array_unref);
}

/* Takes its time, so that other requests begin and end meanwhile, as they do on a disk. */
static int pass_on(BlockNode *node, const BlockIo *io)
{
    io_loop_sleep(node->loop, 0);
    return block_io(node->children[0], io);
}

static int flush(BlockNode *node, const BlockIo *io)
{
    Power *p = node->state;
    FlushSpan span = { .began = ++p->now };
    int result = pass_on(node, io);

    span.ended = ++p->now;
    if (result == 0) {
        g_array_append_val(p->flushes, span);
    }
    return result;
}

static int change(BlockNode *node, const BlockIo *io)
{
    Power *p = node->state;
    Change *c = g_new0(Change, 1);
    int result;

    c->at = io->at;
    c->length = io->length;
    c->durable = io->flags & BLOCK_DURABLE;
    c->began = ++p->now;
    if (io->op == BLOCK_WRITE) {
        c->data = g_malloc(io->length);
        block_memory_load(io->memory, c->data, io->length);
    }
    g_ptr_array_add(p->changes, c);
    result = pass_on(node, io);
    c->ended = ++p->now;
    node->length = node->children[0]->length;
    return result;
}

static int power_transfer(BlockNode *node, const BlockIo *io)
{
    switch (io->op) {
    case BLOCK_READ: return pass_on(node, io);
    case BLOCK_FLUSH: return flush(node, io);
    default: return change(node, io);
    }
}

static int power_resize(BlockNode *node, uint64_t length)
{
    int result = block_resize(node->children[0], length);

    node->length = node->children[0]->length;
    return result;
}

BLOCK_DRIVER(power) = {
    .name = "power",
    .state_size = sizeof(Power),
    .open = power_open,
    .close = power_close,
    .transfer = power_transfer,
    .resize = power_resize,
};

BlockNode *power_record(BlockNode *child, GError **error)
{
    BlockOptions options = { .cache = child->cache };

    return block_open(child->loop, &power_block_driver, &options, child, NULL, error);
}

uint64_t power_now(const BlockNode *power)
{
    return ((const Power *)power->state)->now;
}

/* ---- crash states ---- */

static bool is_stable(const Power *p, const Change *c, uint64_t moment)
{
    if (c->ended == 0 || c->ended > moment) {
        return false;
    }
    for (unsigned i = 0; i < p->flushes->len && !c->durable; i++) {
        const FlushSpan *span = &g_array_index(p->flushes, FlushSpan, i);

        if (span->began > c->ended && span->ended <= moment) {
            return true;
        }
    }
    return c->durable;
}

static void apply(const Change *c, uint64_t from, uint64_t to, GByteArray *image)
{
    unsigned old = image->len;

    if (from >= to) {
        return;
    }
    if (c->at + to > old) {
        g_byte_array_set_size(image, c->at + to);
        memset(image->data + old, 0, c->at + to - old);
    }
    if (c->data) {
        memcpy(image->data + c->at + from, c->data + from, to - from);
    } else {
        memset(image->data + c->at + from, 0, to - from);
    }
}

/* There, not there, or only a part of its sectors. */
static void apply_by_chance(const Change *c, GRand *rand, GByteArray *image)
{
    unsigned sectors = (c->length + SECTOR - 1) / SECTOR;
    unsigned from = 0, to = sectors;

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0: return;
    case 1: from = g_rand_int_range(rand, 0, sectors); break;
    case 2: to = g_rand_int_range(rand, 0, sectors); break;
    }
    apply(c, (uint64_t)from * SECTOR, MIN((uint64_t)to * SECTOR, c->length), image);
}

void power_crash(const BlockNode *power, uint64_t moment, GRand *rand, GByteArray *image)
{
    const Power *p = power->state;

    for (unsigned i = 0; i < p->changes->len; i++) {
        const Change *c = g_ptr_array_index(p->changes, i);

        if (c->began > moment) {
            continue;
        }
        if (is_stable(p, c, moment)) {
            apply(c, 0, c->length, image);
        } else {
            apply_by_chance(c, rand, image);
        }
    }
}

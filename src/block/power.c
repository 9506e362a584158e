#include "block/power.h"

#include <string.h>

enum { SECTOR = 512 };

typedef struct Power {
    GPtrArray *changes;  /* of PowerChange, in the order in which they began */
    unsigned all_stable; /* of the first ones, each is */
    uint64_t now;
} Power;

static void change_free(void *data)
{
    PowerChange *change = data;

    g_free(change->data);
    g_free(change);
}

static bool power_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Power *p = node->state;

    p->changes = g_ptr_array_new_with_free_func(change_free);
    node->length = node->children[0]->length;
    node->grows = node->children[0]->grows;
    return true;
}

static void power_close(BlockNode *node)
{
    Power *p = node->state;

    g_clear_pointer(&p->changes, g_ptr_array_unref);
}

/* Takes its time, so that other requests begin and end meanwhile, as they do on a disk. */
static int pass_on(BlockNode *node, const BlockIo *io)
{
    io_loop_sleep(node->loop, 0);
    return block_io(node->children[0], io);
}

/* What had ended when the flush began is stable from now on. */
static void cover(Power *p, uint64_t began)
{
    unsigned front = p->all_stable;

    for (unsigned i = front; i < p->changes->len; i++) {
        PowerChange *c = g_ptr_array_index(p->changes, i);

        if (c->stable == UINT64_MAX && c->ended != 0 && c->ended < began) {
            c->stable = p->now;
        }
        front += i == front && c->stable != UINT64_MAX;
    }
    p->all_stable = front;
}

static int flush(BlockNode *node, const BlockIo *io)
{
    Power *p = node->state;
    uint64_t began = ++p->now;
    int result = pass_on(node, io);

    p->now++;
    if (result == 0) {
        cover(p, began);
    }
    return result;
}

static PowerChange *begin_change(Power *p, uint64_t at, uint64_t length)
{
    PowerChange *c = g_new0(PowerChange, 1);

    *c = (PowerChange){
        .began = ++p->now, .stable = UINT64_MAX, .at = at, .length = length, .zeroes = true
    };
    g_ptr_array_add(p->changes, c);
    return c;
}

static int change(BlockNode *node, const BlockIo *io)
{
    Power *p = node->state;
    PowerChange *c = begin_change(p, io->at, io->length);
    int result;

    if (io->op == BLOCK_WRITE) {
        c->zeroes = false;
        c->data = g_malloc(io->length);
        block_memory_load(io->memory, c->data, io->length);
    }
    result = pass_on(node, io);
    c->ended = ++p->now;
    if (result == 0 && io->flags & BLOCK_DURABLE) {
        c->stable = c->ended;
    }
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

/* What is cut off reads as zeroes, should the file grow again. */
static int power_resize(BlockNode *node, uint64_t length)
{
    Power *p = node->state;
    PowerChange *cut = length < node->length ? begin_change(p, length, node->length - length)
                                             : NULL;
    int result = block_resize(node->children[0], length);

    if (cut) {
        cut->ended = ++p->now;
    }
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

/* With a chance of a half for all, what lacks only one of many writes would hardly ever be seen. */
PowerChance power_chance(GRand *rand)
{
    static const double chances[] = { 0, 0.05, 0.3, 0.5, 0.7, 0.95, 1 };

    return (PowerChance){ rand, chances[g_rand_int_range(rand, 0, G_N_ELEMENTS(chances))] };
}

bool power_fate(const PowerChange *change, uint64_t moment, const PowerChance *chance,
    uint64_t *from, uint64_t *to)
{
    unsigned sectors = MIN((change->length + SECTOR - 1) / SECTOR, G_MAXINT32);

    *from = 0;
    *to = change->length;
    if (change->began > moment || change->length == 0) {
        return false;
    }
    if (change->stable <= moment || g_rand_double(chance->rand) < chance->there) {
        return true;
    }
    switch (g_rand_int_range(chance->rand, 0, 3)) {
    case 0: return false;
    case 1: *from = g_rand_int_range(chance->rand, 0, sectors) * (uint64_t)SECTOR; break;
    case 2:
        *to = MIN(g_rand_int_range(chance->rand, 0, sectors) * (uint64_t)SECTOR, change->length);
        break;
    }
    return *from < *to;
}

static void apply(const PowerChange *c, uint64_t from, uint64_t to, GByteArray *image)
{
    unsigned old = image->len;

    if (c->at + to > old) {
        g_byte_array_set_size(image, c->at + to);
        memset(image->data + old, 0, c->at + to - old);
    }
    if (c->zeroes) {
        memset(image->data + c->at + from, 0, to - from);
    } else {
        memcpy(image->data + c->at + from, c->data + from, to - from);
    }
}

void power_crash(const BlockNode *power, uint64_t moment, GRand *rand, GByteArray *image)
{
    const Power *p = power->state;
    PowerChance chance = power_chance(rand);

    for (unsigned i = 0; i < p->changes->len; i++) {
        const PowerChange *c = g_ptr_array_index(p->changes, i);
        uint64_t from, to;

        if (power_fate(c, moment, &chance, &from, &to)) {
            apply(c, from, to, image);
        }
    }
}

/*
 * The filter `blkdebug`: requests fail or take their time, as its rules say. For tests of what
 * lies above, guests included.
 */
#include <errno.h>
#include <string.h>

#include "block/block.h"
#include "core/block-spec.h"

typedef struct Blkdebug {
    const BlockSpec *spec; /* NULL: no rules */
    uint64_t *seen;        /* requests that fitted, for each rule */
} Blkdebug;

static const char *const op_words[] = { "read", "write", "zero", "discard", "flush" };

static const struct {
    const char *word;
    int number;
} errors[] = {
    { "EIO", EIO },
    { "ENOSPC", ENOSPC },
    { "EACCES", EACCES },
    { "EBUSY", EBUSY },
    { "ETIMEDOUT", ETIMEDOUT },
};

static int error_of(const BlockRule *rule)
{
    for (unsigned i = 0; rule->error && i < G_N_ELEMENTS(errors); i++) {
        if (strcmp(errors[i].word, rule->error) == 0) {
            return -errors[i].number;
        }
    }
    return 0;
}

static bool blkdebug_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Blkdebug *d = node->state;

    block_be_like(node, node->children[0]);
    d->spec = options->spec;
    d->seen = g_new0(uint64_t, d->spec ? MAX(d->spec->rule_count, 1) : 1);
    return true;
}

static void blkdebug_close(BlockNode *node)
{
    Blkdebug *d = node->state;

    g_free(d->seen);
}

static bool fits(const BlockRule *rule, const BlockIo *io)
{
    if (rule->op && (io->op >= G_N_ELEMENTS(op_words) || strcmp(rule->op, op_words[io->op]))) {
        return false;
    }
    return rule->length == 0 ||
        (io->at < rule->at + rule->length && rule->at < io->at + io->length);
}

/* The first rule whose turn it is; NULL: none. */
static const BlockRule *rule_for(Blkdebug *d, const BlockIo *io)
{
    for (unsigned i = 0; d->spec && i < d->spec->rule_count; i++) {
        const BlockRule *rule = &d->spec->rules[i];
        uint64_t number;

        if (!fits(rule, io)) {
            continue;
        }
        number = d->seen[i]++;
        if (number >= rule->after && (rule->times == 0 || number < rule->after + rule->times)) {
            return rule;
        }
    }
    return NULL;
}

static int blkdebug_transfer(BlockNode *node, const BlockIo *io)
{
    const BlockRule *rule = rule_for(node->state, io);
    int result = rule ? error_of(rule) : 0;

    if (rule && rule->delay_ns > 0) {
        io_loop_sleep(node->loop, rule->delay_ns);
    }
    return result < 0 ? result : block_io(node->children[0], io);
}

BLOCK_DRIVER(blkdebug) = {
    .name = "blkdebug",
    .filter = true,
    .state_size = sizeof(Blkdebug),
    .open = blkdebug_open,
    .close = blkdebug_close,
    .map = block_map_through,
    .transfer = blkdebug_transfer,
    .resize = block_resize_through,
};

/*
 * Filters over several copies of one disk. `quorum` writes to all and reads what most of them say;
 * `blkverify` has two, and every difference fails the read. A copy that fails is one vote less.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"
#include "core/block-spec.h"

typedef struct Quorum {
    unsigned copies, votes; /* so many must agree */
} Quorum;

/* One request to one copy. */
typedef struct Ask {
    struct Round *round;
    BlockNode *copy;
    BlockIo io;
    struct iovec piece; /* of a read: memory of its own */
    int result;
    unsigned agree;
} Ask;

/* The same request to all copies. */
typedef struct Round {
    Ask asks[BLOCK_CHILDREN];
    unsigned count, under_way;
    Coroutine *waiter;
} Round;

static bool check_copies(BlockNode *node, GError **error)
{
    Quorum *q = node->state;

    for (; q->copies < BLOCK_CHILDREN && node->children[q->copies]; q->copies++) {
        if (node->children[q->copies]->length != node->children[0]->length) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE,
                "copies of one disk differ in length: `%s` and `%s`", node->children[0]->name,
                node->children[q->copies]->name);
            return false;
        }
    }
    return true;
}

static bool open_with(BlockNode *node, uint64_t votes, GError **error)
{
    Quorum *q = node->state;

    if (!check_copies(node, error)) {
        return false;
    }
    q->votes = votes > 0 ? votes : q->copies / 2 + 1;
    node->length = node->children[0]->length;
    if (q->copies < 2 || q->votes > q->copies) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
            "a quorum of %u needs more than %u copies", q->votes, q->copies);
        return false;
    }
    return true;
}

static bool quorum_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    return open_with(node, options->spec ? options->spec->votes : 0, error);
}

static bool blkverify_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    return open_with(node, 2, error);
}

/* ---- requests ---- */

static void ask_main(void *data)
{
    Ask *ask = data;

    ask->result = block_io(ask->copy, &ask->io);
    if (--ask->round->under_way == 0 && ask->round->waiter) {
        coroutine_enter(ask->round->waiter);
    }
}

static void ask_all(Round *round)
{
    round->under_way = round->count;
    for (unsigned i = 0; i < round->count; i++) {
        coroutine_enter(coroutine_new(ask_main, &round->asks[i]));
    }
    if (round->under_way > 0) {
        round->waiter = coroutine_self();
        coroutine_yield();
    }
}

static void round_begin(Round *round, BlockNode *node, const BlockIo *io)
{
    const Quorum *q = node->state;

    *round = (Round){ .count = q->copies };
    for (unsigned i = 0; i < q->copies; i++) {
        round->asks[i] = (Ask){ .round = round, .copy = node->children[i], .io = *io };
    }
}

/* So many copies must have done it; the error of one of the others if they have not. */
static int enough(const Round *round, unsigned votes)
{
    unsigned done = 0;
    int result = 0;

    for (unsigned i = 0; i < round->count; i++) {
        done += round->asks[i].result == 0;
        result = round->asks[i].result < 0 ? round->asks[i].result : result;
    }
    return done >= votes ? 0 : result;
}

/* The answer that most copies gave, if they are enough; NULL otherwise. */
static const Ask *majority(Round *round, unsigned votes, uint64_t length)
{
    for (unsigned i = 0; i < round->count; i++) {
        Ask *ask = &round->asks[i];

        for (unsigned j = 0; ask->result == 0 && j < round->count; j++) {
            ask->agree += round->asks[j].result == 0 &&
                memcmp(ask->piece.iov_base, round->asks[j].piece.iov_base, length) == 0;
        }
        if (ask->agree >= votes) {
            return ask;
        }
    }
    return NULL;
}

static int read_all(Round *round, unsigned votes, const BlockIo *io)
{
    const Ask *winner = NULL;
    bool memory = true;

    for (unsigned i = 0; i < round->count; i++) {
        Ask *ask = &round->asks[i];

        ask->piece.iov_len = io->length;
        memory = memory && posix_memalign(&ask->piece.iov_base, 4096, io->length) == 0;
        ask->io.memory = (BlockMemory){ &ask->piece, 1, 0 };
    }
    if (memory) {
        ask_all(round);
        winner = majority(round, votes, io->length);
    }
    if (winner) {
        block_memory_store(io->memory, winner->piece.iov_base, io->length);
    }
    for (unsigned i = 0; i < round->count; i++) {
        free(round->asks[i].piece.iov_base);
    }
    return winner ? 0 : memory ? -EIO : -ENOMEM;
}

static int quorum_transfer(BlockNode *node, const BlockIo *io)
{
    const Quorum *q = node->state;
    Round round;

    round_begin(&round, node, io);
    if (io->op == BLOCK_READ) {
        return read_all(&round, q->votes, io);
    }
    ask_all(&round);
    return enough(&round, q->votes);
}

BLOCK_DRIVER(quorum) = {
    .name = "quorum",
    .filter = true,
    .state_size = sizeof(Quorum),
    .open = quorum_open,
    .map = block_map_through,
    .transfer = quorum_transfer,
};

BLOCK_DRIVER(blkverify) = {
    .name = "blkverify",
    .filter = true,
    .state_size = sizeof(Quorum),
    .open = blkverify_open,
    .map = block_map_through,
    .transfer = quorum_transfer,
};

/* Blocks that may come back: see dormant.h. */
#include "tcg/dormant.h"

#include <glib.h>
#include <string.h>

#include "tcg/blocks.h"

enum {
    SETS = 512,
    WAYS = 8,
    CREDIT_AT_FIRST = SETS * WAYS,
    CREDIT_MOST = 4 * SETS * WAYS,
    CREDIT_OF_A_HIT = 16,
    TRIED_WITHOUT_CREDIT = 64, /* one block in so many */
};

void dormant_init(DormantBlocks *blocks)
{
    *blocks = (DormantBlocks){ .credit = CREDIT_AT_FIRST };
}

void dormant_clear(DormantBlocks *blocks)
{
    g_free(blocks->ways);
    blocks->ways = NULL;
}

/* The last steps of splitmix64: every bit of the result depends on every bit of x. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The ways of a place with these first bytes. */
static Block **set_of(
    const DormantBlocks *blocks, const uint8_t *host, uint64_t pc, uint32_t mode, const void *bytes)
{
    uint64_t word[2], hash;

    memcpy(word, bytes, sizeof(word));
    hash = mix(word[0] + (uintptr_t)host);
    hash = mix(hash + word[1]);
    hash = mix(hash + pc * 3 + mode);
    return &blocks->ways[hash % SETS * WAYS];
}

static Block **set_of_block(const DormantBlocks *blocks, const Block *block)
{
    return set_of(blocks, block->host, block->pc, block->mode, block_copy(block));
}

bool dormant_add(DormantBlocks *blocks, Block *block, Block **displaced)
{
    unsigned clock = ++blocks->clock;

    *displaced = NULL;
    if (!blocks->credit && clock % TRIED_WITHOUT_CREDIT) {
        return false;
    }
    blocks->credit -= blocks->credit ? 1 : 0;
    if (!blocks->ways) {
        blocks->ways = g_new0(Block *, SETS * WAYS);
    }
    Block **set = set_of_block(blocks, block);
    unsigned way = 0;
    while (way < WAYS && set[way]) {
        way++;
    }
    if (way == WAYS) {
        way = clock % WAYS;
        *displaced = set[way];
        set[way]->dormant = false;
    }
    set[way] = block;
    block->dormant = true;
    return true;
}

Block *dormant_take(DormantBlocks *blocks, const uint8_t *host, uint64_t pc, uint32_t mode)
{
    uint64_t bytes[DORMANT_MIN_SIZE / sizeof(uint64_t)];

    if (!blocks->ways || (pc & (GUEST_PAGE_SIZE - 1)) > GUEST_PAGE_SIZE - DORMANT_MIN_SIZE) {
        return NULL;
    }
    code_copy((uint8_t *)bytes, host, sizeof(bytes));
    Block **set = set_of(blocks, host, pc, mode, bytes);
    for (unsigned way = 0; way < WAYS; way++) {
        Block *block = set[way];
        if (block && block->host == host && block->pc == pc && block->mode == mode &&
            code_is_same(block_copy(block), host, block->guest_size)) {
            set[way] = NULL;
            block->dormant = false;
            blocks->credit = MIN(blocks->credit + CREDIT_OF_A_HIT, CREDIT_MOST);
            return block;
        }
    }
    return NULL;
}

void dormant_forget(DormantBlocks *blocks, Block *block)
{
    Block **set = set_of_block(blocks, block);

    for (unsigned way = 0; way < WAYS; way++) {
        if (set[way] == block) {
            set[way] = NULL;
        }
    }
    block->dormant = false;
}

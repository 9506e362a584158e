/*
 * Dormant blocks: dropped because their code was overwritten, kept for the case that the same bytes come back to
 * the same place. A guest's own translator that fills a buffer again, a kernel that switches a call on and off or
 * a trampoline on a stack then costs a comparison and no translation.
 *
 * A set-associative table with a bound; what falls out of it is forgotten. A guest whose code never comes back
 * soon pays next to nothing for it.
 */
#ifndef TCG_DORMANT_H
#define TCG_DORMANT_H

#include <stdbool.h>
#include <stdint.h>

struct Block;

/* Bytes of guest code that are looked up at once: shorter blocks are as quick to translate. */
enum { DORMANT_MIN_SIZE = 16 };

typedef struct DormantBlocks {
    struct Block **_Atomic ways; /* NULL until the first block sleeps; tested without the lock */
    unsigned credit; /* spent by blocks that fall asleep, earned by those that wake up */
    unsigned clock;
} DormantBlocks;

void dormant_init(DormantBlocks *blocks);
void dormant_clear(DormantBlocks *blocks);

/*
 * Takes a dropped block; false: it is not worth it. *displaced: the one that is forgotten for it, or NULL. Lock
 * held, for all of these.
 */
bool dormant_add(DormantBlocks *blocks, struct Block *block, struct Block **displaced);

/* Takes out the block for what is in memory at host now, NULL when there is none. It is not published yet. */
struct Block *dormant_take(DormantBlocks *blocks, const uint8_t *host, uint64_t pc, uint32_t mode);

/* Its memory goes. */
void dormant_forget(DormantBlocks *blocks, struct Block *block);

#endif

/*
 * What a loss of power leaves: the filter `power` records every change on its way to a file, and
 * gives the states that the file may legally have if the power had failed at any moment.
 *
 * A change that a flush covers is there, and so is a durable one that had ended. Of the others,
 * each may be there, not there, or torn between two sectors.
 */
#ifndef BLOCK_POWER_H
#define BLOCK_POWER_H

#include <glib.h>

#include "block/block.h"

/* ---- one change, and what may be left of it ---- */

typedef struct PowerChange {
    uint64_t began;  /* moments; it can have happened from the first one on ... */
    uint64_t ended;  /* 0: under way */
    uint64_t stable; /* ... and has for sure from this one on; UINT64_MAX: never */
    uint64_t at, length;
    bool zeroes;
    uint8_t *data;    /* of the filter */
    uint64_t data_at; /* in a log */
} PowerChange;

/* Chance, of one crash: how likely is it that a change reached the disk without a flush? */
typedef struct PowerChance {
    GRand *rand;
    double there;
} PowerChance;

PowerChance power_chance(GRand *rand);

/* The bytes of a change that are there if the power fails at `moment`; false: none. */
bool power_fate(const PowerChange *change, uint64_t moment, const PowerChance *chance,
    uint64_t *from, uint64_t *to);

/* ---- the filter ---- */

/* [co] A node over `child`, which it takes, that records from now on. */
BlockNode *power_record(BlockNode *child, GError **error);

/* Moments pass with every change and flush that begins or ends; the number of them so far. */
uint64_t power_now(const BlockNode *power);

/*
 * A state of the file at `moment`, chosen by `rand`, which starts from what it was when recording
 * began: `image` is changed into it.
 */
void power_crash(const BlockNode *power, uint64_t moment, GRand *rand, GByteArray *image);

#endif

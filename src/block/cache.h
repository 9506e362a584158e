/* What a cache mode promises: the one place where its three bits are read. */
#ifndef BLOCK_CACHE_H
#define BLOCK_CACHE_H

#include <stdbool.h>

#include "core/machine.h"

/* How the host's file is opened. */
bool cache_wants_direct(const DriveCache *cache);

/* Is each write to be on stable storage before it is reported as done? */
bool cache_writes_durably(const DriveCache *cache);

/* May the guest see, and switch off, a write cache? */
bool cache_offers_write_cache(const DriveCache *cache);

/* Does a flush do nothing? */
bool cache_ignores_flush(const DriveCache *cache);

/* Does the mode promise anything that a protocol without flush could not keep? */
bool cache_needs_flush(const DriveCache *cache);

bool cache_is_same(const DriveCache *one, const DriveCache *other);

/* The word of the preset that it is, if it is one. */
void cache_name(DriveCache *cache);

/* "directsync", or all three where no word says it. */
char *cache_text(const DriveCache *cache);

/*
 * "cache=WORD" sets all three; "cache={writeback: true, direct: true}" those that it names, and
 * "cache.writeback=on" (and direct, no-flush) one: the others stay as they are. False: it is none
 * of these, and nothing is changed.
 */
bool cache_apply_setting(DriveCache *cache, const char *setting);

/* The preset of this name: "none" ... ; false when there is none. */
bool cache_from_word(const char *word, DriveCache *out);

#endif

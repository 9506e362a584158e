/*
 * Drives: what -drive and its shorthands say, in the order in which QEMU finds it out (DRIVE.md, 3
 * and 6), and the drives that a machine has of its own (8).
 */
#ifndef CONFIG_LEGACY_DRIVES_H
#define CONFIG_LEGACY_DRIVES_H

#include "config/legacy/legacy.h"

/* All drive options of the command line, then the default ones. False after reporting. */
bool drives_read(Legacy *legacy);

/* The drive at a place, or NULL. */
LegacyDrive *drives_at(const Legacy *legacy, DriveInterface interface, int bus, int unit);

/* Units on a bus of this interface; 0: no limit. */
int drives_width(const Legacy *legacy, DriveInterface interface);

/* The interface of a drive without if=. */
DriveInterface drives_standard(const Legacy *legacy);

/* What the guest is not allowed: to write. */
bool drives_read_only(const LegacyDrive *drive);

/* Reports keys of a drive's options that QEMU of 2011 knows and later ones do not. */
bool drives_is_old_key(const char *key);

/* The modes of cache= as bits. */
typedef struct CacheWord {
    const char *word;
    bool writeback, direct, no_flush;
} CacheWord;

/* The default of 7.2 first, old spellings last; ends with a NULL word. */
extern const CacheWord drives_cache_words[];

/* NULL: no such mode. */
const CacheWord *drives_cache_word(const char *word);

#endif

/*
 * "Did you mean": the nearest of the words that are allowed.
 */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <glib.h>

/* Letters to add, drop, change or swap to make one of the other. */
unsigned suggest_distance(const char *left, const char *right);

/*
 * The nearest of which no more than a third of the letters, and no more than two, are others; case
 * is none. Else one that the word only adds to, as `virtio-rng-pci` does. NULL: none.
 */
const char *suggest(const char *word, const GPtrArray *candidates);

#endif

/*
 * "Did you mean": the nearest of the words that are allowed.
 */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <glib.h>

/* Letters to add, drop, change or swap to make one of the other. */
unsigned suggest_distance(const char *left, const char *right);

/* NULL when none is near: more than a third of the letters differ, or more than two. */
const char *suggest(const char *word, const GPtrArray *candidates);

#endif

/* Edit distance with swaps of neighbours (optimal string alignment), three rows at a time. */
#include "config/suggest.h"

#include <string.h>

enum { LONGEST_WORD = 64 };

unsigned suggest_distance(const char *left, const char *right)
{
    unsigned rows[3][LONGEST_WORD + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2], *spare;
    size_t rows_needed = strlen(left), width = strlen(right);

    if (rows_needed > LONGEST_WORD || width > LONGEST_WORD) {
        return G_MAXUINT;
    }
    for (unsigned j = 0; j <= width; j++) {
        above[j] = j;
    }
    for (unsigned i = 1; i <= rows_needed; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= width; j++) {
            row[j] = above[j - 1] + (left[i - 1] != right[j - 1]);
            row[j] = MIN(row[j], MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                row[j] = MIN(row[j], before[j - 2] + 1);
            }
        }
        spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[width];
}

/* "virtio-rng" of "virtio-rng-pci": the longest candidate that the word only adds to. */
static const char *suggest_stem(const char *word, const GPtrArray *candidates)
{
    const char *found = NULL;

    for (unsigned i = 0; i < candidates->len; i++) {
        const char *candidate = g_ptr_array_index(candidates, i);

        if (g_str_has_prefix(word, candidate) && word[strlen(candidate)] == '-' &&
            (!found || strlen(candidate) > strlen(found))) {
            found = candidate;
        }
    }
    return found;
}

const char *suggest(const char *word, const GPtrArray *candidates)
{
    g_autofree char *lower = g_ascii_strdown(word, -1);
    unsigned nearest = CLAMP(strlen(word) / 3, 1, 2) + 1;
    const char *found = NULL;

    for (unsigned i = 0; i < candidates->len; i++) {
        const char *candidate = g_ptr_array_index(candidates, i);
        unsigned distance = MIN(
            suggest_distance(word, candidate), suggest_distance(lower, candidate));

        if (distance < nearest) {
            nearest = distance;
            found = candidate;
        }
    }
    return found ? found : suggest_stem(word, candidates);
}

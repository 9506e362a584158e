#include "core/fat-name.h"

#include <glib.h>
#include <string.h>

static size_t word_length(const char *name)
{
    static const char *const words[] = { "12:", "16:", "32:", "floppy:", "rw:" };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_has_prefix(name, words[i])) {
            return strlen(words[i]);
        }
    }
    return g_str_has_prefix(name, "label=") && strchr(name, ':')
        ? (size_t)(strchr(name, ':') + 1 - name)
        : 0;
}

size_t fat_name_words(const char *name)
{
    size_t length = g_str_has_prefix(name, "fat:") ? strlen("fat:") : 0, word;

    while (length > 0 && (word = word_length(name + length)) > 0) {
        length += word;
    }
    return length;
}

#include "core/drive-spec.h"

#include <stddef.h>
#include <string.h>

const char *const drive_aio_words[] = { "threads", "native", "io_uring", NULL };

int word_find(const char *const *words, const char *word)
{
    for (int i = 0; word && words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

#include "core/drive-spec.h"

#include <stddef.h>
#include <string.h>

const char *const drive_aio_words[] = { "threads", "native", "io_uring", NULL };
const char *const drive_on_error_words[] = { "report", "ignore", "stop", "enospc", NULL };
const char *const drive_zeroes_words[] = { "ignore", "zero", "unmap", NULL };
const char *const drive_limit_words[] = { "bps-total", "bps-read", "bps-write", "iops-total",
    "iops-read", "iops-write", NULL };

int word_find(const char *const *words, const char *word)
{
    for (int i = 0; word && words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

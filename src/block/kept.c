#include "block/kept.h"

#include <glib.h>

void kept_init(Kept *kept)
{
    *kept = (Kept){ .last = &kept->first };
}

void kept_add(Kept *kept, const BlockIo *io, void *data)
{
    KeptWrite *write = g_new(KeptWrite, 1);

    *write = (KeptWrite){ .op = io->op,
        .flags = io->flags,
        .at = io->at,
        .length = io->length,
        .data = data,
        .number = ++kept->number };
    *kept->last = write;
    kept->last = &write->next;
    kept->bytes += sizeof(*write) + (data ? io->length : 0);
}

uint64_t kept_mark(const Kept *kept)
{
    return kept->number;
}

void kept_drop(Kept *kept, uint64_t mark)
{
    while (kept->first && kept->first->number <= mark) {
        KeptWrite *write = kept->first;

        kept->first = write->next;
        kept->bytes -= sizeof(*write) + (write->data ? write->length : 0);
        g_free(write->data);
        g_free(write);
    }
    if (!kept->first) {
        kept->last = &kept->first;
    }
}

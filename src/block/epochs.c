#include "block/epochs.h"

#include <glib.h>

uint64_t epochs_write_done(FlushEpochs *epochs, uint64_t bytes)
{
    epochs->written += bytes;
    return epochs->open;
}

Flush epochs_flush_begin(FlushEpochs *epochs)
{
    epochs->open++;
    return (Flush){ epochs->open, epochs->written };
}

static void add_doubt(FlushEpochs *epochs, uint64_t from, uint64_t to)
{
    if (from >= to) {
        return;
    }
    if (epochs->doubt_from == epochs->doubt_to) {
        epochs->doubt_from = from;
    }
    epochs->doubt_to = MAX(epochs->doubt_to, to);
}

void epochs_flush_done(FlushEpochs *epochs, Flush flush, bool ok)
{
    if (ok) {
        epochs->covered = MAX(epochs->covered, flush.written);
    } else {
        add_doubt(epochs, epochs->stable, flush.epochs);
    }
    epochs->stable = MAX(epochs->stable, flush.epochs);
}

bool epochs_covered(const FlushEpochs *epochs, uint64_t epoch)
{
    return epoch < epochs->stable && !(epoch >= epochs->doubt_from && epoch < epochs->doubt_to);
}

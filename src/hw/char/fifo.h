/* The 16-byte FIFO of serial ports. Plain data, so that it can be saved as it is. */
#ifndef HW_CHAR_FIFO_H
#define HW_CHAR_FIFO_H

#include <glib.h>
#include <stdint.h>

enum { FIFO_SIZE = 16 };

typedef struct Fifo {
    uint8_t bytes[FIFO_SIZE];
    uint8_t first, count;
} Fifo;

/* The caller has seen that there is room. */
static inline void fifo_put(Fifo *f, uint8_t byte)
{
    f->bytes[(f->first + f->count++) % FIFO_SIZE] = byte;
}

static inline uint8_t fifo_first(const Fifo *f)
{
    return f->bytes[f->first];
}

/* Takes one; the caller has seen that there is one. */
static inline uint8_t fifo_get(Fifo *f)
{
    uint8_t byte = f->bytes[f->first];

    f->first = (f->first + 1) % FIFO_SIZE;
    f->count--;
    return byte;
}

/* After loading: a snapshot may hold anything. */
static inline void fifo_check(Fifo *f)
{
    f->first %= FIFO_SIZE;
    f->count = MIN(f->count, FIFO_SIZE);
}

#endif

/* What loads, stores and atomics share. */
#ifndef TCG_HOST_X86_64_MEM_H
#define TCG_HOST_X86_64_MEM_H

#include "tcg/host/x86_64/regs.h"
#include "tcg/host/x86_64/slow.h"

typedef struct Access {
    unsigned base; /* guest address: register and displacement */
    int32_t disp;
    unsigned page, tag; /* scratch registers: page is the addend after the check, tag is free */
    bool other;         /* in the other data context */
    Rm at;              /* where the data is, after the check */
    Late *late;
} Access;

/* The bytes from low to high (exclusive), relative to the base, that one check covers. */
typedef struct Span {
    int32_t low, high;
} Span;

bool mem_is_clean_address(const Gen *g, unsigned t);
/* The whole check; goes to x->late when it fails. */
void mem_check(Gen *g, Access *x, unsigned size, bool aligned, bool write);
void mem_load_int(Gen *g, unsigned memop, bool wide, unsigned d, Rm from);
/* The slow path of an access out of line. */
void mem_late_slow(Gen *g, const Late *late);

#endif

/* What loads, stores and atomics share. */
#ifndef TCG_HOST_X86_64_MEM_H
#define TCG_HOST_X86_64_MEM_H

#include "tcg/host/x86_64/regs.h"
#include "tcg/host/x86_64/slow.h"

/* How an access is checked. */
typedef struct Access {
    uint8_t kind;      /* CHECK_WRITE, CHECK_OTHER */
    uint8_t page, tag; /* scratch registers: page is the addend after the check, tag is free */
} Access;

/* The bytes from low to high (exclusive), relative to the base, that one check covers. */
typedef struct Span {
    int32_t low, high;
} Span;

bool mem_is_clean_address(const Gen *g, unsigned t);
/* The whole check, which may be retried, of an access that has to be aligned; gives where the data is then. */
Rm mem_check_aligned(Gen *g, Late *late, const Access *x, unsigned memop);
void mem_load_int(Gen *g, unsigned memop, bool wide, unsigned d, Rm from);
/* The slow path of an access out of line. */
void mem_late_slow(Gen *g, const Late *late);

#endif

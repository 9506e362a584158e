/* A check that generated code calls; like tlb-refill.c it keeps to general registers. */
#include "tcg/tcg-impl.h"
#include "tcg/general-regs.h"

/* A helper of blocks that lie on two pages: does the itlb still have this id for the page? */
__attribute__((no_sanitize("thread", "address", "undefined"))) uint64_t cpu_page_is_there(
    CpuEnv *env, uint64_t page, uint64_t id, uint64_t c)
{
    return env->fetch->itlb[(page >> GUEST_PAGE_BITS) & (ITLB_SIZE - 1)] == id;
}

#include "tcg/general-regs-end.h"

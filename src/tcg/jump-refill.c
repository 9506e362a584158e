/*
 * What generated code calls with guest registers in vector registers: the quick half of a miss of the jump cache. So
 * nothing here may touch those: no floating point, no sanitizer, no other module.
 */
#include "tcg/jump-inline.h"
#include "tcg/tcg-trace.h"

#include "tcg/general-regs.h"

QUIET const void *jump_refill(CpuEnv *env, uint64_t pc)
{
    TcgCpu *cpu = env->cpu;
    FetchView *view = cpu->view;
    const FetchPage *page = &view->map[itlb_index(pc)];

    if (!view_has_page(view, pc) || cpu_is_watched(cpu)) {
        return NULL;
    }
    const uint8_t *host = page->host + (pc & (GUEST_PAGE_SIZE - 1));
    uint32_t mode = env->mode | (page->marked ? ISA_MODE_MARKED : 0);
    Block *block = block_find(&cpu->tcg->blocks, host, pc, mode);
    /* One that straddles is only good where its second page is as it was. */
    if (!block || block->straddles || !jump_enter(view, block)) {
        return NULL;
    }
    cpu->jump_refills++;
    return block->code;
}

#include "tcg/general-regs-end.h"

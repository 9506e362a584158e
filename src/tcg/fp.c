/* Floating-point state and operations of guest CPUs. */
#include "tcg/fp.h"

uint64_t fp_eval(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c, uint32_t key)
{
    return 0;   /* TODO: soft float; until then every result is +0 */
}

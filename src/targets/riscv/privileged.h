/* Numbers of the privileged architecture: bits of CSRs, interrupts, causes. */
#ifndef TARGETS_RISCV_PRIVILEGED_H
#define TARGETS_RISCV_PRIVILEGED_H

#include <stdint.h>

typedef enum RvPrivilege { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 } RvPrivilege;

/* Privileged ISA 3.1.6 */
#define MSTATUS_SIE (UINT64_C(1) << 1)
#define MSTATUS_MIE (UINT64_C(1) << 3)
#define MSTATUS_SPIE (UINT64_C(1) << 5)
#define MSTATUS_MPIE (UINT64_C(1) << 7)
#define MSTATUS_SPP (UINT64_C(1) << 8)
#define MSTATUS_MPP (UINT64_C(3) << 11)
#define MSTATUS_FS (UINT64_C(3) << 13)
#define MSTATUS_MPRV (UINT64_C(1) << 17)
#define MSTATUS_SUM (UINT64_C(1) << 18)
#define MSTATUS_MXR (UINT64_C(1) << 19)
#define MSTATUS_TVM (UINT64_C(1) << 20)
#define MSTATUS_TW (UINT64_C(1) << 21)
#define MSTATUS_TSR (UINT64_C(1) << 22)
#define MSTATUS_UXL (UINT64_C(2) << 32) /* 64 bits */
#define MSTATUS_SXL (UINT64_C(2) << 34)
#define SSTATUS_BITS                                                                               \
    (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)
enum { MSTATUS_MPP_SHIFT = 11, MSTATUS_FS_SHIFT = 13 };

/* Bits of mip and mie; numbers of the input lines too. */
enum { IRQ_SSI = 1, IRQ_MSI = 3, IRQ_STI = 5, IRQ_MTI = 7, IRQ_SEI = 9, IRQ_MEI = 11 };
#define MIP_S (1 << IRQ_SSI | 1 << IRQ_STI | 1 << IRQ_SEI)
#define MIP_M (1 << IRQ_MSI | 1 << IRQ_MTI | 1 << IRQ_MEI)

#define ENVCFG_CBIE (UINT64_C(3) << 4)
#define ENVCFG_CBCFE (UINT64_C(1) << 6)
#define ENVCFG_CBZE (UINT64_C(1) << 7)
#define ENVCFG_ADUE (UINT64_C(1) << 61)
#define ENVCFG_STCE (UINT64_C(1) << 63)
enum { ENVCFG_CBIE_SHIFT = 4 };

typedef enum RvCause {
    CAUSE_FETCH_MISALIGNED,
    CAUSE_FETCH_ACCESS,
    CAUSE_ILLEGAL,
    CAUSE_BREAKPOINT,
    CAUSE_LOAD_MISALIGNED,
    CAUSE_LOAD_ACCESS,
    CAUSE_STORE_MISALIGNED,
    CAUSE_STORE_ACCESS,
    CAUSE_ECALL_U,
    CAUSE_ECALL_S,
    CAUSE_ECALL_M = 11,
    CAUSE_FETCH_PAGE,
    CAUSE_LOAD_PAGE,
    CAUSE_STORE_PAGE = 15,
    CAUSE_INTERRUPT = 1u << 31, /* our flag: the topmost bit of xcause, whatever its width */
} RvCause;

#endif

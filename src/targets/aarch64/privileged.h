/* Numbers of the privileged architecture: bits of system registers, exception classes, syndromes. */
#ifndef TARGETS_AARCH64_PRIVILEGED_H
#define TARGETS_AARCH64_PRIVILEGED_H

#include <stdint.h>

#define A64_BIT(n) (UINT64_C(1) << (n))

/* Exception classes, ESR_ELx.EC (D17.2.37). */
typedef enum A64Class {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_FP = 0x07, /* access to Advanced SIMD or floating point */
    EC_PAC = 0x09,
    EC_BTI = 0x0d,
    EC_ILLEGAL = 0x0e, /* PSTATE.IL */
    EC_SVC = 0x15,
    EC_HVC = 0x16,
    EC_SMC = 0x17,
    EC_SYSTEM = 0x18, /* MSR, MRS, SYS */
    EC_FETCH_LOWER = 0x20,
    EC_FETCH = 0x21,
    EC_PC_ALIGN = 0x22,
    EC_DATA_LOWER = 0x24,
    EC_DATA = 0x25,
    EC_SP_ALIGN = 0x26,
    EC_BREAKPOINT_LOWER = 0x30,
    EC_BREAKPOINT = 0x31,
    EC_STEP_LOWER = 0x32,
    EC_STEP = 0x33,
    EC_WATCHPOINT_LOWER = 0x34,
    EC_WATCHPOINT = 0x35,
    EC_BRK = 0x3c,
    EC_INTERRUPT = 0x3f, /* ours: an asynchronous exception; ISS is A64Interrupt */
} A64Class;

enum { ESR_EC_SHIFT = 26, ESR_IL = 1 << 25, ESR_ISS = (1 << 25) - 1 };

/* A syndrome of a 32-bit instruction. */
static inline uint32_t a64_syndrome(A64Class class, uint32_t iss)
{
    return (uint32_t) class << ESR_EC_SHIFT | ESR_IL | iss;
}

typedef enum A64Interrupt { INTERRUPT_IRQ, INTERRUPT_FIQ } A64Interrupt;

/* ISS of data aborts. */
enum { ISS_WNR = 1 << 6, ISS_S1PTW = 1 << 7, ISS_CM = 1 << 8 };

/* Fault status codes (D17.2.37), those of a level have it in bits 1 and 0. */
enum {
    FAULT_ADDRESS_SIZE = 0x00,
    FAULT_TRANSLATION = 0x04,
    FAULT_ACCESS_FLAG = 0x08,
    FAULT_PERMISSION = 0x0c,
    FAULT_EXTERNAL = 0x10,
    FAULT_EXTERNAL_WALK = 0x14,
    FAULT_ALIGNMENT = 0x21,
};

/* SPSR, PSTATE */
#define PSTATE_SP A64_BIT(0)
#define PSTATE_EL (UINT64_C(3) << 2)
#define PSTATE_AARCH32 A64_BIT(4)
#define PSTATE_F A64_BIT(6)
#define PSTATE_I A64_BIT(7)
#define PSTATE_A A64_BIT(8)
#define PSTATE_D A64_BIT(9)
#define PSTATE_DAIF (UINT64_C(15) << 6)
#define PSTATE_SSBS A64_BIT(12)
#define PSTATE_IL A64_BIT(20)
#define PSTATE_SS A64_BIT(21)
#define PSTATE_PAN A64_BIT(22)
#define PSTATE_UAO A64_BIT(23)
#define PSTATE_DIT A64_BIT(24)
#define PSTATE_NZCV (UINT64_C(15) << 28)
enum { PSTATE_EL_SHIFT = 2, PSTATE_BTYPE_SHIFT = 10, NZCV_SHIFT = 28 };
enum { NZCV_N = 8, NZCV_Z = 4, NZCV_C = 2, NZCV_V = 1 };

/* SCTLR_ELx */
#define SCTLR_M A64_BIT(0)
#define SCTLR_A A64_BIT(1)
#define SCTLR_SA A64_BIT(3)
#define SCTLR_UMA A64_BIT(9)
#define SCTLR_DZE A64_BIT(14)
#define SCTLR_UCT A64_BIT(15)
#define SCTLR_NTWI A64_BIT(16)
#define SCTLR_NTWE A64_BIT(18)
#define SCTLR_WXN A64_BIT(19)
#define SCTLR_SPAN A64_BIT(23)
#define SCTLR_EE A64_BIT(25)
#define SCTLR_UCI A64_BIT(26)
#define SCTLR_DSSBS A64_BIT(44)

/* MDSCR_EL1 */
#define MDSCR_SS A64_BIT(0)
#define MDSCR_KDE A64_BIT(13)
#define MDSCR_MDE A64_BIT(15)

/* FPCR */
#define FPCR_FZ16 A64_BIT(19)
#define FPCR_RMODE (UINT64_C(3) << 22)
#define FPCR_FZ A64_BIT(24)
#define FPCR_DN A64_BIT(25)
#define FPCR_AHP A64_BIT(26)
enum { FPCR_RMODE_SHIFT = 22 };

#endif

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
    EC_SERROR = 0x2f,
    EC_BRK = 0x3c,
    EC_AGAIN = 0x3b,        /* ours: none. The pc loses a tag, which a branch would have dropped */
    EC_DATA_STAGE2 = 0x3d,  /* ours: EC_DATA_LOWER and EC_FETCH_LOWER by stage 2, */
    EC_FETCH_STAGE2 = 0x3e, /* whose intermediate address is A64Cpu.fault_ipa */
    EC_INTERRUPT = 0x3f,    /* ours: an asynchronous exception; ISS is A64Interrupt */
} A64Class;

enum { ESR_EC_SHIFT = 26, ESR_IL = 1 << 25, ESR_ISS = (1 << 25) - 1 };

/* A syndrome of a 32-bit instruction. */
static inline uint32_t a64_syndrome(A64Class class, uint32_t iss)
{
    return (uint32_t) class << ESR_EC_SHIFT | ESR_IL | iss;
}

typedef enum A64Interrupt {
    INTERRUPT_IRQ,
    INTERRUPT_FIQ,
    INTERRUPT_VIRTUAL_IRQ,
    INTERRUPT_VIRTUAL_FIQ,
    INTERRUPT_VIRTUAL_SERROR,
} A64Interrupt;

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
#define SCTLR_SA0 A64_BIT(4)
#define SCTLR_UMA A64_BIT(9)
#define SCTLR_ENRCTX A64_BIT(10)
#define SCTLR_DZE A64_BIT(14)
#define SCTLR_UCT A64_BIT(15)
#define SCTLR_NTWI A64_BIT(16)
#define SCTLR_NTWE A64_BIT(18)
#define SCTLR_WXN A64_BIT(19)
#define SCTLR_TSCXT A64_BIT(20)
#define SCTLR_SPAN A64_BIT(23)
#define SCTLR_EE A64_BIT(25)
#define SCTLR_UCI A64_BIT(26)
#define SCTLR_DSSBS A64_BIT(44)

/* HCR_EL2 (D17.2.48) */
#define HCR_VM A64_BIT(0)
#define HCR_SWIO A64_BIT(1)
#define HCR_PTW A64_BIT(2)
#define HCR_FMO A64_BIT(3)
#define HCR_IMO A64_BIT(4)
#define HCR_AMO A64_BIT(5)
#define HCR_VF A64_BIT(6)
#define HCR_VI A64_BIT(7)
#define HCR_VSE A64_BIT(8)
#define HCR_FB A64_BIT(9)
#define HCR_BSU (UINT64_C(3) << 10)
#define HCR_DC A64_BIT(12)
#define HCR_TWI A64_BIT(13)
#define HCR_TWE A64_BIT(14)
#define HCR_TID0 A64_BIT(15)
#define HCR_TID1 A64_BIT(16)
#define HCR_TID2 A64_BIT(17)
#define HCR_TID3 A64_BIT(18)
#define HCR_TSC A64_BIT(19)
#define HCR_TIDCP A64_BIT(20)
#define HCR_TACR A64_BIT(21)
#define HCR_TSW A64_BIT(22)
#define HCR_TPC A64_BIT(23)
#define HCR_TPU A64_BIT(24)
#define HCR_TTLB A64_BIT(25)
#define HCR_TVM A64_BIT(26)
#define HCR_TGE A64_BIT(27)
#define HCR_TDZ A64_BIT(28)
#define HCR_HCD A64_BIT(29)
#define HCR_TRVM A64_BIT(30)
#define HCR_RW A64_BIT(31)
#define HCR_CD A64_BIT(32)
#define HCR_ID A64_BIT(33)
#define HCR_E2H A64_BIT(34)
#define HCR_TLOR A64_BIT(35)
#define HCR_TERR A64_BIT(36)
#define HCR_TEA A64_BIT(37)
#define HCR_MIOCNCE A64_BIT(38)
#define HCR_APK A64_BIT(40)
#define HCR_API A64_BIT(41)
#define HCR_FWB A64_BIT(46)
#define HCR_ENSCXT A64_BIT(53)

/* SCR_EL3 (D17.2.117) */
#define SCR_NS A64_BIT(0)
#define SCR_IRQ A64_BIT(1)
#define SCR_FIQ A64_BIT(2)
#define SCR_EA A64_BIT(3)
#define SCR_SMD A64_BIT(7)
#define SCR_HCE A64_BIT(8)
#define SCR_SIF A64_BIT(9)
#define SCR_RW A64_BIT(10)
#define SCR_ST A64_BIT(11)
#define SCR_TWI A64_BIT(12)
#define SCR_TWE A64_BIT(13)
#define SCR_TLOR A64_BIT(14)
#define SCR_TERR A64_BIT(15)
#define SCR_APK A64_BIT(16)
#define SCR_API A64_BIT(17)
#define SCR_EEL2 A64_BIT(18)
#define SCR_ENSCXT A64_BIT(25)
#define SCR_HXEN A64_BIT(38)

/* CPTR_EL2, CPTR_EL3; MDCR_EL2, MDCR_EL3 */
#define CPTR_TFP A64_BIT(10)
#define CPTR_TCPAC A64_BIT(31)
#define MDCR_HPMN UINT64_C(31)
#define MDCR_TPMCR A64_BIT(5)
#define MDCR_TPM A64_BIT(6)
#define MDCR_HPME A64_BIT(7)
#define MDCR_TDE A64_BIT(8)
#define MDCR_TDA A64_BIT(9)
#define MDCR_TDOSA A64_BIT(10)
#define MDCR_TDRA A64_BIT(11)
#define MDCR_SDD A64_BIT(16)

/* DISR_EL1, VDISR_EL2, and what VSESR_EL2 has for them */
#define DISR_A A64_BIT(31)
#define DISR_SYNDROME UINT64_C(0x1ffffff)

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

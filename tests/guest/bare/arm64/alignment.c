/*
 * What must be aligned: ordered, exclusive and atomic accesses; all of them with SCTLR.A; and what QEMU 7.2 does not look
 * at: Device memory, which all is while the MMU is off (DDI 0487, D8.2.10 and B2.5.2); the stack pointer as a base
 * (D1.3.8.2); an exclusive store that does not come to pass (AArch64.ExclusiveMonitorsPass()).
 */
#include "paging.h"

static uint64_t words[1024] __attribute__((aligned(4096)));

#define AT(what, address, text)                                                                    \
    SHOW(what, {                                                                                   \
        register uint64_t x9 __asm__("x9") = (address);                                            \
        __asm__ volatile(text : "+r"(x9)::"x0", "x1", "x2", "x3", "x4", "x5", "memory", "cc");     \
    })

static void plain(uint64_t base)
{
    AT("ldr", base + 1, "ldr x0, [x9]");
    AT("ldr aligned", base + 8, "ldr x0, [x9]");
    AT("ldrh", base + 1, "ldrh w0, [x9]");
    AT("ldrb", base + 1, "ldrb w0, [x9]");
    AT("str", base + 4, "str x0, [x9]");
    AT("stur", base, "stur w0, [x9, #2]");
    AT("ldp of words", base + 4, "ldp w0, w1, [x9]");
    AT("ldp", base + 4, "ldp x0, x1, [x9]");
    AT("stp, aligned to one", base + 8, "stp x0, x1, [x9]");
    AT("ldr q0", base + 8, ".inst 0x3dc00120");
    AT("str q0", base + 8, ".inst 0x3d800120");
    AT("ldr d0", base + 4, ".inst 0xfd400120");
    AT("ld1 {v0.4s}", base + 4, ".inst 0x4c407920");
    AT("ldr across pages", base + 4093, "ldr x0, [x9]");
    AT("ldtr", base + 1, "ldtr x0, [x9]");
    AT("prfm", base + 1, "prfm pldl1keep, [x9]");
}

/* What reads and writes faults as a read, where a read would (ESR_ELx.WnR). */
static void read_and_write(uint64_t base)
{
    AT("ldadd, nothing there", base + 3 * 4096, "ldadd x0, x1, [x9]");
    AT("cas, nothing there", base + 3 * 4096, "cas x0, x1, [x9]");
    page_map(3, (uint64_t)words | PAGE_PLAIN | PAGE_NORMAL | PAGE_READ_ONLY);
    AT("ldadd, read-only", base + 3 * 4096, "ldadd x0, x1, [x9]");
    AT("casp, read-only", base + 3 * 4096, "casp x0, x1, x2, x3, [x9]");
}

static void ordered(uint64_t base)
{
    AT("ldar", base + 4, "ldar x0, [x9]");
    AT("ldarh", base + 1, "ldarh w0, [x9]");
    AT("stlr", base + 2, "stlr w0, [x9]");
    AT("ldapur", base, ".inst 0xd9404120"); /* ldapur x0, [x9, #4] */
    AT("ldxr", base + 4, "ldxr x0, [x9]");
    AT("ldaxr", base + 2, "ldaxr w0, [x9]");
    AT("ldxp of words", base + 4, "ldxp w0, w1, [x9]");
    AT("ldxp", base + 8, "ldxp x0, x1, [x9]");
    AT("ldadd", base + 4, "ldadd x0, x1, [x9]");
    AT("swp", base + 1, "swp w0, w1, [x9]");
    AT("cas", base + 4, "cas x0, x1, [x9]");
    AT("casp of words", base + 4, "casp w0, w1, w2, w3, [x9]");
    AT("casp", base + 8, "casp x0, x1, x2, x3, [x9]");
}

static void exclusive(uint64_t base)
{
    AT("stxr without ldxr", base + 4, "clrex\n stxr w0, x1, [x9]");
    AT("stxr without ldxr, aligned", base, "clrex\n stxr w0, x1, [x9]");
    AT("ldapr", base + 2, ".inst 0xb8bfc120");
    AT("stxp without ldxp", base + 8, "clrex\n stxp w0, x1, x2, [x9]");
}

/* With SP_EL0 as the stack pointer of EL1, so that exceptions have another one. */
#define WITH_SP(what, value, text)                                                                 \
    SHOW(what, {                                                                                   \
        register uint64_t x9 __asm__("x9") = (value);                                              \
        __asm__ volatile("msr spsel, #0\n mov x10, sp\n mov sp, x9\n" text "\n mov sp, x10\n"     \
                         "msr spsel, #1" : "+r"(x9)::"x0", "x1", "x2", "x10", "memory");           \
    })

static void stack(uint64_t base)
{
    WITH_SP("sp, aligned", base + 64, "ldr x0, [sp]");
    WITH_SP("sp, ldr", base + 8, "ldr x0, [sp]");
    WITH_SP("sp, store before it", base + 72, "stp x0, x1, [sp, #-16]!");
    WITH_SP("sp, a prefetch", base + 8, "prfm pldl1keep, [sp]");
    WITH_SP("sp, no access", base + 8, "add x0, sp, #1\n mov x1, sp");
    WITH_SP("sp, subtracted 8", base + 64, "sub sp, sp, #8\n ldr x0, [sp]");
    WITH_SP("sp, subtracted 8 twice", base + 64, "sub sp, sp, #8\n sub sp, sp, #8\n ldr x0, [sp]");
    WITH_SP("sp, masked", base + 72, "add x0, sp, #0\n and sp, x0, #-16\n ldr x0, [sp]");
    WITH_SP("sp, less a register", base + 64, "mov x1, #24\n sub sp, sp, x1\n ldr x0, [sp]");
    WITH_SP("sp, less an aligned register", base + 64, "mov x1, #32\n sub sp, sp, x1\n ldr x0, [sp]");
    WITH_SP("sp, post-indexed by 8", base + 64, "ldr x0, [sp], #8\n ldr x0, [sp]");
    WITH_SP("sp, a vector", base + 8, ".inst 0x3dc003e0");
    WITH_SP("sp, ldxr", base + 8, "ldxr x0, [sp]");
    WITH_SP("sp, misaligned for a moment", base + 64,
        "mov x1, #8\n add sp, sp, x1\n sub x1, sp, x1\n tbnz x1, #62, 1f\n sub x1, sp, x1\n sub sp, sp, x1\n1: ldr x0, [sp]");
    WITH_SP("sp, misaligned where a branch leads", base + 64,
        "mov x1, #8\n add sp, sp, x1\n sub x0, sp, x1\n tbz x0, #62, 1f\n sub x1, sp, x0\n sub sp, sp, x1\n1: ldr x0, [sp]");
    WITH_SP("sp, misaligned at the end of what is translated at once", base + 64,
        ".rept 60\n nop\n .endr\n mov x1, #8\n add sp, sp, x1\n sub x0, sp, x1\n tbz x0, #62, 1f\n"
        "sub x1, sp, x0\n sub sp, sp, x1\n1: ldr x0, [sp]");
    WITH_SP("sp, aligned where a branch leads", base + 64,
        "mov x1, #16\n add sp, sp, x1\n sub x0, sp, x1\n tbz x0, #62, 1f\n sub x1, sp, x0\n sub sp, sp, x1\n1: ldr x0, [sp]");
    WITH_SP("sp, misaligned, and again", base + 64, "mov x1, #8\n add sp, sp, x1\n sub sp, sp, #16\n ldr x0, [sp]");
    WITH_SP("sp, a loop that leaves it misaligned", base + 64, "mov x1, #3\n1: sub sp, sp, #8\n sub x1, x1, #1\n cbnz x1, 1b\n str x1, [sp]");
}

static void at_el0(uint64_t base)
{
    __asm__ volatile("mov sp, %0\n ldr x1, [sp]\n svc #0x77" ::"r"(base) : "x1", "memory");
}

int main(void)
{
    enum { SA = 1 << 3, SA0 = 1 << 4, A = 1 << 1 };
    uint64_t at = (uint64_t)words, sctlr;

    paging_begin();
    sctlr = read_sysreg(sctlr_el1) & ~(uint64_t)(SA | SA0 | A);
    write_sysreg(sctlr_el1, sctlr);
    page_map(0, at | PAGE_PLAIN | PAGE_NORMAL);
    page_map(1, at | PAGE_PLAIN | PAGE_NORMAL);
    print("normal memory\n");
    plain(PAGES_AT);
    ordered(PAGES_AT);
    print("with SCTLR.A\n");
    write_sysreg(sctlr_el1, sctlr | A);
    plain(PAGES_AT);
    AT("ld1 {v0.4s}, misaligned", PAGES_AT + 2, ".inst 0x4c407920");
    AT("st1 {v0.8b}, misaligned", PAGES_AT + 2, ".inst 0x0c007120");
    AT("st2 {v0.2s, v1.2s}, misaligned", PAGES_AT + 2, ".inst 0x0c008920");
    write_sysreg(sctlr_el1, sctlr);
    print("without SCTLR.SA\n");
    stack(PAGES_AT);
    print("--\n");

    exclusive(PAGES_AT);
    read_and_write(PAGES_AT);
    page_map(1, at | PAGE_PLAIN | PAGE_DEVICE_GRE);
    print("device memory behind normal memory\n");
    AT("ldr across", PAGES_AT + 4092, "ldr x0, [x9]");
    AT("str across", PAGES_AT + 4092, "str x0, [x9]");
    AT("ldr q0 across", PAGES_AT + 4088, ".inst 0x3dc00120");
    page_map(0, at | PAGE_PLAIN);
    print("device memory\n");
    plain(PAGES_AT);
    AT("dc zva", PAGES_AT, "dc zva, x9");
    page_map(0, at | PAGE_PLAIN | PAGE_UNCACHED);
    print("normal memory, uncached\n");
    AT("ldr", PAGES_AT + 1, "ldr x0, [x9]");
    AT("dc zva", PAGES_AT, "dc zva, x9");
    print("with SCTLR.SA\n");
    write_sysreg(sctlr_el1, sctlr | SA);
    stack(PAGES_AT);
    page_map(2, at | PAGE_PLAIN | PAGE_NORMAL | PAGE_EL0);
    print("the MMU off\n");
    write_sysreg(sctlr_el1, sctlr & ~(uint64_t)1);
    AT("ldr", at + 1, "ldr x0, [x9]");
    AT("ldr aligned", at + 8, "ldr x0, [x9]");
    AT("dc zva", at, "dc zva, x9");
    for (unsigned on = 0; on < 2; on++) {
        write_sysreg(sctlr_el1, (sctlr & ~(uint64_t)1) | (on ? SA0 : 0));
        SHOW(on ? "EL0, with SCTLR.SA0" : "EL0, without SCTLR.SA0", run_el0(at_el0, at + 8));
    }
    return 0;
}

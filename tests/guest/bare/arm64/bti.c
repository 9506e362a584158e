/*
 * Landing pads: every instruction that may be one, reached by every branch, in a page that is guarded and in one that
 * is not. DDI 0487, D8.4.4 and BTypeCompatible in the pseudocode.
 */
#include "paging.h"

enum { GUARDED, FREE, PAGES };
enum { RET = 0xd65f03c0, NOP = 0xd503201f, PADS = 64 };

static uint32_t code[PAGES][1024] __attribute__((aligned(4096)));

static uint64_t at(unsigned page, unsigned word)
{
    return PAGES_AT + page * 4096 + word * 4;
}

/* What may stand at a landing: in one page after another, each followed by RET. */
static const struct {
    const char *name;
    uint32_t insn;
} pads[] = {
    { "nop", NOP }, { "bti", 0xd503241f }, { "bti c", 0xd503245f }, { "bti j", 0xd503249f }, { "bti jc", 0xd50324df },
    { "paciasp", 0xd503233f }, { "pacibsp", 0xd503237f }, { "autiasp", 0xd50323bf }, { "brk", 0xd4200000 },
    { "ret", RET }, { "udf", 0 }, { "a load", 0xf94003ff },
};
enum { PAD_COUNT = sizeof(pads) / sizeof(*pads) };

static void set_up(void)
{
    for (unsigned page = 0; page < PAGES; page++) {
        for (unsigned n = 0; n < PAD_COUNT; n++) {
            code[page][4 * n] = pads[n].insn;
            code[page][4 * n + 1] = n == 5 ? 0xd50323bf : n == 6 ? 0xd50323ff : NOP; /* the pointer back */
            code[page][4 * n + 2] = RET;
        }
        /* Branches of a page of its own: br x0, br x16, br x17, blr and ret to x0. */
        code[page][PADS] = 0xd61f0000;
        code[page][PADS + 1] = 0xd61f0200;
        code[page][PADS + 2] = 0xd61f0220;
        code[page][PADS + 3] = 0xaa1e03e9; /* mov x9, x30 */
        code[page][PADS + 4] = 0xd63f0000;
        code[page][PADS + 5] = 0xaa0903fe; /* mov x30, x9 */
        code[page][PADS + 6] = RET;
        code[page][PADS + 7] = 0xd65f0000;
        page_map(page, (uint64_t)code[page] | PAGE_PLAIN | PAGE_NORMAL | PAGE_READ_ONLY | (page == GUARDED ? PAGE_GUARDED : 0));
    }
    __asm__ volatile("ic iallu\n dsb ish\n isb");
}

/* Comes to a branch by a plain BL ... RET, with the target in x0, x16 and x17. */
static void go(uint64_t branch, uint64_t target)
{
    register uint64_t x0 __asm__("x0") = target;
    register uint64_t x16 __asm__("x16") = target;
    register uint64_t x17 __asm__("x17") = target;

    resume_at = (uint64_t)&&back;
    __asm__ volatile("mov x10, x30\n adr x30, 1f\n mov x11, %3\n ret x11\n1:\n mov x30, x10"
                     : "+r"(x0), "+r"(x16), "+r"(x17) : "r"(branch) : "x9", "x10", "x11", "x30", "memory");
back:
    resume_at = 0;
}

static void show(const char *branch, const char *pad)
{
    if (last.esr >> 26 != 0x3c && last.count) { /* what is not BRK */
        print(branch);
        print(" to ");
        print(pad);
        print_hex("esr", last.esr);
        print_hex("elr", last.elr & 0xfff);
        print_hex("btype", last.spsr >> 10 & 3);
        print("\n");
    }
    last.count = 0;
}

static void all_branches(unsigned from, unsigned to)
{
    static const struct {
        const char *name;
        unsigned word;
    } branches[] = { { "br x0", 0 }, { "br x16", 1 }, { "br x17", 2 }, { "blr x0", 3 }, { "ret x0", 7 } };

    for (unsigned b = 0; b < sizeof(branches) / sizeof(*branches); b++) {
        for (unsigned n = 0; n < PAD_COUNT; n++) {
            last.count = 0;
            go(at(from, PADS + branches[b].word), at(to, 4 * n));
            show(branches[b].name, pads[n].name);
        }
    }
}

/* A data abort, or an undefined instruction, of the very target: SPSR has BTYPE. */
static void returns_to_btype(void)
{
    for (unsigned btype = 0; btype < 4; btype++) {
        for (unsigned n = 0; n < 6; n++) {
            resume_at = (uint64_t)&&back;
            last.count = 0;
            __asm__ volatile("msr elr_el1, %0\n msr spsr_el1, %1\n mov x10, x30\n adr x30, 1f\n eret\n1:\n mov x30, x10"
                ::"r"(at(GUARDED, 4 * n)), "r"(0x3c5 | (uint64_t)btype << 10) : "x10", "x30", "memory");
        back:
            resume_at = 0;
            print_hex("btype", btype);
            show(" returned", pads[n].name);
        }
        print("\n");
    }
}

/* The same page, guarded and not by turns: what was translated for one is not used for the other (QEMU 7.2 does). */
static void by_turns(void)
{
    print("--\n");
    for (unsigned n = 0; n < 4; n++) {
        page_map(GUARDED, (uint64_t)code[GUARDED] | PAGE_PLAIN | PAGE_NORMAL | PAGE_READ_ONLY | (n & 1 ? PAGE_GUARDED : 0));
        print(n & 1 ? "guarded" : "free");
        last.count = 0;
        go(at(FREE, PADS), at(GUARDED, 0));
        show(" br x0", "nop");
        print("\n");
    }
}

int main(void)
{
    uint64_t sctlr;

    print_hex("pfr1", read_sysreg(id_aa64pfr1_el1) & 15);
    print("\n");
    paging_begin();
    set_up();
    sctlr = read_sysreg(sctlr_el1);
    for (unsigned bt = 0; bt < 2; bt++) {
        write_sysreg(sctlr_el1, sctlr | (bt ? UINT64_C(3) << 35 : 0));
        print(bt ? "with SCTLR_EL1.BT1\n" : "without SCTLR_EL1.BT1\n");
        for (unsigned pair = 0; pair < 4; pair++) {
            print(pair & 1 ? "from a guarded page " : "from a free page ");
            print(pair & 2 ? "to a guarded one\n" : "to a free one\n");
            all_branches(pair & 1 ? GUARDED : FREE, pair & 2 ? GUARDED : FREE);
        }
    }
    returns_to_btype();
    by_turns();
    return 0;
}

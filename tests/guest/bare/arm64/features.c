/*
 * An instruction of each feature: does it run where the identification registers show the feature, and is it undefined
 * elsewhere? DDI 0487, D17.2. The second list is of what no CPU here has. The third one is of fields without an
 * instruction of their own, with the program here that shows what they promise: a field that is in none, or has more
 * than they know of, is printed.
 */
#include "bare.h"

enum { PFR0, PFR1, DFR0, DFR1, ISAR0, ISAR1, ISAR2, MMFR0, MMFR1, MMFR2, ZFR0, REGISTERS, NEVER };

static const struct Feature {
    const char *name;
    uint32_t insn;               /* x1 is the address of some memory */
    uint8_t id, shift, from; /* it is there when the field is not less */
} features[] = {
    { "lse", 0xf8200020, ISAR0, 20, 2 },        /* ldadd x0, x0, [x1] */
    { "crc32", 0x1ac04000, ISAR0, 16, 1 },      /* crc32b w0, w0, w0 */
    { "rcpc", 0xf8bfc020, ISAR1, 20, 1 },       /* ldapr x0, [x1] */
    { "rcpc2", 0xd9400020, ISAR1, 20, 2 },      /* ldapur x0, [x1] */
    { "pauth", 0xdac10020, ISAR1, 4, 1 },       /* pacia x0, x1 */
    { "pauth generic", 0x9ac13000, ISAR1, 24, 1 }, /* pacga x0, x0, x1 */
    { "pauth keys", 0xd5382100, ISAR1, 4, 1 },  /* mrs x0, apiakeylo_el1 */
    { "flagm", 0xd500401f, ISAR0, 52, 1 },      /* cfinv */
    { "flagm2", 0xd500405f, ISAR0, 52, 2 },     /* axflag */
    { "sb", 0xd50330ff, ISAR1, 36, 1 },
    { "ssbs", 0xd53b42c0, PFR1, 4, 2 },         /* mrs x0, ssbs */
    { "ssbs immediate", 0xd503403f, PFR1, 4, 2 },
    { "dit", 0xd53b42a0, PFR0, 48, 1 },         /* mrs x0, dit */
    { "dit immediate", 0xd503405f, PFR0, 48, 1 },
    { "pan", 0xd500409f, MMFR1, 20, 1 },        /* msr pan, #0 */
    { "pan2", 0xd5087901, MMFR1, 20, 2 },       /* at s1e1rp, x1 */
    { "uao", 0xd500407f, MMFR2, 4, 1 },         /* msr uao, #0 */
    { "aes", 0x4e284800, ISAR0, 4, 1 },         /* aese v0.16b, v0.16b */
    { "pmull", 0x0ee0e000, ISAR0, 4, 2 },       /* pmull v0.1q, v0.1d, v0.1d */
    { "sha1", 0x5e280800, ISAR0, 8, 1 },        /* sha1h s0, s0 */
    { "sha256", 0x5e004000, ISAR0, 12, 1 },     /* sha256h q0, q0, v0.4s */
    { "sha512", 0xce608000, ISAR0, 12, 2 },     /* sha512h q0, q0, v0.2d */
    { "sha3", 0xce000000, ISAR0, 32, 1 },       /* eor3 */
    { "sm3", 0xce400000, ISAR0, 36, 1 },        /* sm3ss1 */
    { "sm4", 0xcec08400, ISAR0, 40, 1 },        /* sm4e */
    { "fp16", 0x1ee02800, PFR0, 16, 1 },        /* fadd h0, h0, h0; the field is 15 without floats */
    { "fp16 vectors", 0x4e401400, PFR0, 20, 1 }, /* fadd v0.8h, v0.8h, v0.8h */
    { "rdm", 0x6e808400, ISAR0, 28, 1 },        /* sqrdmlah */
    { "dotprod", 0x4e809400, ISAR0, 44, 1 },    /* sdot */
    { "fhm", 0x4e20ec00, ISAR0, 48, 1 },        /* fmlal */
    { "bf16", 0x6e40fc00, ISAR1, 44, 1 },       /* bfdot */
    { "i8mm", 0x4e80a400, ISAR1, 52, 1 },       /* smmla */
    { "fcma", 0x6e80e400, ISAR1, 16, 1 },       /* fcadd */
    { "jscvt", 0x1e7e0000, ISAR1, 12, 1 },      /* fjcvtzs */
    { "frintts", 0x1e684000, ISAR1, 32, 1 },    /* frint32z */
    { "rng", 0xd53b2400, ISAR0, 60, 1 },        /* mrs x0, rndr */
    { "tlbios", 0xd508811f, ISAR0, 56, 1 },     /* tlbi vmalle1os */
    { "tlbirange", 0xd5088621, ISAR0, 56, 2 },  /* tlbi rvae1, x1 */
    { "dpb", 0xd50b7c21, ISAR1, 0, 1 },         /* dc cvap, x1 */
    { "dpb2", 0xd50b7d21, ISAR1, 0, 2 },        /* dc cvadp, x1 */
    { "pmu", 0xd53b9d00, DFR0, 8, 1 },          /* mrs x0, pmccntr_el0 */
    { "specres", 0xd50b7380, ISAR1, 40, 1 },    /* cfp rctx, x0 */
    { "csv2_2", 0xd538d0e0, PFR0, 56, 2 },      /* mrs x0, scxtnum_el1 */
    { "ras", 0xd5385300, PFR0, 28, 1 },         /* mrs x0, erridr_el1 */
    { "ras deferred", 0xd538c120, PFR0, 28, 1 }, /* mrs x0, disr_el1 */
    { "lor", 0xc8df7c20, MMFR1, 16, 1 },        /* ldlar x0, [x1] */
    { "lor registers", 0xd538a4e0, MMFR1, 16, 1 }, /* mrs x0, lorid_el1 */
}, absent[] = {
    { "semihosting", 0xd45e0000, NEVER, 0, 0 }, /* hlt #0xf000 */
    { "sve", 0x04bf5020, NEVER, 0, 0 },         /* rdvl x0, #1 */
    { "sme", 0xd503477f, NEVER, 0, 0 },         /* smstart */
    { "mte", 0x9adf1000, NEVER, 0, 0 },         /* irg x0, x0 */
    { "mte registers", 0xd53810c0, NEVER, 0, 0 }, /* mrs x0, gcr_el1 */
    { "wfxt", 0xd5031000, NEVER, 0, 0 },        /* wfet x0 */
    { "ls64", 0xf83fd020, NEVER, 0, 0 },        /* ld64b x0, [x1] */
    { "cssc", 0xdac02000, NEVER, 0, 0 },        /* abs x0, x0 */
    { "hbc", 0x54000030, NEVER, 0, 0 },         /* bc.eq */
    { "tme", 0xd5233060, NEVER, 0, 0 },         /* tstart x0 */
    { "mpam", 0xd538a500, NEVER, 0, 0 },        /* mrs x0, mpam1_el1 */
};

static const struct Field {
    uint8_t id, shift, most;
    const char *shown_by;
} fields[] = {
    { PFR0, 0, 1, "exceptions.c" }, { PFR0, 4, 1, "exceptions.c" }, { PFR0, 8, 1, "hyp.c" }, { PFR0, 12, 1, "monitor.c" },
    { PFR0, 24, 1, "gic.c" }, { PFR0, 36, 1, "sel2.c" }, { PFR0, 56, 3, "no speculation" }, { PFR0, 60, 1, "no speculation" },
    { PFR1, 0, 1, "bti.c" },
    { DFR0, 0, 6, "debug.c" }, { DFR0, 12, 5, "debug.c" }, { DFR0, 20, 3, "debug.c" }, { DFR0, 28, 1, "debug.c" },
    { ISAR1, 48, 1, "a hint" },
    { MMFR0, 0, 5, "mmu.c" }, { MMFR0, 4, 2, "mmu.c" }, { MMFR0, 12, 1, "monitor.c" }, { MMFR0, 20, 1, "mmu.c" },
    { MMFR1, 0, 2, "mmu.c" }, { MMFR1, 4, 2, "stage2.c" }, { MMFR1, 8, 1, "vhe.c" }, { MMFR1, 12, 1, "mmu.c" },
    { MMFR1, 28, 1, "stage2.c" }, { MMFR1, 36, 1, "walks in order" }, { MMFR1, 40, 1, "closed-el.c" },
    { MMFR2, 0, 1, "closed.c" }, { MMFR2, 12, 1, "no errors" }, { MMFR2, 28, 1, "mmu.c" }, { MMFR2, 36, 1, "closed.c" },
    { MMFR2, 40, 1, "fwb.c" }, { MMFR2, 48, 1, "closed.c" }, { MMFR2, 52, 2, "closed.c" }, { MMFR2, 60, 1, "closed.c" },
};

static uint64_t id_of(unsigned number)
{
    switch (number) {
    case PFR0: return read_sysreg(s3_0_c0_c4_0);
    case PFR1: return read_sysreg(s3_0_c0_c4_1);
    case ZFR0: return read_sysreg(s3_0_c0_c4_4);
    case DFR0: return read_sysreg(s3_0_c0_c5_0);
    case DFR1: return read_sysreg(s3_0_c0_c5_1);
    case ISAR0: return read_sysreg(s3_0_c0_c6_0);
    case ISAR1: return read_sysreg(s3_0_c0_c6_1);
    case ISAR2: return read_sysreg(s3_0_c0_c6_2);
    case MMFR0: return read_sysreg(s3_0_c0_c7_0);
    case MMFR1: return read_sysreg(s3_0_c0_c7_1);
    case MMFR2: return read_sysreg(s3_0_c0_c7_2);
    default: return 0;
    }
}

static bool is_shown(const struct Feature *f)
{
    uint64_t field = id_of(f->id) >> f->shift & 15;

    return f->id != NEVER && field >= f->from && field != 15;
}

/* The instruction and a RET, in memory of their own. False: it was undefined. */
static bool runs(uint32_t insn)
{
    static uint32_t code[2] __attribute__((aligned(64)));
    static uint64_t memory[8] __attribute__((aligned(64)));
    register uint64_t x0 __asm__("x0") = 0;
    register uint64_t x1 __asm__("x1") = (uint64_t)memory;
    uint64_t before = last.count;

    code[0] = insn;
    code[1] = 0xd65f03c0;
    __asm__ volatile("dsb sy\n ic iallu\n dsb sy\n isb\n mov x9, x30\n blr %2\n mov x30, x9"
                     : "+r"(x0), "+r"(x1) : "r"(code) : "x2", "x3", "x4", "x5", "x6", "x7", "x9", "x30", "cc", "memory");
    return last.count == before;
}

/* The names of those that are there, or that are not. */
static void list(const struct Feature *all, unsigned count, bool there)
{
    print(there ? "there:" : "undefined:");
    for (unsigned n = 0; n < count; n++) {
        if (runs(all[n].insn) == there) {
            print(" ");
            print(all[n].name);
            print(is_shown(&all[n]) == there ? "," : " (the registers say otherwise),");
        }
    }
    print("\n");
}

/* The most that the tables know of a field; 15 stands for "not there" where floating point is looked for. */
static unsigned known(unsigned id, unsigned shift)
{
    unsigned most = 0;

    for (unsigned n = 0; n < sizeof(features) / sizeof(*features); n++) {
        if (features[n].id == id && features[n].shift == shift && features[n].from > most) {
            most = features[n].from;
        }
    }
    for (unsigned n = 0; n < sizeof(fields) / sizeof(*fields); n++) {
        if (fields[n].id == id && fields[n].shift == shift && fields[n].most > most) {
            most = fields[n].most;
        }
    }
    return most;
}

static void beyond(void)
{
    static const char *const names[] = { "PFR0", "PFR1", "DFR0", "DFR1", "ISAR0", "ISAR1", "ISAR2", "MMFR0", "MMFR1",
        "MMFR2", "ZFR0" };

    print("shown and not known:");
    for (unsigned id = 0; id < REGISTERS; id++) {
        for (unsigned shift = 0; shift < 64; shift += 4) {
            unsigned field = id_of(id) >> shift & 15;

            if (field > known(id, shift) && !(id == PFR0 && (shift == 16 || shift == 20) && field == 15)) {
                print(" ");
                print(names[id]);
                print_hex("shift", shift);
                print_hex("field", field);
            }
        }
    }
    print("\n");
}

int main(void)
{
    list(features, sizeof(features) / sizeof(*features), true);
    list(features, sizeof(features) / sizeof(*features), false);
    print("--\n");
    list(absent, sizeof(absent) / sizeof(*absent), true);
    list(absent, sizeof(absent) / sizeof(*absent), false);
    beyond();
    return 0;
}

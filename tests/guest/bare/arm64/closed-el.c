/*
 * What EL2 and EL3 close to the levels below them of the smaller features: SCXTNUM_ELx (FEAT_CSV2_2), HCRX_EL2
 * (FEAT_HCX), records of errors (FEAT_RAS), regions of limited order (FEAT_LOR); virtual errors, taken and deferred.
 * DDI 0487, D17.2.
 */
#include "bare-el.h"

#define BIT(n) (UINT64_C(1) << (n))
enum { NS = 1, HCE = 1 << 8, RW = 1 << 10, ENSCXT = 1 << 25 };
#define SCR_PLAIN (RW | HCE | NS | 0x30 | BIT(16) | BIT(17)) /* APK, API */
#define HXEN BIT(38)
#define HCR_PLAIN (BIT(31) | BIT(40) | BIT(41))
#define HCR_ENSCXT BIT(53)

CODE(read_own, "mrs x1, s3_0_c13_c0_7")
CODE(write_own, "msr s3_0_c13_c0_7, x0")
CODE(read_el0, "mrs x1, s3_3_c13_c0_7")
CODE(read_el2, "mrs x1, s3_4_c13_c0_7")
CODE(read_el3, "mrs x1, s3_6_c13_c0_7")
CODE(read_el12, "mrs x1, s3_5_c13_c0_7")
CODE(read_hcrx, "mrs x1, s3_4_c1_c2_2")
CODE(write_hcrx, "msr s3_4_c1_c2_2, x0")
CODE(read_keys, "mrs x1, s3_0_c2_c1_0")

CODE(read_erridr, "mrs x1, s3_0_c5_c3_0")
CODE(read_disr, "mrs x1, s3_0_c12_c1_1")
CODE(read_vdisr, "mrs x1, s3_4_c12_c1_1")
CODE(read_vsesr, "mrs x1, s3_4_c5_c2_3")
CODE(read_lorc, "mrs x1, s3_0_c10_c4_3")
CODE(write_lorsa, "msr s3_0_c10_c4_0, x0")
CODE(read_lorid, "mrs x1, s3_0_c10_c4_7")

static const struct Access {
    const char *what;
    void (*code)(uint64_t);
} accesses[] = {
    { "scxtnum_el0", read_el0 }, { "scxtnum_el1", read_own }, { "scxtnum_el1 written", write_own },
    { "scxtnum_el12", read_el12 }, { "scxtnum_el2", read_el2 }, { "scxtnum_el3", read_el3 },
    { "hcrx_el2", read_hcrx }, { "hcrx_el2 written", write_hcrx }, { "apiakeylo_el1", read_keys },
}, errors[] = {
    { "erridr_el1", read_erridr }, { "disr_el1", read_disr }, { "vdisr_el2", read_vdisr }, { "vsesr_el2", read_vsesr },
    { "lorc_el1", read_lorc }, { "lorsa_el1 written", write_lorsa }, { "lorid_el1", read_lorid },
};

static void all(const struct Access *list, unsigned count)
{
    static const struct {
        const char *name;
        uint64_t spsr;
    } levels[] = { { "EL0", EL0 }, { "EL1", EL1 }, { "EL2", EL2 } };

    print_hex("SCR_EL3", read_sysreg(scr_el3));
    print_hex("HCR_EL2", read_sysreg(hcr_el2));
    print("\n");
    for (unsigned l = 0; l < 3; l++) {
        print(levels[l].name);
        print("\n");
        for (unsigned i = 0; i < count; i++) {
            RUN(list[i].what, levels[l].spsr, list[i].code, 0x1234);
        }
    }
}

static void numbers(void)
{
    for (unsigned i = 0; i < 8; i++) {
        write_sysreg(scr_el3, SCR_PLAIN | (i & 1 ? 0 : ENSCXT) | (i & 2 ? 0 : HXEN));
        write_sysreg(hcr_el2, HCR_PLAIN | (i & 4 ? 0 : HCR_ENSCXT));
        all(accesses, sizeof(accesses) / sizeof(*accesses));
    }
    write_sysreg(scr_el3, SCR_PLAIN | ENSCXT | HXEN);
    write_sysreg(hcr_el2, HCR_PLAIN | BIT(34)); /* E2H */
    write_sysreg(cptr_el2, 3 << 20);
    all(accesses, sizeof(accesses) / sizeof(*accesses));
    print_hex("scxtnum_el2", read_sysreg(s3_4_c13_c0_7));
    print_hex("hcrx_el2", read_sysreg(s3_4_c1_c2_2));
    print("\n");
}

/* HCR_EL2.TERR and TLOR, those of SCR_EL3, and the secure state. */
static void error_traps(void)
{
    static const struct {
        uint64_t scr, hcr;
    } cases[] = { { 0, 0 }, { 1 << 15, 0 }, { 1 << 14, 0 }, { 0, BIT(36) }, { 0, BIT(35) },
        { 3 << 14, BIT(35) | BIT(36) } };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_sysreg(scr_el3, SCR_PLAIN | ENSCXT | HXEN | cases[i].scr);
        write_sysreg(hcr_el2, HCR_PLAIN | HCR_ENSCXT | cases[i].hcr);
        all(errors, sizeof(errors) / sizeof(*errors));
    }
    write_sysreg(scr_el3, (SCR_PLAIN | ENSCXT | HXEN) & ~(uint64_t)NS);
    print("the secure state\n");
    for (unsigned i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        RUN(errors[i].what, EL1, errors[i].code, 0);
    }
}

CODE(nothing, "isb\n nop")
CODE(defer, "hint #16\n mrs x1, s3_0_c12_c1_1\n str x1, [x0]\n msr s3_0_c12_c1_1, xzr\n"
            "mrs x1, s3_0_c12_c1_1\n str x1, [x0, #8]")

static void virtual_errors(void)
{
    enum { AMO = 1 << 5, VSE = 1 << 8, UNMASKED_A = EL1 & ~0x100 };
    uint64_t seen[2] = { 0 };

    print("virtual errors\n");
    write_sysreg(scr_el3, SCR_PLAIN | ENSCXT | HXEN);
    write_sysreg(s3_4_c5_c2_3, 0x1654321);
    write_sysreg(hcr_el2, HCR_PLAIN | AMO | VSE);
    RUN("masked", EL1, nothing, 0);
    RUN("deferred", EL1, defer, (uint64_t)seen);
    print_hex("DISR", seen[0]);
    print_hex("then", seen[1]);
    print_hex("VSE", read_sysreg(hcr_el2) & VSE);
    print_hex("VDISR", read_sysreg(s3_4_c12_c1_1));
    print("\n");
    write_sysreg(hcr_el2, HCR_PLAIN | AMO | VSE);
    RUN("taken", UNMASKED_A, nothing, 0);
    print_hex("esr_el1", read_sysreg(esr_el1));
    print_hex("VSE", read_sysreg(hcr_el2) & VSE);
    print("\n");
    write_sysreg(hcr_el2, HCR_PLAIN | AMO);
    RUN("none", EL1, defer, (uint64_t)seen);
    print_hex("DISR", seen[0]);
    print("\n");
}

int main(void)
{
    numbers();
    error_traps();
    virtual_errors();
    print("@end\n");
    return 0;
}

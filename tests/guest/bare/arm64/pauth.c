/*
 * Pointer authentication: codes, checks and stripped pointers for pointers of every shape, under all that TCR_EL1 and
 * SCTLR_EL1 say. DDI 0487, D8.8. Where no key is enabled QEMU 7.2 strips nothing, and Strip() does, so that is not
 * tried. Pointers whose bits 63 and 55 differ are left out where TBI0 and TBI1 differ: QEMU
 * 7.2 looks at bit 63 there; AddPAC(): "if TCR_EL1.TBI1 == '1' || TCR_EL1.TBI0 == '1' then selbit = ptr<55>".
 */
#include "bare.h"

static uint64_t state = 1;

static uint64_t random(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return state ^ state >> 29;
}

/* Addresses of both halves, with tags and bits where none belong. */
static uint64_t pointer(bool mixed)
{
    uint64_t value = random();
    unsigned kept = 1 + random() % 63;

    value = random() & 1 ? (uint64_t)((int64_t)(value << kept) >> kept) : value;
    return mixed ? (uint64_t)((int64_t)value << 8 >> 8) : value;
}

#define PAC(name)                                                                                  \
    static uint64_t name(uint64_t p, uint64_t m)                                                   \
    {                                                                                              \
        __asm__ volatile(#name " %0, %1" : "+r"(p) : "r"(m));                                      \
        return p;                                                                                  \
    }
#define STRIP(name)                                                                                \
    static uint64_t name(uint64_t p, uint64_t m)                                                   \
    {                                                                                              \
        __asm__ volatile(#name " %0" : "+r"(p) : "r"(m));                                            \
        return p;                                                                                  \
    }
PAC(pacia) PAC(pacib) PAC(pacda) PAC(pacdb) PAC(autia) PAC(autib) PAC(autda) PAC(autdb)
STRIP(paciza) STRIP(pacizb) STRIP(pacdza) STRIP(pacdzb) STRIP(autiza) STRIP(autizb) STRIP(autdza) STRIP(autdzb)
STRIP(xpaci) STRIP(xpacd)

static uint64_t pacga(uint64_t p, uint64_t m)
{
    __asm__ volatile("pacga %0, %0, %1" : "+r"(p) : "r"(m));
    return p;
}

/* The forms that are hints, each made of the pointer as it came. */
static uint64_t hints(uint64_t p, uint64_t m)
{
    uint64_t result;

    __asm__ volatile("mov x9, x30\n mov x16, %2\n"
                     "mov x17, %1\n pacia1716\n mov x10, x17\n autia1716\n eor x10, x10, x17, lsl #1\n"
                     "mov x17, %1\n pacib1716\n eor x10, x10, x17, lsl #2\n autia1716\n eor x10, x10, x17, lsl #3\n"
                     "mov x17, %1\n autib1716\n eor x10, x10, x17, lsl #4\n"
                     "mov x30, %1\n paciaz\n eor x10, x10, x30, lsl #5\n autiaz\n eor x10, x10, x30, lsl #6\n"
                     "mov x30, %1\n pacibz\n eor x10, x10, x30, lsl #7\n autibz\n eor x10, x10, x30, lsl #8\n"
                     "mov x30, %1\n paciasp\n eor x10, x10, x30, lsl #9\n autiasp\n eor x10, x10, x30, lsl #10\n"
                     "mov x30, %1\n pacibsp\n eor x10, x10, x30, lsl #11\n autibsp\n eor x10, x10, x30, lsl #12\n"
                     "mov x30, %1\n autibsp\n eor x10, x10, x30, lsl #13\n"
                     "mov %0, x10\n mov x30, x9"
                     : "=&r"(result) : "r"(p), "r"(m) : "x9", "x10", "x16", "x17", "x30");
    return result;
}

static uint64_t strip_hint(uint64_t p, uint64_t m)
{
    __asm__ volatile("mov x9, x30\n mov x30, %0\n xpaclri\n mov %0, x30\n mov x30, x9" : "+r"(p) : "r"(m) : "x9", "x30");
    return p;
}

static const struct {
    const char *name;
    uint64_t (*make)(uint64_t, uint64_t), (*check)(uint64_t, uint64_t);
} kinds[] = {
    { "ia", pacia, autia }, { "ib", pacib, autib }, { "da", pacda, autda }, { "db", pacdb, autdb },
    { "iza", paciza, autiza }, { "izb", pacizb, autizb }, { "dza", pacdza, autdza }, { "dzb", pacdzb, autdzb },
    { "ga", pacga, pacga }, { "hints", hints, pacga },
    { "xi", xpaci, xpaci }, { "xd", xpacd, xpacd }, { "xhint", strip_hint, strip_hint },
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds), STRIPS = 3 };

typedef struct Result {
    uint64_t sum, good; /* of all that came out; how many came back */
} Result;

static Result try(unsigned kind, bool mixed, unsigned count)
{
    Result r = { 0, 0 };

    for (unsigned n = 0; n < count; n++) {
        uint64_t p = pointer(mixed), m = random(), made = kinds[kind].make(p, m);
        uint64_t spoilt = made ^ UINT64_C(1) << random() % 55;
        uint64_t back = kinds[kind].check(made, m), wrong = kinds[kind].check(spoilt, m);
        uint64_t raw = kinds[kind].check(p, m);

        r.good += back == p;
        r.sum = (r.sum ^ made) * 3 + back + (wrong ^ raw) * 5;
    }
    return r;
}

static void print_result(const char *name, Result r)
{
    print_hex(name, r.sum);
    print_hex("good", r.good);
    print("\n");
}

static void set_keys(void)
{
    write_sysreg(s3_0_c2_c1_0, random());
    write_sysreg(s3_0_c2_c1_1, random());
    write_sysreg(s3_0_c2_c1_2, random());
    write_sysreg(s3_0_c2_c1_3, random());
    write_sysreg(s3_0_c2_c2_0, random());
    write_sysreg(s3_0_c2_c2_1, random());
    write_sysreg(s3_0_c2_c2_2, random());
    write_sysreg(s3_0_c2_c2_3, random());
    write_sysreg(s3_0_c2_c3_0, random());
    write_sysreg(s3_0_c2_c3_1, random());
}

#define ENABLES (UINT64_C(1) << 31 | 1 << 30 | 1 << 27 | 1 << 13)

static void returns(void)
{
    uint64_t x = 0;

    __asm__ volatile("mov x9, x30\n adr x30, 1f\n paciasp\n retaa\n mov %0, #1\n1:\n"
                     "adr x30, 2f\n pacibsp\n retab\n mov %0, #2\n2:\n"
                     "adr x17, 3f\n pacia x17, sp\n braa x17, sp\n mov %0, #3\n3:\n"
                     "adr x17, 4f\n pacizb x17\n brabz x17\n mov %0, #4\n4:\n"
                     "adr x17, 5f\n mov x16, #77\n pacib x17, x16\n blrab x17, x16\n6:\n b 7f\n"
                     "5:\n adr x16, 6b\n cmp x16, x30\n cset x16, ne\n orr %0, %0, x16, lsl #8\n ret\n7:\n"
                     "adr x17, 8f\n paciza x17\n blraaz x17\n b 9f\n8:\n ret\n9:\n mov x30, x9"
                     : "+r"(x)::"x9", "x16", "x17", "x30", "cc");
    print_hex("a branch went astray", x);
    print("\n");
}

static void loads(void)
{
    static uint64_t words[600];
    uint64_t p = (uint64_t)&words[300], a, b;

    words[300] = 0x1234;
    words[301] = 0x5678;
    words[299] = 0x9abc;
    __asm__ volatile("mov x9, %2\n pacdza x9\n ldraa %0, [x9]\n ldraa x10, [x9, #8]!\n orr %0, %0, x10, lsl #16\n"
                     "mov x10, %2\n pacdzb x10\n ldrab %1, [x10, #-8]\n sub x9, x9, %2\n orr %1, %1, x9, lsl #32"
                     : "=&r"(a), "=&r"(b) : "r"(p) : "x9", "x10", "memory");
    print_hex("loaded", a);
    print_hex("and", b);
    print("\n");
}

/* The same pointers again and again, while now this changes and now that: what is remembered is not to be stale. */
static void same_again(void)
{
    static const uint64_t tcrs[] = {
        25 | UINT64_C(25) << 16,                           /* nothing ignored */
        25 | UINT64_C(25) << 16 | UINT64_C(3) << 37,       /* TBI */
        25 | UINT64_C(25) << 16 | UINT64_C(3) << 37 | UINT64_C(3) << 51, /* TBI of data */
        16 | UINT64_C(39) << 16,
    };
    static const uint64_t pointers[] = { 0x40080000, 0xffffffffc0080000, 0x1200000040080000, 0x40080004 };
    uint64_t sctlr = read_sysreg(sctlr_el1), sum = 0, good = 0;

    for (unsigned n = 0; n < 256; n++) {
        uint64_t p = pointers[n >> 1 & 3], key = n >> 3 & 1, ia, da;

        write_sysreg(tcr_el1, tcrs[n >> 5 & 3]);
        write_sysreg(sctlr_el1, n >> 4 & 1 ? sctlr & ~ENABLES : sctlr | ENABLES);
        write_sysreg(s3_0_c2_c1_0, 77 + key); /* IA and DA: the same key */
        write_sysreg(s3_0_c2_c1_1, 88);
        write_sysreg(s3_0_c2_c2_0, 77 + key);
        write_sysreg(s3_0_c2_c2_1, 88);
        ia = pacia(p, n & 1);
        da = pacda(p, n & 1);
        sum = (sum * 3 ^ ia) * 5 + da;
        good += autia(ia, n & 1) == p;
        good += autda(da, n & 1) == p;
        good += autia(ia ^ 4, n & 1) == (p ^ 4); /* which may have been made before */
        sum += autda(ia, n & 1) * 7;
    }
    write_sysreg(sctlr_el1, sctlr);
    print_hex("the same again", sum);
    print_hex("good", good);
    print("\n");
}

/* A wrong pointer faults when it is used, at an address that tells the key. */
static void wrong_uses(void)
{
    uint64_t p = 0x40080000; /* where we begin, whatever the compiler makes of us */

    write_sysreg(tcr_el1, 25 | UINT64_C(25) << 16);
    SHOW("a load by a wrong pointer",
        __asm__ volatile("mov x9, %0\n pacda x9, x9\n eor x9, x9, #1 << 50\n ldraa x10, [x9]" ::"r"(p) : "x9", "x10"));
    resume_at = (uint64_t)&&back;
    SHOW("a branch by a wrong pointer", {
        __asm__ volatile("mov x17, %0\n pacia x17, sp\n eor x17, x17, #1 << 40\n mov x9, x30\n blraa x17, sp" ::"r"(p)
                         : "x9", "x17", "x30");
    back:;
    });
}

int main(void)
{
    static const uint64_t sizes[] = { 16, 25, 39, 48, 5, 63 };
    uint64_t sctlr = read_sysreg(sctlr_el1);

    set_keys();
    print_hex("isar1", read_sysreg(id_aa64isar1_el1) & 0xff000ff0);
    print("\n");
    for (unsigned enabled = 0; enabled < 2; enabled++) {
        write_sysreg(sctlr_el1, enabled ? sctlr | ENABLES : sctlr);
        print(enabled ? "enabled\n" : "disabled\n");
        for (unsigned n = 0; n < KINDS - (enabled ? 0 : STRIPS); n++) {
            print_result(kinds[n].name, try(n, false, 20));
        }
    }
    for (unsigned size = 0; size < sizeof(sizes) / sizeof(*sizes); size++) {
        for (uint64_t tagged = 0; tagged < 16; tagged++) { /* TBI0, TBI1, TBID0, TBID1 */
            bool differ = ((tagged & 1) != (tagged >> 1 & 1)) || ((tagged & 5) == 1) != ((tagged & 10) == 2);

            Result all = { 0, 0 };

            write_sysreg(tcr_el1, sizes[size] | sizes[5 - size] << 16 | (tagged & 3) << 37 | (tagged >> 2) << 51);
            print_hex("tcr", read_sysreg(tcr_el1));
            for (unsigned n = 0; n < KINDS; n++) {
                Result r = try(n, differ, 60);

                all.sum = all.sum * 5 ^ r.sum;
                all.good += r.good;
            }
            print_result("all", all);
        }
    }
    write_sysreg(tcr_el1, 25 | UINT64_C(25) << 16);
    returns();
    loads();
    same_again();
    write_sysreg(tcr_el1, 25 | UINT64_C(25) << 16);
    wrong_uses();
    return 0;
}

/* Disassembly against binutils' (-M no-aliases), instruction by instruction. */
#include "targets/riscv/state.h"
#include "tests/test.h"

typedef struct Case {
    uint32_t insn;
    const char *text;
} Case;

static const Case cases[] = {
    { 0x00c58533, "add\ta0,a1,a2" },
    { 0x80058513, "addi\ta0,a1,-2048" },
    { 0x0ff5f513, "andi\ta0,a1,255" },
    { 0x03f59513, "slli\ta0,a1,0x3f" },
    { 0x41f5d51b, "sraiw\ta0,a1,0x1f" },
    { 0x80000537, "lui\ta0,0x80000" },
    { 0xfffff517, "auipc\ta0,0xfffff" },
    { 0xff9ff0ef, "jal\tra,0xff8" },
    { 0x00008067, "jalr\tzero,0(ra)" },
    { 0x00b50463, "beq\ta0,a1,0x1008" },
    { 0xfe05cee3, "blt\ta1,zero,0xffc" },
    { 0xff853503, "ld\ta0,-8(a0)" },
    { 0xfea53c23, "sd\ta0,-8(a0)" },
    { 0x0ff0000f, "fence\tiorw,iorw" },
    { 0x00000073, "ecall" },
    { 0x10500073, "wfi" },
    { 0x12b50073, "sfence.vma\ta0,a1" },
    { 0x340515f3, "csrrw\ta1,mscratch,a0" },
    { 0x1001d073, "csrrwi\tzero,sstatus,3" },
    { 0x0ea5a52f, "amoswap.w.aqrl\ta0,a0,(a1)" },
    { 0x1005b52f, "lr.d\ta0,(a1)" },
    { 0x1aa5b52f, "sc.d.rl\ta0,a0,(a1)" },
    { 0x02b54533, "div\ta0,a0,a1" },
    { 0x00c5f553, "fadd.s\tfa0,fa1,fa2" },
    { 0x02c59553, "fadd.d\tfa0,fa1,fa2,rtz" },
    { 0x68c5f543, "fmadd.s\tfa0,fa1,fa2,fa3" },
    { 0xc0259553, "fcvt.l.s\ta0,fa1,rtz" },
    { 0xd2058553, "fcvt.d.w\tfa0,a1" },
    { 0xe0058553, "fmv.x.w\ta0,fa1" },
    { 0x0085a507, "flw\tfa0,8(a1)" },
    { 0x1141, "c.addi\tsp,-16" },
    { 0x8082, "c.jr\tra" },
    { 0x852e, "c.mv\ta0,a1" },
    { 0x4501, "c.li\ta0,0" },
    { 0xe406, "c.sdsp\tra,8(sp)" },
    { 0x60a2, "c.ldsp\tra,8(sp)" },
    { 0x0808, "c.addi4spn\ta0,sp,16" },
    { 0x6105, "c.addi16sp\tsp,32" },
    { 0x8d0d, "c.sub\ta0,a1" },
    { 0xbfc5, "c.j\t0xff0" },
    { 0xc119, "c.beqz\ta0,0x1006" },
    { 0x0000, ".2byte\t0x0" },
    { 0xffffffff, ".4byte\t0xffffffff" },
};

static void text_is_that_of_binutils(void **state)
{
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        unsigned length = rv64_disassemble(
            0x1000, (const uint8_t *)&cases[i].insn, 4, text, sizeof(text));

        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, (cases[i].insn & 3) == 3 ? 4 : 2);
    }
}

static void rv32_reads_its_own_encodings(void **state)
{
    static const uint8_t c_jal[] = { 0xe5, 0x3f };
    char text[64];

    assert_int_equal(rv32_disassemble(0x1000, c_jal, 2, text, sizeof(text)), 2);
    assert_string_equal(text, "c.jal\t0xff8");
    rv64_disassemble(0x1000, c_jal, 2, text, sizeof(text));
    assert_string_equal(text, "c.addiw\tt6,-7");
}

/* Every row finds itself among all others, whatever its free bits are. */
static void each_row_is_found_by_its_own_instructions(void **state)
{
    uint64_t random = 1;

    for (unsigned i = 0; i < rv_decode_table.row_count; i++) {
        const DecodeRow *row = &rv_decode_table.rows[i];

        for (unsigned attempt = 0; attempt < 100; attempt++) {
            uint32_t insn;

            assert_true(decode_random(row, &random, &insn));
            assert_int_equal(rv_find(insn, ~row->deny), i);
        }
    }
}

static void what_is_cut_short_is_not_read(void **state)
{
    static const uint8_t half_of_add[] = { 0x33, 0x85 };
    char text[64];

    assert_int_equal(rv64_disassemble(0, half_of_add, 2, text, sizeof(text)), 2);
    assert_string_equal(text, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_that_of_binutils),
        cmocka_unit_test(rv32_reads_its_own_encodings),
        cmocka_unit_test(each_row_is_found_by_its_own_instructions),
        cmocka_unit_test(what_is_cut_short_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

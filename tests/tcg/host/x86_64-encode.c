/* Encodings, against the bytes that binutils' assembler gives for the line in the comment of each. */
#include <string.h>

#include "tcg/host/x86_64/encode.h"
#include "tests/test.h"

typedef struct Bench {
    uint8_t bytes[64];
    Code    code;
} Bench;

static Code *fresh(Bench *b)
{
    memset(b->bytes, 0xcc, sizeof(b->bytes));
    b->code = (Code){ .p = b->bytes };
    return &b->code;
}

/* Runs `emit` with a fresh code buffer c and compares what it gave with the bytes of a string. */
#define GIVES(emit, expected)                                                                      \
    do {                                                                                           \
        Bench bench;                                                                               \
        Code *c = fresh(&bench);                                                                   \
        emit;                                                                                      \
        assert_int_equal(c->p - bench.bytes, sizeof(expected) - 1);                                \
        assert_memory_equal(bench.bytes, expected, sizeof(expected) - 1);                          \
    } while (0)

static void memory_operands_have_the_shortest_form(void **state)
{
    GIVES(x_op(c, OP_MOV, true, RAX, rm_reg(R9)), "\x49\x8b\xc1");                      /* mov rax, r9 */
    GIVES(x_op(c, OP_MOV, true, R14, rm_mem(RBP, 8)), "\x4c\x8b\x75\x08");              /* [rbp + 8] */
    GIVES(x_op(c, OP_MOV, false, RCX, rm_mem(RSP, 0)), "\x8b\x0c\x24");                 /* [rsp] */
    GIVES(x_op(c, OP_MOV, false, RCX, rm_mem(R13, 0)), "\x41\x8b\x4d\x00");             /* [r13] */
    GIVES(x_op(c, OP_MOV, true, R11, rm_index(RCX, R13, 0, 0x40)), "\x4e\x8b\x5c\x29\x40");
    GIVES(x_op(c, OP_LEA, true, R10, rm_index(RAX, RBX, 3, 3)), "\x4c\x8d\x54\xd8\x03");
    GIVES(x_alu(c, ALU_CMP, true, RCX, rm_index(RBP, RAX, 0, -0x4080)), "\x48\x3b\x8c\x05\x80\xbf\xff\xff");
}

static void byte_registers_of_new_kind_get_a_prefix(void **state)
{
    GIVES(x_op(c, OP_STORE8, false, RCX, rm_index(RAX, R9, 0, 0)), "\x42\x88\x0c\x08"); /* mov [..], cl */
    GIVES(x_op(c, OP_STORE8, false, RSI, rm_mem(RDI, 0)), "\x40\x88\x37");              /* sil */
    GIVES(x_op(c, OP_MOVZX8, false, RAX, rm_reg(RSI)), "\x40\x0f\xb6\xc6");             /* movzx eax, sil */
    GIVES(x_op(c, OP_MOVZX8, false, RAX, rm_mem(RSI, 0)), "\x0f\xb6\x06");
    GIVES(x_set_cond(c, COND_E, RDI), "\x40\x0f\x94\xc7");                              /* sete dil */
}

static void immediates_take_a_byte_where_they_fit(void **state)
{
    GIVES(x_alu_imm(c, ALU_ADD, true, rm_reg(RCX), 0x7f), "\x48\x83\xc1\x7f");
    GIVES(x_alu_imm(c, ALU_ADD, true, rm_reg(RCX), 0x80), "\x48\x81\xc1\x80\x00\x00\x00");
    GIVES(x_mov_imm(c, RAX, UINT64_C(0x123456789abcdef0)), "\x48\xb8\xf0\xde\xbc\x9a\x78\x56\x34\x12");
    GIVES(x_mov_imm(c, RAX, (uint64_t)-128), "\x48\xc7\xc0\x80\xff\xff\xff");
    GIVES(x_mov_imm(c, RAX, UINT32_MAX), "\xb8\xff\xff\xff\xff");
    GIVES(x_store_imm(c, 2, rm_mem(RBP, -0x30), 5), "\xc7\x45\xd0\x05\x00\x00\x00");
    GIVES(x_store_imm(c, 0, rm_mem(R8, 0), 7), "\x41\xc6\x00\x07");
    GIVES(x_store_imm(c, 1, rm_mem(R12, 0), 0x1234), "\x66\x41\xc7\x04\x24\x34\x12");
}

static void general_instructions(void **state)
{
    GIVES(x_op(c, OP_MOVSXD, true, R8, rm_reg(RDX)), "\x4c\x63\xc2");                   /* movsxd r8, edx */
    GIVES(x_op16(c, OP_STORE, RSI, rm_mem(RDI, 0)), "\x66\x89\x37");                    /* mov [rdi], si */
    GIVES(x_shift_imm(c, SHIFT_SHL, true, rm_reg(R15), 1), "\x49\xd1\xe7");
    GIVES(x_shift_imm(c, SHIFT_SAR, true, rm_reg(RDX), 63), "\x48\xc1\xfa\x3f");
    GIVES(x_shift_cl(c, SHIFT_SHR, false, rm_reg(RBX)), "\xd3\xeb");
    GIVES(x_group3(c, G3_NEG, true, rm_reg(R12)), "\x49\xf7\xdc");
    GIVES(x_group3(c, G3_DIV, false, rm_reg(RSI)), "\xf7\xf6");
    GIVES(x_bswap(c, true, R11), "\x49\x0f\xcb");
    GIVES(x_bswap(c, false, RAX), "\x0f\xc8");
    GIVES(x_sign_extend_rax(c, true), "\x48\x99");
    GIVES(x_push(c, R12), "\x41\x54");
    GIVES(x_pop(c, RBX), "\x5b");
    GIVES(x_cmov(c, COND_L, true, RAX, rm_reg(R9)), "\x49\x0f\x4c\xc1");
    GIVES((x_lock(c), x_op(c, OP_CMPXCHG, true, RDX, rm_mem(RCX, 0))), "\xf0\x48\x0f\xb1\x11");
    GIVES(x_op(c, OP_POPCNT, true, RCX, rm_reg(RAX)), "\xf3\x48\x0f\xb8\xc8");
    GIVES(x_op(c, OP_LZCNT, true, R9, rm_reg(R8)), "\xf3\x4d\x0f\xbd\xc8");
    GIVES(x_jump_rm(c, rm_index(RDX, RCX, 3, 8)), "\xff\x64\xca\x08");
    GIVES(x_op(c, OP_MXCSR, false, MXCSR_LOAD, rm_mem(RSP, 8)), "\x0f\xae\x54\x24\x08");
}

static void vex_has_two_or_three_bytes(void **state)
{
    GIVES(x_rorx(c, false, RAX, RCX, 8), "\xc4\xe3\x7b\xf0\xc1\x08");
    GIVES(x_vex(c, VOP_SHLX, true, R9, RBX, rm_reg(RAX)), "\xc4\x62\xe1\xf7\xc8");
    GIVES(x_vex(c, VOP_ANDN, true, RCX, RAX, rm_reg(R8)), "\xc4\xc2\xf8\xf2\xc8");
}

enum { ADDSD = VOP_ADD | PREFIX_F2 << 10 | EVEX_W };

static void vectors_take_the_form_that_reaches_their_registers(void **state)
{
    GIVES(v_op(c, VECTOR_SSE, ADDSD, false, 2, 2, rm_reg(1)), "\xf2\x0f\x58\xd1");
    GIVES(v_op(c, VECTOR_AVX512, ADDSD, false, 2, 1, rm_reg(3)), "\xc5\xf3\x58\xd3");
    GIVES(v_op(c, VECTOR_AVX, ADDSD, false, 10, 9, rm_mem(RBP, 16)), "\xc5\x33\x58\x55\x10");
    GIVES(v_op(c, VECTOR_AVX512, ADDSD, false, 2, 17, rm_reg(31)), "\x62\x91\xf7\x00\x58\xd7");
    GIVES(v_op(c, VECTOR_AVX512, VOP_MOVSD, false, 16, NO_REG, rm_mem(RBP, 0x100)),
        "\x62\xe1\xff\x08\x10\x85\x00\x01\x00\x00");
    GIVES(v_op(c, VECTOR_AVX512, VOP_UCOMIS, false, 20, NO_REG, rm_reg(20)), "\x62\xa1\x7c\x08\x2e\xe4");
    GIVES(v_op(c, VECTOR_AVX512, VOP_FMADD231, true, 3, 2, rm_reg(1)), "\xc4\xe2\xe9\xb9\xd9");
    GIVES(v_op(c, VECTOR_AVX512, VOP_FNMSUB231, false, 29, 2, rm_reg(1)), "\x62\x62\x6d\x08\xbf\xe9");
}

static void evex_w_is_the_width_of_a_general_register(void **state)
{
    enum { CVTTSD2SI = VOP_CVTTSI | PREFIX_F2 << 10, CVTUSI2SD = VOP_CVTUSI | PREFIX_F2 << 10 };

    GIVES(v_op(c, VECTOR_AVX512, VOP_MOVD_STORE, true, 18, NO_REG, rm_reg(RCX)), "\x62\xe1\xfd\x08\x7e\xd1");
    GIVES(v_op(c, VECTOR_AVX512, VOP_MOVD, false, 3, NO_REG, rm_reg(RDX)), "\xc5\xf9\x6e\xda");
    GIVES(v_op(c, VECTOR_AVX512, CVTTSD2SI, true, RAX, NO_REG, rm_reg(19)), "\x62\xb1\xff\x08\x2c\xc3");
    GIVES(v_op(c, VECTOR_AVX512, CVTTSD2SI, false, RAX, NO_REG, rm_reg(19)), "\x62\xb1\x7f\x08\x2c\xc3");
    GIVES(v_op(c, VECTOR_AVX512, CVTUSI2SD, true, 4, 4, rm_reg(RAX)), "\x62\xf1\xdf\x08\x7b\xe0");
}

/* Patching has to be one aligned store of 4 bytes. */
static void displacements_to_be_patched_are_aligned(void **state)
{
    _Alignas(4) uint8_t bytes[64];

    for (unsigned offset = 0; offset < 4; offset++) {
        Code c = { .p = bytes + offset };
        uint8_t *start = c.p;

        x_op(&c, OP_TEST, true, RAX, rm_reg(RAX));
        x_align_next(&c, start, 2);
        assert_int_equal((uintptr_t)x_jump_if(&c, COND_E, NULL) & 3, 0);
        assert_memory_equal(c.p - 9, "\x48\x85\xc0\x0f\x84", 5);        /* the test is whole */
    }
}

static void jumps_count_from_where_they_run(void **state)
{
    Bench bench;
    Code *c = fresh(&bench);

    c->to_exec = 16;
    x_jump(c, code_here(c));
    assert_memory_equal(bench.bytes, "\xe9\xfb\xff\xff\xff", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_operands_have_the_shortest_form),
        cmocka_unit_test(byte_registers_of_new_kind_get_a_prefix),
        cmocka_unit_test(immediates_take_a_byte_where_they_fit),
        cmocka_unit_test(general_instructions),
        cmocka_unit_test(vex_has_two_or_three_bytes),
        cmocka_unit_test(vectors_take_the_form_that_reaches_their_registers),
        cmocka_unit_test(evex_w_is_the_width_of_a_general_register),
        cmocka_unit_test(displacements_to_be_patched_are_aligned),
        cmocka_unit_test(jumps_count_from_where_they_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Where a bare program begins, at EL1 with the MMU off; its vectors; going to EL0 and back.
 *
 * Every exception is recorded in `last` and resumes at `resume_at` when that is set (which takes it back to EL1),
 * else behind the instruction that raised it. Interrupts call interrupt().
 */
    .global _start
    .section .start, "ax"
_start:
    ldr     x1, =stack_top
    mov     sp, x1
    ldr     x1, =vectors
    msr     vbar_el1, x1
    mov     x1, #(3 << 20)              /* CPACR_EL1.FPEN */
    msr     cpacr_el1, x1
    isb
    bl      main
    b       power_off

    .global power_off
power_off:
    mov     w0, #0x0008                 /* PSCI SYSTEM_OFF */
    movk    w0, #0x8400, lsl #16
    hvc     #0
1:  wfi
    b       1b

    .text
    .macro  vector number
    .balign 0x80
    stp     x0, x1, [sp, #-16]!
    mov     x0, #\number
    b       taken
    .endm

    .balign 0x800
vectors:
    .irp    number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vector  \number
    .endr

/* x0: which vector; x0 and x1 of the program are on the stack. */
taken:
    stp     x2, x3, [sp, #-16]!
    and     x1, x0, #3
    cmp     x1, #1
    b.eq    4f
    ldr     x1, =last
    str     x0, [x1, #0]
    mrs     x0, esr_el1
    str     x0, [x1, #8]
    mrs     x2, far_el1
    str     x2, [x1, #16]
    mrs     x2, elr_el1
    str     x2, [x1, #24]
    mrs     x3, spsr_el1
    str     x3, [x1, #32]
    ldr     x3, [x1, #40]
    add     x3, x3, #1
    str     x3, [x1, #40]
    ldr     x3, =resume_at
    ldr     x1, [x3]
    str     xzr, [x3]
    cbz     x1, 2f
    msr     elr_el1, x1                 /* to resume_at, at EL1 with SP_EL1 and all masked */
    mov     x1, #0x3c5
    msr     spsr_el1, x1
    b       3f
2:  lsr     x0, x0, #26
    cmp     x0, #0x15                   /* SVC: the return address is behind it already */
    b.eq    3f
    add     x2, x2, #4
    msr     elr_el1, x2
3:  ldp     x2, x3, [sp], #16
    ldp     x0, x1, [sp], #16
    eret

4:  stp     x4, x5, [sp, #-16]!
    stp     x6, x7, [sp, #-16]!
    stp     x8, x9, [sp, #-16]!
    stp     x10, x11, [sp, #-16]!
    stp     x12, x13, [sp, #-16]!
    stp     x14, x15, [sp, #-16]!
    stp     x16, x17, [sp, #-16]!
    stp     x18, x30, [sp, #-16]!
    mrs     x0, elr_el1
    mrs     x1, spsr_el1
    stp     x0, x1, [sp, #-16]!
    bl      interrupt
    ldp     x0, x1, [sp], #16
    msr     elr_el1, x0
    msr     spsr_el1, x1
    ldp     x18, x30, [sp], #16
    ldp     x16, x17, [sp], #16
    ldp     x14, x15, [sp], #16
    ldp     x12, x13, [sp], #16
    ldp     x10, x11, [sp], #16
    ldp     x8, x9, [sp], #16
    ldp     x6, x7, [sp], #16
    ldp     x4, x5, [sp], #16
    b       3b

/* run_el0(code, argument): runs code at EL0, which comes back by any exception. Callee-saved registers survive. */
    .global run_el0
run_el0:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    adr     x2, 1f
    ldr     x3, =resume_at
    str     x2, [x3]
    ldr     x2, =el0_stack_top
    msr     sp_el0, x2
    msr     elr_el1, x0
    mov     x2, #0x3c0
    msr     spsr_el1, x2
    mov     x0, x1
    eret
1:  ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret

    .bss
    .balign 16
    .skip   16384
stack_top:
    .skip   4096
el0_stack_top:

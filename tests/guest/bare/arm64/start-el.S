/*
 * Where a bare program begins that starts at EL2 or EL3 with the MMU off; vectors of EL1, EL2 and EL3; running
 * code at a lower level.
 *
 * Every exception is recorded in `last`. The program's own level goes on behind the instruction that raised it;
 * code at a lower level is left, and run_at() comes back.
 */
    .global _start
    .section .start, "ax"
_start:
    ldr     x1, =stack_top
    mov     sp, x1
    mrs     x0, currentel
    lsr     x0, x0, #2
    ldr     x1, =own_level
    str     x0, [x1]
    cmp     x0, #3
    b.ne    1f
    ldr     x1, =vectors3
    msr     vbar_el3, x1
    mov     x1, #0x5b1                  /* SCR_EL3: RW, HCE, SMD, RES1, NS */
    msr     scr_el3, x1
    msr     cptr_el3, xzr
    mrs     x1, id_aa64pfr0_el1
    tst     x1, #0xf00
    b.eq    2f
    ldr     x1, =stack2_top
    msr     sp_el2, x1
1:  ldr     x1, =vectors2
    msr     vbar_el2, x1
    mov     x1, #0x33ff
    msr     cptr_el2, x1
2:  ldr     x1, =vectors1
    msr     vbar_el1, x1
    ldr     x1, =stack1_top
    msr     sp_el1, x1
    ldr     x1, =stack0_top
    msr     sp_el0, x1
    mov     x1, #(3 << 20)
    msr     cpacr_el1, x1
    isb
    bl      main
    .global power_off
power_off:
    mov     w0, #0x0008                 /* PSCI SYSTEM_OFF */
    movk    w0, #0x8400, lsl #16
    ldr     x1, =own_level
    ldr     x1, [x1]
    cmp     x1, #3
    b.eq    1f
    smc     #0
1:  wfi
    b       1b

    .text
    .macro  vector number, level
    .balign 0x80
    stp     x0, x1, [sp, #-16]!
    mov     x0, #\number
    b       taken\level
    .endm

/* LEAVE is the number of the HVC, SMC or SVC that ends code at a lower level. */
    .equ    LEAVE, 0x7e
    .macro  handler level
    .balign 0x800
vectors\level:
    .irp    number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vector  \number, \level
    .endr
taken\level:
    stp     x2, x3, [sp, #-16]!
    mrs     x2, esr_el\level
    tst     x0, #3                      /* an interrupt has none */
    b.ne    1f
    and     x1, x2, #0xffff
    lsr     x3, x2, #26
    and     x3, x3, #0x3c               /* SVC, HVC, SMC: 0x15 to 0x17 */
    cmp     x3, #0x14
    b.ne    1f
    cmp     x1, #LEAVE
    b.eq    3f
1:  ldr     x1, =last
    str     x0, [x1, #0]
    str     x2, [x1, #8]
    mrs     x3, far_el\level
    str     x3, [x1, #16]
    mrs     x3, elr_el\level
    str     x3, [x1, #24]
    mrs     x3, spsr_el\level
    str     x3, [x1, #32]
    ldr     x3, [x1, #40]
    add     x3, x3, #1
    str     x3, [x1, #40]
    ldr     x1, =last_level
    mov     x3, #\level
    str     x3, [x1]
    .if     \level == 2
    mrs     x3, hpfar_el2
    ldr     x1, =last_hpfar
    str     x3, [x1]
    .endif
3:  ldr     x3, =own_level
    ldr     x3, [x3]
    ldr     x1, =resume_at
    ldr     x1, [x1]
    cmp     x3, #\level
    b.ne    5f
    cbnz    x1, 4f
    tst     x0, #3                      /* at the program's own level: an interrupt is masked then */
    b.eq    7f
    mrs     x1, spsr_el\level
    orr     x1, x1, #0x1c0
    msr     spsr_el\level, x1
    b       2f
7:  lsr     x1, x2, #26                 /* others go on behind the instruction */
    and     x1, x1, #0x3c
    cmp     x1, #0x14
    b.eq    2f
    mrs     x1, elr_el\level
    add     x1, x1, #4
    msr     elr_el\level, x1
2:  ldp     x2, x3, [sp], #16
    ldp     x0, x1, [sp], #16
    eret
4:  add     sp, sp, #32                 /* back to run_at() */
    msr     elr_el\level, x1
    mov     x1, #(0x3c1 + \level * 4)
    msr     spsr_el\level, x1
    eret
5:  add     sp, sp, #32
    cmp     x3, #3
    b.eq    6f
    ldr     x1, =leave_by_smc           /* where HVC does not lead to EL2: HCR_EL2.HCD, with TSC */
    ldr     x1, [x1]
    cbnz    x1, 6f
    hvc     #LEAVE
6:  smc     #LEAVE
    .endm
    handler 1
    handler 2
    handler 3

/* run_at(spsr, code, argument): calls code at the level and with the masks of spsr. */
    .global run_at
run_at:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    adr     x3, 1f
    ldr     x4, =resume_at
    str     x3, [x4]
    ldr     x5, =own_level
    ldr     x5, [x5]
    cmp     x5, #3
    b.eq    2f
    msr     elr_el2, x1
    msr     spsr_el2, x0
    b       3f
2:  msr     elr_el3, x1
    msr     spsr_el3, x0
3:  ands    x3, x0, #0xc
    adr     x30, leave0
    b.eq    4f
    adr     x30, leave1
    cmp     x5, #3
    b.ne    4f
    adr     x30, leave2
4:  mov     x0, x2
    eret
1:  ldr     x4, =resume_at
    str     xzr, [x4]
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret
leave0:
    svc     #LEAVE
leave1:
    hvc     #LEAVE
leave2:
    smc     #LEAVE

    .bss
    .balign 16
    .global own_level, last_level, last_hpfar, leave_by_smc
leave_by_smc:
    .skip   8
own_level:
    .skip   8
last_level:
    .skip   8
last_hpfar:
    .skip   8
    .balign 16
    .skip   16384
stack_top:
    .skip   4096
stack2_top:
    .skip   4096
stack1_top:
    .skip   4096
stack0_top:

/*
 * A kernel of a few instructions for OpenSBI: the first hart starts all others (a0 to `harts` - 1), waits until
 * each has said that it is there, and powers off. It prints '!' when one does not come.
 *
 *     cc -DHARTS=2 -nostdlib -static -Wl,-Ttext=0x80200000 -o harts.elf harts.S && objcopy -O binary harts.elf harts
 */
#define SBI_CALL(extension, function)                                                              \
    li a7, extension;                                                                              \
    li a6, function;                                                                               \
    ecall

    .globl _start
_start:
    mv s0, a0
    li s1, 0
start_next:
    beq s1, s0, started
    mv a0, s1
    lla a1, secondary
    li a2, 0
    SBI_CALL(0x48534d, 0) /* HSM, hart_start */
started:
    addi s1, s1, 1
    li t0, HARTS
    bne s1, t0, start_next

    lla t1, here
    li t2, HARTS - 1
    rdtime s2
    li s3, 50000000 /* 5 s at 10 MHz */
wait:
    lw t0, (t1)
    beq t0, t2, off
    rdtime t0
    sub t0, t0, s2
    bltu t0, s3, wait
    li a0, '!'
    SBI_CALL(1, 0) /* console_putchar */
off:
    li a0, 0
    li a1, 0
    SBI_CALL(0x53525354, 0) /* SRST, shutdown */

secondary:
    lla t1, here
    li t0, 1
    amoadd.w.aqrl zero, t0, (t1)
sleep:
    wfi
    j sleep

    .balign 4
here:
    .word 0

/* Accesses that are more than one operation of the IR: pairs of 64 bits, blocks of zeroes. */
#include <string.h>

#include "core/loop.h"

#include "targets/aarch64/state.h"
#include "tcg/access.h"
#include "tcg/tlb.h"

/* ---- pairs of 64 bits ------------------------------------------------------------------------- */

enum { PAIR_SIZE = 16 };

typedef struct PairRegs {
    unsigned first, second, status;
} PairRegs;

static PairRegs pair_regs(uint64_t operand)
{
    return (PairRegs){ operand & 31, operand >> 8 & 31, operand >> 16 & 31 };
}

static uint64_t get_x(const A64Cpu *cpu, unsigned n)
{
    return n == 31 ? 0 : cpu->x[n];
}

static void set_x(A64Cpu *cpu, unsigned n, uint64_t value)
{
    if (n != 31) {
        cpu->x[n] = value;
    }
}

static bool is_aligned(CpuEnv *env, uint64_t address, Access access)
{
    if (address & (PAIR_SIZE - 1)) {
        cpu_raise(env, a64_align_fault(env, access), address);
        return false;
    }
    return true;
}

static uint64_t help_load_pair(CpuEnv *env, uint64_t address, uint64_t operand, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    PairRegs regs = pair_regs(operand);
    IrVec value;

    if (!is_aligned(env, address, ACCESS_READ)) {
        return 0;
    }
    cpu_load128(env, address, MEM_128, &value);
    if (!env->raised) {
        cpu->exclusive_address = address;
        cpu->exclusive_value = value.d[0];
        cpu->exclusive_high = value.d[1];
        set_x(cpu, regs.first, value.d[0]);
        set_x(cpu, regs.second, value.d[1]);
    }
    return 0;
}

/* Where 16 bytes to be written are in host memory; NULL: it takes more than memory, or it raised. */
static void *writable_pair(CpuEnv *env, uint64_t address)
{
    const Change nothing = { .kind = RMW_OR };
    void *host = cpu_host_memory(env, address, true);

    if (!host) {
        cpu_change(env, address, MEM_64, &nothing);
        host = env->raised ? NULL : cpu_host_memory(env, address, true);
    }
    return host;
}

#ifdef __x86_64__
/* Not __sync_val_compare_and_swap(): clang makes a call of it that no library has. */
static void host_swap_128(void *at, const IrVec *expected, const IrVec *desired, IrVec *old)
{
    *old = *expected;
    __asm__ volatile("lock cmpxchg16b %0"
                     : "+m"(*(IrVec *)at), "+a"(old->d[0]), "+d"(old->d[1])
                     : "b"(desired->d[0]), "c"(desired->d[1])
                     : "memory", "cc");
}
#endif

/* Compares 16 bytes and swaps; *old gets what was there. False: it raised. */
static bool swap_128(
    CpuEnv *env, uint64_t address, const IrVec *expected, const IrVec *desired, IrVec *old)
{
    void *host = writable_pair(env, address);
    bool taken;

    if (env->raised) {
        return false;
    }
#ifdef __x86_64__
    if (host) {
        host_swap_128(host, expected, desired, old);
        return true;
    }
#endif
    /* Whoever else does this holds the lock too; plain stores of halves may come between. */
    taken = machine_lock_ensure();
    cpu_load128(env, address, MEM_128, old);
    if (!env->raised && old->d[0] == expected->d[0] && old->d[1] == expected->d[1]) {
        cpu_store128(env, address, MEM_128, desired);
    }
    machine_lock_restore(taken);
    return !env->raised;
}

static uint64_t help_store_pair(CpuEnv *env, uint64_t address, uint64_t operand, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    PairRegs regs = pair_regs(operand);
    IrVec expected = { .d = { cpu->exclusive_value, cpu->exclusive_high } };
    IrVec desired = { .d = { get_x(cpu, regs.first), get_x(cpu, regs.second) } }, old = expected;
    bool failed = cpu->exclusive_address != address;

    if (!is_aligned(env, address, ACCESS_WRITE) ||
        (!failed && !swap_128(env, address, &expected, &desired, &old))) {
        return 0;
    }
    failed |= old.d[0] != expected.d[0] || old.d[1] != expected.d[1];
    cpu->exclusive_address = A64_NOT_EXCLUSIVE;
    set_x(cpu, regs.status, failed);
    return 0;
}

static uint64_t help_swap_pair(CpuEnv *env, uint64_t address, uint64_t operand, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    PairRegs regs = pair_regs(operand);
    IrVec expected = { .d = { get_x(cpu, regs.first), get_x(cpu, regs.first + 1) } };
    IrVec desired = { .d = { get_x(cpu, regs.second), get_x(cpu, regs.second + 1) } }, old;

    if (is_aligned(env, address, ACCESS_READ) &&
        swap_128(env, address, &expected, &desired, &old)) {
        set_x(cpu, regs.first, old.d[0]);
        set_x(cpu, regs.first + 1, old.d[1]);
    }
    return 0;
}

/* ---- DC ZVA ----------------------------------------------------------------------------------- */

void a64_zero_block(A64Cpu *cpu, uint64_t address)
{
    enum { BLOCK = 64 }; /* as DCZID_EL0 says */
    void *host;

    address &= ~(uint64_t)(BLOCK - 1);
    host = cpu_host_memory(&cpu->env, address, true);
    if (host) {
        memset(host, 0, BLOCK);
        return;
    }
    for (unsigned at = 0; at < BLOCK; at += 8) {
        if (!cpu_store(&cpu->env, address + at, MEM_64, 0)) {
            break;
        }
    }
}

const Helper a64_help_load_pair = { "a64_load_pair", help_load_pair, HELPER_MAY_RAISE };
const Helper a64_help_store_pair = { "a64_store_pair", help_store_pair, HELPER_MAY_RAISE };
const Helper a64_help_swap_pair = { "a64_swap_pair", help_swap_pair, HELPER_MAY_RAISE };

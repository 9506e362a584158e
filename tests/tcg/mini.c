/* See mini.h. */
#include "tests/tcg/mini.h"

#include <stdio.h>
#include <string.h>

#include "tcg/exec.h"
#include "tcg/tlb.h"
#include "targets/isa.h"

#define R(n) { "r" #n, offsetof(MiniCpu, r[n]), I64, n + 1 }

static const GVar gvars[] = { R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7) };
static const IsaField fields[] = { { 0 } };

/* ---- state ----------------------------------------------------------------------------------- */

static bool init(CpuEnv *env, const char *model, const char *const *features, char **error)
{
    return true;
}

static void reset(CpuEnv *env)
{
    MiniCpu *cpu = (MiniCpu *)env;

    memset(cpu->r, 0, sizeof(cpu->r));
    cpu->cause = 0;
}

static void set_entry(CpuEnv *env, uint64_t pc, const uint64_t args[4])
{
    env->pc = pc;
    ((MiniCpu *)env)->r[0] = args[0];
}

static void contexts(const CpuEnv *env, IsaContext *out)
{
    uint64_t space = ((const MiniCpu *)env)->space;

    *out = (IsaContext){ .data_space = space, .fetch_space = space };
}

static bool walk(CpuEnv *env, uint64_t address, Access access, Translation *t)
{
    MiniCpu *cpu = (MiniCpu *)env;
    MiniPage whole = { .physical = address & -(uint64_t)GUEST_PAGE_SIZE, .size = GUEST_PAGE_SIZE,
        .write = true, .execute = true };
    const MiniPage *page = &whole;

    cpu->walks++;
    t->cause = MINI_PAGE_FAULT;
    if (cpu->table) {
        uint64_t number = address >> GUEST_PAGE_BITS;
        if (number >= MINI_PAGES) {
            return false;
        }
        page = &cpu->table[cpu->space][number];
    }
    if (!page->size || (access == ACCESS_WRITE && !page->write) || (access == ACCESS_FETCH && !page->execute)) {
        return false;
    }
    *t = (Translation){
        .physical = __atomic_load_n(&page->physical, __ATOMIC_RELAXED) + (address & (page->size - 1)), .page_size = page->size,
        .read = true, .write = page->write, .execute = page->execute, .global = page->global,
    };
    return true;
}

static uint32_t bus_fault(const CpuEnv *env, Access access)
{
    return MINI_BUS;
}

static uint32_t align_fault(const CpuEnv *env, Access access)
{
    return MINI_MISALIGNED;
}

static void deliver(CpuEnv *env)
{
    MiniCpu *cpu = (MiniCpu *)env;

    cpu->cause = env->raised_cause;
    cpu->cause_value = env->raised_value;
    cpu->cause_pc = env->pc;
    cpu->r[6] = cpu->cause;
    cpu->r[7] = env->pc;
    env->pc = MINI_VECTOR;
    if (cpu->stop_on_exception) {
        tcg_cpu_leave(env->cpu);
    }
}

static void set_input(CpuEnv *env, unsigned line, bool level)
{
    MiniCpu *cpu = (MiniCpu *)env;

    if (level) {
        atomic_fetch_or(&cpu->irq, 1u << line);
        cpu_kick(env);
    } else {
        atomic_fetch_and(&cpu->irq, ~(1u << line));
    }
}

static bool wakes(const CpuEnv *env)
{
    return atomic_load(&((MiniCpu *)env)->irq);
}

static bool take_interrupt(CpuEnv *env)
{
    MiniCpu *cpu = (MiniCpu *)env;

    if (!wakes(env) || ((MiniCpu *)env)->masks_interrupts) {
        return false;
    }
    atomic_store(&cpu->irq, 0);
    cpu->irqs_taken++;
    return true;
}

static unsigned disassemble(uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size)
{
    snprintf(text, text_size, "op %u", code[0]);
    return 4;
}

/* ---- the frontend ---------------------------------------------------------------------------- */

typedef struct Insn { unsigned op, a, b; int16_t imm; } Insn;

static uint64_t do_trap(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    cpu_raise(env, MINI_ILLEGAL, 0);
    return 0;
}

static uint64_t do_barrier(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    cpu_code_barrier(env);
    return 0;
}

static uint64_t do_space(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    ((MiniCpu *)env)->space = a;
    cpu_context_changed(env);
    return 0;
}

static uint64_t do_off(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    cpu_power_off(env);
    return 0;
}

static uint64_t do_ipi(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    set_input(cpu_by_index(env, (unsigned)a), 0, true);
    return 0;
}

static const Helper ipi = { "ipi", do_ipi, 0 };
static const Helper trap = { "trap", do_trap, HELPER_MAY_RAISE };
static const Helper barrier = { "barrier", do_barrier, 0 };
static const Helper turn_off = { "off", do_off, 0 };
static const Helper set_space = { "space", do_space, 0 };

static Val imm_of(IrBlock *b, const Insn *i)
{
    return ir_const(b, I64, (uint64_t)(int64_t)i->imm);
}

static const Val none = { 0 };

static void go_on(IrBlock *b, uint64_t pc)
{
    ir_goto_val(b, JUMP_OTHER, ir_const(b, I64, pc + 4));
}

/* False: the block ends with this instruction. */
static bool translate_one(IrBlock *b, uint64_t pc, const Insn *i)
{
    switch ((MiniOp)i->op) {
    case MINI_LI: ir_put(b, i->a, imm_of(b, i)); return true;
    case MINI_ADDI: ir_put(b, i->a, ir_op2(b, IR_add, I64, ir_get(b, i->b), imm_of(b, i))); return true;
    case MINI_ADD: ir_put(b, i->a, ir_op2(b, IR_add, I64, ir_get(b, i->a), ir_get(b, i->b))); return true;
    case MINI_LD: ir_put(b, i->a, ir_load(b, I64, MEM_64, ir_get(b, i->b), i->imm)); return true;
    case MINI_ST: ir_store(b, MEM_64, ir_get(b, i->b), i->imm, ir_get(b, i->a)); return true;
    case MINI_ST32: ir_store(b, MEM_32, ir_get(b, i->b), i->imm, ir_get(b, i->a)); return true;
    case MINI_BNE:
        ir_goto_if(b, NE, ir_get(b, i->a), ir_get(b, i->b), pc + (uint64_t)(int64_t)i->imm);
        return true;
    case MINI_J: ir_goto(b, pc + (uint64_t)(int64_t)i->imm); return false;
    case MINI_JR: ir_goto_val(b, JUMP_OTHER, ir_get(b, i->a)); return false;
    case MINI_HALT: ir_exit(b, EXIT_HALT, ir_const(b, I64, pc + 4)); return false;
    case MINI_AMO:
        ir_put(b, i->a, ir_rmw(b, RMW_ADD, I64, MEM_64 | MEM_ALIGNED, ir_get(b, i->b), imm_of(b, i)));
        return true;
    case MINI_BARRIER: ir_call_void(b, &barrier, none, none, none); go_on(b, pc); return false;
    case MINI_SPACE: ir_call_void(b, &set_space, ir_get(b, i->a), none, none); go_on(b, pc); return false;
    case MINI_OFF: ir_call_void(b, &turn_off, none, none, none); go_on(b, pc); return false;
    case MINI_IPI: ir_call_void(b, &ipi, imm_of(b, i), none, none); return true;
    case MINI_PAUSE: ir_call_void(b, &cpu_help_spin, none, none, none); return true;
    case MINI_BAD:
    case MINI_OPS: break;
    }
    ir_call_void(b, &trap, none, none, none);
    ir_exit(b, EXIT_LOOKUP, ir_const(b, I64, pc));
    return false;
}

static bool fetch(CpuEnv *env, uint64_t pc, Insn *i, CpuFault *fault)
{
    uint16_t unit[2];

    if (!isa_fetch16(env, pc, &unit[0], fault) || !isa_fetch16(env, pc + 2, &unit[1], fault)) {
        return false;
    }
    *i = (Insn){ unit[0] & 0xff, unit[0] >> 8 & 7, unit[0] >> 12 & 7, (int16_t)unit[1] };
    return true;
}

/* An instruction on two pages is alone in its block, as isa.h asks. */
static void translate(IrBlock *b, CpuEnv *env)
{
    uint64_t pc = b->pc;
    bool going = true, straddled = false;

    while (going && ir_has_room(b) && !straddled) {
        CpuFault fault;
        Insn i;
        straddled = (pc ^ (pc + 3)) >> GUEST_PAGE_BITS;
        if ((pc ^ b->pc) >> GUEST_PAGE_BITS || (straddled && pc != b->pc)) {
            break;
        }
        if (!fetch(env, pc, &i, &fault)) {
            if (pc == b->pc) {
                cpu_raise(env, fault.cause, fault.value);
                return;
            }
            break;
        }
        ir_insn(b, pc, 4);
        going = translate_one(b, pc, &i);
        pc += 4;
    }
    if (going) {
        ir_goto(b, pc);
    }
}

#define MINI_ISA                                                                                   \
    .name = "mini", .env_size = sizeof(MiniCpu), .gvars = gvars, .gvar_count = MINI_REGS,          \
    .fields = fields, .address_bits = 64, .init = init, .reset = reset, .set_entry = set_entry,    \
    .translate = translate, .walk = walk, .contexts = contexts, .bus_fault = bus_fault,            \
    .align_fault = align_fault, .deliver = deliver, .set_input = set_input,                        \
    .take_interrupt = take_interrupt, .wakes = wakes, .disassemble = disassemble

const Isa mini_isa = { MINI_ISA };
const Isa mini_coherent_isa = { MINI_ISA, .coherent_code = true };

/* ---- machines -------------------------------------------------------------------------------- */

MiniMachine *mini_machine_new(const MiniOptions *options)
{
    g_autoptr(GError) error = NULL;
    MiniMachine *machine = g_new0(MiniMachine, 1);
    uint64_t size = options->ram_size ? options->ram_size : MINI_PAGES * GUEST_PAGE_SIZE;

    machine->ram = region_new_ram("ram", size, &error);
    machine->root = region_new_container("root", UINT64_C(1) << 40);
    machine_lock();
    region_map(machine->root, 0, machine->ram, 0);
    machine->memory = address_space_new("bus", machine->root);
    machine_unlock();
    machine->tcg = tcg_new(options->isa ? options->isa : &mini_isa, &options->tcg, &error);
    g_assert_no_error(error);
    machine->cpu_count = options->cpus ? options->cpus : 1;
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        const TcgCpuOptions cpu = { .index = i, .memory = machine->memory, .clock = options->clock };
        machine->cpu[i] = tcg_cpu_new(machine->tcg, &cpu, &error);
        g_assert_no_error(error);
        machine->mini[i] = (MiniCpu *)tcg_cpu_env(machine->cpu[i]);
    }
    return machine;
}

void mini_machine_free(MiniMachine *machine)
{
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        tcg_cpu_free(machine->cpu[i]);
    }
    tcg_free(machine->tcg);
    machine_lock();
    address_space_free(machine->memory);
    region_unref(machine->root);
    region_unref(machine->ram);
    machine_unlock();
    g_free(machine);
}

void mini_put(MiniMachine *machine, uint64_t at, const uint32_t *insns, unsigned count)
{
    address_space_write(machine->memory, at, insns, count * sizeof(*insns));
}

void mini_run(MiniMachine *machine, uint64_t pc)
{
    machine->mini[0]->env.pc = pc;
    tcg_cpu_run(machine->cpu[0], 0);
}

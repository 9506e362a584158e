/*
 * Flushes, here and on other CPUs. For those an order is written to the translator's log, which each CPU reads between
 * two blocks. A CPU that is outside generated code is left alone: it looks before it comes inside. One that is too far
 * behind flushes everything.
 */
#include <string.h>

#include "core/spin.h"
#include "tcg/tcg-impl.h"

static void carry_out(TcgCpu *cpu, const FlushOrder *order)
{
    if (tlb_forget(cpu, order)) {
        cpu_context_changed(cpu->env);
    }
}

/* Gives the order's number, which begins with 1. */
static uint64_t write_order(FlushLog *log, const FlushOrder *order)
{
    spin_mutex_lock(&log->lock);
    uint64_t number = atomic_load(&log->count) + 1;
    log->orders[number % FLUSH_LOG] = *order;
    atomic_store(&log->count, number);
    pthread_mutex_unlock(&log->lock);
    return number;
}

static void post_to_all(CpuEnv *env, FlushOrder order)
{
    TcgCpu *self = env_cpu(env);
    Tcg *tcg = self->tcg;

    carry_out(self, &order);
    if (tcg->cpu_count == 1) {
        return;
    }
    order.from = self->slot;
    self->flush_posted = write_order(&tcg->flushes, &order);
    if (atomic_load(&self->flush_served) == self->flush_posted - 1) {
        atomic_store(&self->flush_served, self->flush_posted);
    }
    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        TcgCpu *cpu = tcg->cpus[i];
        if (cpu && cpu != self && atomic_load(&cpu->seen) != EPOCH_OUTSIDE) {
            cpu_kick(cpu->env);
        }
    }
}

void tlb_flush_all(CpuEnv *env)
{
    carry_out(env_cpu(env), &(FlushOrder){ .kind = FLUSH_ALL });
}

void tlb_flush_space(CpuEnv *env, TlbSpaceTest test, uint64_t wanted)
{
    carry_out(env_cpu(env), &(FlushOrder){ .kind = FLUSH_SPACE, .test = test, .wanted = wanted });
}

void tlb_flush_world(CpuEnv *env, TlbSpaceTest test, uint64_t wanted)
{
    carry_out(env_cpu(env), &(FlushOrder){ .kind = FLUSH_WORLD, .test = test, .wanted = wanted });
}

void tlb_flush_page(CpuEnv *env, uint64_t address, TlbSpaceTest test, uint64_t wanted)
{
    carry_out(env_cpu(env),
        &(FlushOrder){ .kind = FLUSH_PAGE, .address = address, .test = test, .wanted = wanted });
}

void tlb_flush_all_cpus(CpuEnv *env)
{
    post_to_all(env, (FlushOrder){ .kind = FLUSH_ALL });
}

void tlb_flush_space_cpus(CpuEnv *env, TlbSpaceTest test, uint64_t wanted)
{
    post_to_all(env, (FlushOrder){ .kind = FLUSH_SPACE, .test = test, .wanted = wanted });
}

void tlb_flush_world_cpus(CpuEnv *env, TlbSpaceTest test, uint64_t wanted)
{
    post_to_all(env, (FlushOrder){ .kind = FLUSH_WORLD, .test = test, .wanted = wanted });
}

void tlb_flush_page_cpus(CpuEnv *env, uint64_t address, TlbSpaceTest test, uint64_t wanted)
{
    post_to_all(env,
        (FlushOrder){ .kind = FLUSH_PAGE, .address = address, .test = test, .wanted = wanted });
}

bool flush_orders_wait(const TcgCpu *cpu)
{
    return atomic_load(&cpu->flush_served) != atomic_load(&cpu->tcg->flushes.count);
}

/* Copies the orders after those that were served, at most `room`; gives how many. 0: some are no longer there. */
static unsigned read_orders(FlushLog *log, uint64_t served, FlushOrder *orders, unsigned room)
{
    spin_mutex_lock(&log->lock);
    uint64_t behind = atomic_load(&log->count) - served;
    unsigned count = behind <= FLUSH_LOG ? MIN(behind, room) : 0;
    for (unsigned i = 0; i < count; i++) {
        orders[i] = log->orders[(served + 1 + i) % FLUSH_LOG];
    }
    pthread_mutex_unlock(&log->lock);
    return count;
}

void flush_orders_serve(TcgCpu *cpu)
{
    enum { AT_ONCE = 16 };
    FlushLog *log = &cpu->tcg->flushes;
    FlushOrder orders[AT_ONCE];
    bool context_forgotten = false;

    while (flush_orders_wait(cpu)) {
        uint64_t all = atomic_load(&log->count), served = atomic_load(&cpu->flush_served);
        unsigned count = read_orders(log, served, orders, AT_ONCE);
        if (count == 0) {
            context_forgotten |= tlb_forget(cpu, &(FlushOrder){ .kind = FLUSH_ALL });
        }
        for (unsigned i = 0; i < count; i++) {
            if (orders[i].from != cpu->slot) {
                context_forgotten |= tlb_forget(cpu, &orders[i]);
            }
        }
        atomic_store(&cpu->flush_served, count > 0 ? served + count : all);
    }
    if (context_forgotten) {
        cpu_context_changed(cpu->env); /* once for all orders: it may take long after some */
    }
}

/* The CPU cannot miss that order, nor one before it, any more. */
static bool has_served(const TcgCpu *cpu, uint64_t order)
{
    return atomic_load(&cpu->flush_served) >= order || atomic_load(&cpu->seen) == EPOCH_OUTSIDE ||
        atomic_load(&cpu->flush_syncs);
}

void tlb_sync(CpuEnv *env)
{
    TcgCpu *self = env_cpu(env);
    const Tcg *tcg = self->tcg;

    if (G_LIKELY(self->flush_posted == 0)) {
        return;
    }
    /* Others need not wait for this one: it looks at its own orders before it goes on. */
    atomic_store(&self->flush_syncs, true);
    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        const TcgCpu *cpu = tcg->cpus[i];
        for (unsigned turn = 0; cpu && cpu != self && !has_served(cpu, self->flush_posted);
             turn++) {
            spin_wait(turn);
        }
    }
    self->flush_posted = 0;
    atomic_store(&self->flush_syncs, false);
    flush_orders_serve(self);
}

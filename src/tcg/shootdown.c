/*
 * Flushes on other CPUs: each CPU has a few orders that others post and it carries out between two blocks. A CPU
 * that is outside generated code is left alone: it looks before it comes inside.
 */
#include <string.h>

#include "tcg/tcg-impl.h"

static void carry_out(CpuEnv *env, const FlushOrder *order)
{
    switch (order->kind) {
    case FLUSH_ALL: tlb_flush_all(env); break;
    case FLUSH_SPACE: tlb_flush_space(env, order->test, order->wanted); break;
    case FLUSH_WORLD: tlb_flush_world(env, order->test, order->wanted); break;
    case FLUSH_PAGE: tlb_flush_page(env, order->address, order->test, order->wanted); break;
    }
}

static void post(TcgCpu *cpu, const FlushOrder *order)
{
    FlushMail *mail = &cpu->mail;

    pthread_mutex_lock(&mail->lock);
    if (mail->count < FLUSH_ORDERS) {
        mail->orders[mail->count] = *order;
    }
    mail->count++;
    atomic_fetch_add(&mail->posted, 1);
    pthread_mutex_unlock(&mail->lock);
    cpu_request(cpu, REQUEST_FLUSH_ORDERS);
}

static void post_to_all(CpuEnv *env, FlushOrder order)
{
    Tcg *tcg = env_cpu(env)->tcg;

    carry_out(env, &order);
    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        if (tcg->cpus[i] && tcg->cpus[i]->env != env) {
            post(tcg->cpus[i], &order);
        }
    }
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

void flush_orders_serve(TcgCpu *cpu)
{
    FlushMail *mail = &cpu->mail;
    FlushOrder orders[FLUSH_ORDERS];

    pthread_mutex_lock(&mail->lock);
    unsigned count = mail->count;
    uint64_t posted = atomic_load(&mail->posted);
    memcpy(orders, mail->orders, MIN(count, FLUSH_ORDERS) * sizeof(FlushOrder));
    mail->count = 0;
    pthread_mutex_unlock(&mail->lock);
    if (count > FLUSH_ORDERS) {
        tlb_flush_all(cpu->env);
    }
    for (unsigned i = 0; count <= FLUSH_ORDERS && i < count; i++) {
        carry_out(cpu->env, &orders[i]);
    }
    atomic_store(&mail->served, posted);
}

/* Nothing that was posted before can be missed by the CPU any more. */
static bool has_served(const TcgCpu *cpu, uint64_t posted)
{
    return atomic_load(&cpu->mail.served) >= posted || atomic_load(&cpu->seen) == EPOCH_OUTSIDE ||
        atomic_load(&cpu->mail.syncing);
}

void tlb_sync(CpuEnv *env)
{
    TcgCpu *self = env_cpu(env);
    const Tcg *tcg = self->tcg;

    /* Others need not wait for this one: it looks at its own orders before it goes on. */
    atomic_store(&self->mail.syncing, true);
    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        const TcgCpu *cpu = tcg->cpus[i];
        uint64_t posted = cpu ? atomic_load(&cpu->mail.posted) : 0;
        while (cpu && cpu != self && !has_served(cpu, posted)) {
            g_thread_yield();
        }
    }
    atomic_store(&self->mail.syncing, false);
    if (atomic_fetch_and(&self->requests, ~(uint32_t)REQUEST_FLUSH_ORDERS) & REQUEST_FLUSH_ORDERS) {
        flush_orders_serve(self);
    }
}

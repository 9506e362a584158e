/*
 * How a CPU waits, and who runs it then.
 *
 * The thread of a halted CPU sleeps, and to wake it takes long: ten microseconds when that means a switch, fifty and
 * more when a core of the host has to be woken, above all when the host is a virtual machine itself. Most of what
 * one CPU wakes another for is short (a flush, a function to be called, a task to be looked at), and often the first
 * does nothing meanwhile but look whether that is done.
 *
 * So a halted CPU is free for others. A CPU that kicks it does not wake its thread but borrows it: between two of
 * its own blocks it runs the other one, until that halts again or has had a slice of time; in that case it is given
 * back and its thread is woken after all. A CPU that halts itself goes on with those that it gave back, if their
 * threads are not awake yet, for as long as it has nothing to do.
 *
 * A CPU that was reset not long ago is left to its own thread. OpenSBI 1.1 says to a hart that it shall start before
 * it says where; the hart must not look just then, and nobody else be held up then.
 *
 * TcgCpu.hold says who runs a CPU; only the holder looks at anything but the atomics. What is kicked is seen: the
 * kicker sets exit_request and then looks at `waiting` and `hold`, the others set those and then look at
 * exit_request.
 */
#include "core/futex.h"
#include "core/loop.h"
#include "core/spin.h"
#include "tcg/tcg-impl.h"

enum {
    EMPTY_WAITS = 64,         /* after this many waits that end at once they become sleeps ... */
    SLEEP_FIRST_NS = 1 << 17, /* ... each twice as long as the one before */
    SLEEP_DOUBLINGS = 7,      /* up to 17 ms */
    SLICE_NS = 50000, /* of a borrowed CPU while the other one could go on: as long as a wake */
    SLICE_LIMIT_NS = 500000, /* when it does not leave generated code by itself */
    PATIENCE = 32,           /* blocks, or so, that a CPU runs before it borrows whom it woke */
    SAME_WAIT_NS = 100000, /* two looks of a CPU that are no further apart are for the same thing */
    SPINS = 4,             /* tries of a borrowed CPU that waits actively */
    BORROW_DEPTH = 4,      /* a borrowed CPU borrows another, and so on */
};

static bool is_kicked(const TcgCpu *cpu)
{
    return atomic_load(&cpu->env->exit_request);
}

/* Whether a halt ends. An interrupt that the CPU has looked at and does not take is no kick any more, but a reason. */
static bool shall_go_on(const TcgCpu *cpu)
{
    return is_kicked(cpu) || cpu->isa->wakes(cpu->env);
}

/* ---- kicks ----------------------------------------------------------------------------------- */

/* Wakes the CPU's thread. */
static void ring(TcgCpu *cpu)
{
    atomic_fetch_add(&cpu->doorbell, 1);
    machine_wake(&cpu->doorbell);
}

static uint64_t bit_of(const TcgCpu *cpu)
{
    return UINT64_C(1) << cpu->slot;
}

/* Both have guest time, and nothing counts or compares what one thread runs. */
static bool may_borrow(const TcgCpu *self, const TcgCpu *cpu)
{
    return self->in_loop && self->tcg == cpu->tcg && cpu->slice && !cpu->lockstep &&
        !self->tcg->options.counted && self->borrows < BORROW_DEPTH &&
        atomic_load(&cpu->rests) >= RESTS_BEFORE_LENT;
}

static void wake(TcgCpu *cpu)
{
    TcgCpu *self = (TcgCpu *)cpu_current();

    if (self && self != cpu && may_borrow(self, cpu) && atomic_load(&cpu->hold) == HOLD_FREE) {
        self->patience = self->woken ? self->patience : PATIENCE;
        self->woken |= bit_of(cpu);
        atomic_store(&self->env->exit_request, 1);
    } else {
        ring(cpu);
    }
}

void cpu_kick(CpuEnv *env)
{
    for (TcgCpu *cpu = env_cpu(env); cpu; cpu = atomic_load(&cpu->borrowed)) {
        atomic_store(&cpu->env->exit_request, 1);
        if (atomic_load(&cpu->waiting) && atomic_load(&cpu->hold) != HOLD_BORROWED) {
            wake(cpu);
        }
    }
}

/* Until it is kicked, or the time is over. */
static void sleep_until_kicked(TcgCpu *cpu, const struct timespec *timeout)
{
    uint32_t bell = atomic_load(&cpu->doorbell);

    atomic_store(&cpu->waiting, 1);
    if (!is_kicked(cpu)) {
        futex_wait(&cpu->doorbell, bell, timeout);
    }
    atomic_store(&cpu->waiting, 0);
}

void cpu_wait_for_kick(TcgCpu *cpu)
{
    cpu_go_outside(cpu);
    cpu_leave_woken(cpu);
    while (!is_kicked(cpu)) {
        sleep_until_kicked(cpu, NULL);
    }
    cpu_come_inside(cpu);
}

/* Between two looks for something that another thread is to do. */
static void look_again(TcgCpu *cpu)
{
    int64_t now = clock_host_ns();

    cpu->looks = now - cpu->looked_at < SAME_WAIT_NS ? cpu->looks + 1 : 0;
    cpu->looked_at = now;
    spin_wait(cpu->looks);
}

/*
 * Whom it waits for may be one that the thread is to run, or would run if this one were not borrowed; else it has a
 * thread of its own, which may need this core.
 */
void cpu_spin(CpuEnv *env)
{
    TcgCpu *cpu = env_cpu(env);

    if (cpu->woken | cpu->given_back) {
        cpu->woken |= cpu->given_back;
        cpu->given_back = 0;
        cpu->patience = 0;
        atomic_store(&env->exit_request, 1);
    } else if (atomic_load(&cpu->hold) == HOLD_BORROWED) {
        cpu->spins = true;
        atomic_store(&env->exit_request, 1);
    } else {
        look_again(cpu);
    }
}

/* A helper for what a guest does while it looks for something again and again. */
static uint64_t help_spin(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    cpu_spin(env);
    return 0;
}

const Helper cpu_help_spin = { "cpu_spin", help_spin, 0 };

/* ---- borrowing ------------------------------------------------------------------------------- */

static bool take(TcgCpu *cpu, CpuHold hold)
{
    CpuHold from = HOLD_FREE;

    return atomic_compare_exchange_strong(&cpu->hold, &from, hold);
}

void cpu_leave_woken(TcgCpu *cpu)
{
    for (; cpu->woken; cpu->woken &= cpu->woken - 1) {
        ring(cpu->tcg->cpus[__builtin_ctzll(cpu->woken)]);
    }
}

/* Fires once in a while as long as CPUs are borrowed: for those that never look at the time. */
void cpu_slice_over(void *data)
{
    TcgCpu *cpu = data;

    atomic_store(&cpu->slice_set, false);
    if (atomic_load(&cpu->hold) == HOLD_BORROWED) {
        cpu_kick(cpu->env);
    }
}

/*
 * Whether the CPU that was borrowed is to stop: it had its slice since the one whose thread it has could go on,
 * which is at once, or, when that waits, from a kick on. *until: 0 at first.
 */
static bool had_its_slice(TcgCpu *cpu, const TcgCpu *host, bool waits, int64_t *until)
{
    if (waits && !is_kicked(host)) {
        return false;
    }
    int64_t now = clock_host_ns();
    if (*until) {
        return now >= *until;
    }
    *until = now + SLICE_NS;
    if (!atomic_exchange(&cpu->slice_set, true)) {
        timer_set(cpu->slice, clock_now(cpu->clock) + SLICE_LIMIT_NS);
    }
    return false;
}

/* Looks for something again and again, perhaps for what the host is about to do. True: it is tried again later. */
static bool stops_spinning(TcgCpu *cpu, TcgCpu *host, bool waits)
{
    cpu->spins = false;
    if (waits && !is_kicked(host)) {
        look_again(cpu);
        return false;
    }
    if (++cpu->spun > SPINS) {
        return false;
    }
    host->woken |= bit_of(cpu) | cpu->woken;
    host->patience = PATIENCE;
    cpu->woken = 0;
    cpu_go_outside(cpu);
    atomic_store(&cpu->env->exit_request, 1);
    atomic_store(&cpu->hold, HOLD_FREE);
    return true;
}

/* True: it halts, nothing is to be done for it, and it is free again. */
static bool is_at_rest(TcgCpu *cpu, TcgCpu *host)
{
    if (shall_go_on(cpu)) {
        return false;
    }
    host->woken |= cpu->woken;
    cpu->woken = 0;
    cpu->spun = 0;
    cpu_go_outside(cpu);
    atomic_store(&cpu->hold, HOLD_FREE);
    if (!is_kicked(cpu) || !take(cpu, HOLD_BORROWED)) {
        return true;
    }
    cpu_come_inside(cpu);
    return false;
}

/* Its own thread shall go on with it. */
static void give_back(TcgCpu *cpu)
{
    cpu_leave_woken(cpu);
    cpu_go_outside(cpu);
    atomic_store(&cpu->env->exit_request, 1);
    atomic_store(&cpu->hold, HOLD_FREE);
    ring(cpu);
}

/* After a turn: whether another follows in this thread; else what becomes of the CPU is settled. */
static bool goes_on(TcgCpu *cpu, TcgCpu *host, bool waits, CpuTurn turn)
{
    if (turn == TURN_HALTS) {
        if (is_at_rest(cpu, host)) {
            return false;
        }
        atomic_store(&cpu->env->exit_request, 1); /* what wakes it is perhaps to be taken */
        turn = ++cpu->empty_waits > EMPTY_WAITS ? TURN_ENDS : TURN_GOES_ON; /* see cpu_halt() */
    }
    if (turn == TURN_GOES_ON && cpu->spins && stops_spinning(cpu, host, waits)) {
        return false;
    }
    if (turn != TURN_GOES_ON) {
        give_back(cpu);
        return false;
    }
    return true;
}

/* Between two blocks of the host. */
static void run_borrowed(TcgCpu *cpu, TcgCpu *host, bool waits)
{
    int64_t until = 0;

    cpu->lent++;
    cpu->borrows = host->borrows + 1;
    cpu->spins = false;
    atomic_store(&host->borrowed, cpu);
    cpu_set_current(&cpu->cpu);
    cpu_come_inside(cpu);
    do {
        if (had_its_slice(cpu, host, waits, &until)) {
            host->given_back |= bit_of(cpu);
            give_back(cpu);
            break;
        }
    } while (goes_on(cpu, host, waits, cpu_turn(cpu)));
    cpu_set_current(&host->cpu);
    atomic_store(&host->borrowed, NULL);
}

/* `waits`: the host has nothing to do until it is kicked. It is outside, between two blocks. */
static void run_woken(TcgCpu *host, bool waits)
{
    uint64_t slots = host->woken;

    host->woken = 0;
    while (slots && !(waits && is_kicked(host))) {
        TcgCpu *cpu = host->tcg->cpus[__builtin_ctzll(slots)];
        slots &= slots - 1;
        /* When somebody else has it, that one sees what it was kicked for. */
        if (is_kicked(cpu) && take(cpu, HOLD_BORROWED)) {
            run_borrowed(cpu, host, waits);
        }
    }
    host->woken |= slots;
}

void cpu_run_woken(TcgCpu *cpu)
{
    if (G_LIKELY(!cpu->woken)) {
        return;
    }
    if (atomic_load(&cpu->wanted) != CPU_RUNNING) {
        cpu_leave_woken(cpu);
        return;
    }
    if (cpu->patience > 0) {
        cpu->patience--;
        return;
    }
    cpu_go_outside(cpu);
    run_woken(cpu, false);
    cpu_come_inside(cpu);
}

/* ---- halting --------------------------------------------------------------------------------- */

/* Until there is a reason to go on and this thread is the one that does. */
static void rest(TcgCpu *cpu)
{
    bool held = true;

    atomic_store(&cpu->waiting, 1);
    for (;;) {
        uint32_t bell = atomic_load(&cpu->doorbell);
        if (held || take(cpu, HOLD_THREAD)) {
            if (shall_go_on(cpu)) {
                break;
            }
            held = false;
            atomic_fetch_add(&cpu->rests, 1);
            atomic_store(&cpu->hold, HOLD_FREE);
            if (is_kicked(cpu)) {
                continue;
            }
        }
        futex_wait(&cpu->doorbell, bell, NULL);
    }
    atomic_store(&cpu->waiting, 0);
    cpu->borrows = 0;
    cpu->spun = 0;
}

/*
 * A hart that waits in OpenSBI (1.1) to be started has an interrupt pending that it does not take, so its waits are
 * no waits. They become sleeps, to spare the host; and as that OpenSBI says "start" just before it says where,
 * a hart that looked all the time would now and then see the one without the other.
 */
bool cpu_halt(TcgCpu *cpu)
{
    bool forever = !cpu->clock && !shall_go_on(cpu);

    if (forever) {
        return false;
    }
    cpu_go_outside(cpu);
    if (cpu->isa->wakes(cpu->env) && ++cpu->empty_waits > EMPTY_WAITS) {
        unsigned doublings = MIN(cpu->empty_waits - EMPTY_WAITS, SLEEP_DOUBLINGS);
        cpu_leave_woken(cpu);
        sleep_until_kicked(cpu, &(struct timespec){ .tv_nsec = SLEEP_FIRST_NS << doublings });
    }
    if (!shall_go_on(cpu)) {
        cpu->woken |= cpu->given_back;
        cpu->given_back = 0;
    }
    while (cpu->woken && !shall_go_on(cpu)) {
        run_woken(cpu, true);
    }
    rest(cpu);
    cpu_come_inside(cpu);
    cpu_kick(cpu->env); /* what wakes it is perhaps to be taken at once */
    return true;
}

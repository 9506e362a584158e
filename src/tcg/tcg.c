/* Makes translators and CPUs, and gives the core what it wants of a CPU: threads, pause, reset, inputs. */
#include "tcg/tcg.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "core/build.h"
#include "core/diag.h"
#include "core/machine.h"
#include "tcg/exec.h"
#include "tcg/tcg-impl.h"

enum { THUNK_ROOM = 16 << 10 };

static TcgOptions machine_options;

/* All translators there are: writes to RAM do not say who has translated it. */
static pthread_mutex_t list_lock =
    PTHREAD_MUTEX_INITIALIZER; /* pthread: ThreadSanitizer knows it */
static GPtrArray *list;

/* ---- translators ----------------------------------------------------------------------------- */

static void region_code_written(Region *ram, uint64_t offset, uint64_t length)
{
    pthread_mutex_lock(&list_lock);
    for (unsigned i = 0; i < list->len; i++) {
        code_written(g_ptr_array_index(list, i), region_host(ram) + offset, length);
    }
    pthread_mutex_unlock(&list_lock);
}

static void add_to_list(Tcg *tcg)
{
    pthread_mutex_lock(&list_lock);
    if (!list) {
        list = g_ptr_array_new();
    }
    g_ptr_array_add(list, tcg);
    pthread_mutex_unlock(&list_lock);
    region_on_code_written(region_code_written);
}

static Tcg *find_in_list(const Machine *machine, const Isa *isa)
{
    Tcg *found = NULL;

    pthread_mutex_lock(&list_lock);
    for (unsigned i = 0; list && i < list->len && !found; i++) {
        Tcg *tcg = g_ptr_array_index(list, i);
        found = tcg->machine == machine && tcg->isa == isa ? tcg : NULL;
    }
    pthread_mutex_unlock(&list_lock);
    return found;
}

/* Generates the host's thunks into the first chunk, which is never evicted. False: it does not run here. */
static bool use_host(Tcg *tcg, const Host *host)
{
    Chunk *first = &tcg->code.chunks[0];
    size_t room = MIN(first->size, (size_t)THUNK_ROOM);

    first->used = host->init(
        first->write, first->execute, room, tcg->isa->gvars, tcg->isa->gvar_count);
    tcg->host = host;
    tcg->thunks = first->execute;
    return first->used;
}

static bool is_host_wanted(const Host *host, const char *name)
{
    return name ? strcmp(host->name, name) == 0 : strcmp(host->name, "interp") != 0;
}

/* The host by that name, or the first that runs here, or the interpreter. */
static bool choose_host(Tcg *tcg, const char *name, GError **error)
{
    for (unsigned i = 0; hosts[i]; i++) {
        if (is_host_wanted(hosts[i], name) && use_host(tcg, hosts[i])) {
            return true;
        }
    }
    if (!name) {
        return choose_host(tcg, "interp", error);
    }
    g_set_error(
        error, G_FILE_ERROR, G_FILE_ERROR_NOSYS, "there is no translator host '%s' here", name);
    return false;
}

Tcg *tcg_new(const Isa *isa, const TcgOptions *options, GError **error)
{
    g_autoptr(Tcg) tcg = g_new0(Tcg, 1);
    size_t size = options->code_size ? options->code_size : TCG_CODE_SIZE;

    tcg->isa = isa;
    tcg->options = *options;
    pthread_mutex_init(&tcg->lock, NULL);
    pthread_mutex_init(&tcg->flushes.lock, NULL);
    blocks_init(&tcg->blocks);
    add_to_list(tcg);
    if (!code_init(&tcg->code, size, error) || !choose_host(tcg, options->host, error)) {
        return NULL;
    }
    return g_steal_pointer(&tcg);
}

void tcg_free(Tcg *tcg)
{
    if (!tcg) {
        return;
    }
    pthread_mutex_lock(&list_lock);
    g_ptr_array_remove_fast(list, tcg);
    pthread_mutex_unlock(&list_lock);
    blocks_clear(&tcg->blocks);
    code_clear(&tcg->code);
    page_ids_clear(&tcg->page_ids);
    g_clear_pointer(&tcg->perf_map, fclose);
    pthread_mutex_destroy(&tcg->flushes.lock);
    pthread_mutex_destroy(&tcg->lock);
    g_free(tcg);
}

const Isa *tcg_isa_find(const char *name)
{
    for (unsigned i = 0; isas[i]; i++) {
        if (strcmp(isas[i]->name, name) == 0) {
            return isas[i];
        }
    }
    return NULL;
}

/* ---- CPUs ------------------------------------------------------------------------------------ */

static void map_changed(void *data)
{
    cpu_request(data, REQUEST_FLUSH);
}

static bool map_state(TcgCpu *cpu, GError **error)
{
    size_t size = sizeof(CpuFar) + cpu->isa->env_size;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "memory for a CPU: %s",
            g_strerror(errno));
        return false;
    }
    cpu->memory = memory;
    cpu->memory_size = size;
    cpu->env = (CpuEnv *)((CpuFar *)memory + 1);
    cpu->env->cpu = cpu;
    return true;
}

static void timer_fired(void *data)
{
    cpu_kick(((TcgCpu *)data)->env);
}

static void join_translator(TcgCpu *cpu, Tcg *tcg)
{
    pthread_mutex_lock(&tcg->lock);
    g_assert(tcg->cpu_count < TCG_MAX_CPUS);
    cpu->slot = tcg->cpu_count;
    tcg->cpus[tcg->cpu_count++] = cpu;
    pthread_mutex_unlock(&tcg->lock);
}

static bool init_isa(TcgCpu *cpu, const TcgCpuOptions *options, GError **error)
{
    g_autofree char *message = NULL;

    cpu->env->index = options->index;
    cpu->env->timebase_hz = options->timebase_hz;
    if (!cpu->isa->init(cpu->env, options->model, options->features, &message)) {
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s", message ? message : "unknown CPU model");
        return false;
    }
    return true;
}

void cpu_reset(TcgCpu *cpu, const CpuEntry *entry)
{
    atomic_store(&cpu->power, entry->held ? POWER_OFF : POWER_ON);
    atomic_store(&cpu->rests, 0);
    cpu->env->raised = 0;
    cpu->isa->reset(cpu->env);
    cpu->isa->set_entry(cpu->env, entry->pc, entry->args);
    cpu_timer_set(cpu->env, INT64_MAX);
    tlb_read_map(cpu);
    tlb_flush_all(cpu->env);
}

TcgCpu *tcg_cpu_new(Tcg *tcg, const TcgCpuOptions *options, GError **error)
{
    g_autoptr(TcgCpu) cpu = g_new0(TcgCpu, 1);

    cpu->tcg = tcg;
    cpu->isa = tcg->isa;
    cpu->address_space = options->memory;
    cpu->clock = options->clock;
    cpu->cpu.index = options->index;
    pthread_mutex_init(&cpu->state_lock, NULL);
    pthread_cond_init(&cpu->state_changed, NULL);
    atomic_init(&cpu->seen, EPOCH_OUTSIDE);
    tlb_init(&cpu->tlb);
    if (!map_state(cpu, error) || !init_isa(cpu, options, error)) {
        return NULL;
    }
    if (options->clock) {
        cpu->timer = timer_new(options->clock, timer_fired, cpu);
        cpu->slice = timer_new(options->clock, cpu_slice_over, cpu);
    }
    join_translator(cpu, tcg);
    address_space_listen(cpu->address_space, map_changed, cpu);
    cpu_reset(cpu, &cpu->cpu.entry);
    cpu->lockstep = lockstep_new(cpu);
    return g_steal_pointer(&cpu);
}

void tcg_cpu_free(TcgCpu *cpu)
{
    if (!cpu) {
        return;
    }
    pthread_mutex_lock(&cpu->tcg->lock);
    if (cpu->tcg->cpus[cpu->slot] == cpu) {
        cpu->tcg->cpus[cpu->slot] = NULL;
    }
    pthread_mutex_unlock(&cpu->tcg->lock);
    timer_free(cpu->timer);
    timer_free(cpu->slice);
    lockstep_free(cpu->lockstep);
    for (unsigned i = 0; i < FETCH_VIEWS; i++) {
        g_free(cpu->views[i]);
    }
    tlb_clear(&cpu->tlb);
    if (cpu->memory) {
        munmap(cpu->memory, cpu->memory_size);
    }
    pthread_mutex_destroy(&cpu->state_lock);
    pthread_cond_destroy(&cpu->state_changed);
    g_free(cpu);
}

CpuEnv *tcg_cpu_env(TcgCpu *cpu)
{
    return cpu->env;
}

void tcg_cpu_run(TcgCpu *cpu, uint64_t insns)
{
    atomic_store(&cpu->wanted, CPU_RUNNING);
    cpu_run(cpu, insns);
}

void tcg_cpu_leave(TcgCpu *cpu)
{
    atomic_store(&cpu->wanted, CPU_PAUSED);
    cpu_kick(cpu->env);
}

/* ---- CpuOps ---------------------------------------------------------------------------------- */

/* Says that the CPU stands still, and waits for another wish. */
static RunState next_state(TcgCpu *cpu)
{
    pthread_mutex_lock(&cpu->state_lock);
    cpu->state = CPU_PAUSED;
    pthread_cond_broadcast(&cpu->state_changed);
    while (atomic_load(&cpu->wanted) == CPU_PAUSED) {
        pthread_cond_wait(&cpu->state_changed, &cpu->state_lock);
    }
    RunState wanted = atomic_load(&cpu->wanted);
    cpu->state = wanted;
    pthread_mutex_unlock(&cpu->state_lock);
    return wanted;
}

static void *thread_main(void *data)
{
    TcgCpu *cpu = data;

    prctl(PR_SET_TIMERSLACK, 1); /* nanoseconds, for spin_wait() */
    while (next_state(cpu) == CPU_RUNNING) {
        cpu_run(cpu, 0);
    }
    return NULL;
}

static void want(TcgCpu *cpu, RunState wanted)
{
    pthread_mutex_lock(&cpu->state_lock);
    atomic_store(&cpu->wanted, wanted);
    pthread_cond_broadcast(&cpu->state_changed);
    pthread_mutex_unlock(&cpu->state_lock);
    cpu_kick(cpu->env);
}

static bool ops_start(Cpu *base, GError **error)
{
    TcgCpu *cpu = (TcgCpu *)base;
    g_autofree char *name = g_strdup_printf("cpu%u", base->index);

    cpu->thread = g_thread_try_new(name, thread_main, cpu, error);
    return cpu->thread;
}

static void ops_resume(Cpu *base)
{
    want((TcgCpu *)base, CPU_RUNNING);
}

static void ops_pause(Cpu *base)
{
    TcgCpu *cpu = (TcgCpu *)base;

    want(cpu, CPU_PAUSED);
    pthread_mutex_lock(&cpu->state_lock);
    while (cpu->thread && cpu->state != CPU_PAUSED) {
        pthread_cond_wait(&cpu->state_changed, &cpu->state_lock);
    }
    pthread_mutex_unlock(&cpu->state_lock);
}

static void ops_kick(Cpu *base)
{
    cpu_kick(((TcgCpu *)base)->env);
}

static void ops_stop(Cpu *base)
{
    TcgCpu *cpu = (TcgCpu *)base;

    if (cpu->thread) {
        want(cpu, CPU_STOPPED);
        g_thread_join(g_steal_pointer(&cpu->thread));
    }
}

static bool is_last_cpu(const Tcg *tcg)
{
    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        if (tcg->cpus[i]) {
            return false;
        }
    }
    return true;
}

static void ops_free(Cpu *base)
{
    TcgCpu *cpu = (TcgCpu *)base;
    Tcg *tcg = cpu->tcg;

    tcg_cpu_free(cpu);
    if (is_last_cpu(tcg)) {
        tcg_free(tcg);
    }
}

static FdtNode *ops_interrupt_controller(const Cpu *base, FdtNode *node)
{
    const TcgCpu *cpu = (const TcgCpu *)base;

    return cpu->isa->interrupt_controller ? cpu->isa->interrupt_controller(cpu->env, node) : NULL;
}

static void ops_identify(const Cpu *base, CpuIdVisit *visit, void *data)
{
    const TcgCpu *cpu = (const TcgCpu *)base;

    if (cpu->isa->identify) {
        cpu->isa->identify(cpu->env, visit, data);
    }
}

static const CpuOps tcg_cpu_ops = {
    .start = ops_start,
    .resume = ops_resume,
    .pause = ops_pause,
    .kick = ops_kick,
    .stop = ops_stop,
    .free = ops_free,
    .interrupt_controller = ops_interrupt_controller,
    .identify = ops_identify,
};

/* ---- the device side ------------------------------------------------------------------------- */

static void device_reset(Device *dev)
{
    TcgCpu *cpu = (TcgCpu *)dev;

    cpu_reset(cpu, &cpu->cpu.entry);
}

static void device_input_changed(Device *dev, unsigned index, bool level)
{
    TcgCpu *cpu = (TcgCpu *)dev;

    cpu->isa->set_input(cpu->env, index, level);
}

static void device_describe(const Device *dev, FdtNode *node)
{
    const TcgCpu *cpu = (const TcgCpu *)dev;

    if (cpu->isa->describe) {
        cpu->isa->describe(cpu->env, node);
    }
}

static const DeviceClass tcg_cpu_class = {
    .name = "cpu",
    .state_size = sizeof(TcgCpu),
    .reset = device_reset,
    .set_input = device_input_changed,
    .describe = device_describe,
};

bool tcg_configure(const TcgOptions *options, GError **error)
{
    for (unsigned i = 0; options->host && hosts[i]; i++) {
        if (strcmp(hosts[i]->name, options->host) == 0) {
            machine_options = *options;
            return true;
        }
    }
    if (options->host) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "there is no translator host '%s'",
            options->host);
        return false;
    }
    machine_options = *options;
    return true;
}

static Tcg *translator_for(Machine *machine, const Isa *isa, GError **error)
{
    Tcg *tcg = find_in_list(machine, isa);

    if (!tcg) {
        tcg = tcg_new(isa, &machine_options, error);
        if (tcg) {
            tcg->machine = machine;
        }
    }
    return tcg;
}

/* Names of the features that are on, NULL at the end; the names are borrowed. */
static const char **features_on(const CpuClusterSpec *spec)
{
    const char **names = g_new0(const char *, spec->feature_count + 1);
    unsigned count = 0;

    for (unsigned i = 0; i < spec->feature_count; i++) {
        if (spec->features[i].on) {
            names[count++] = spec->features[i].name;
        }
    }
    return names;
}

Cpu *tcg_cpu_create(Machine *machine, const CpuClusterSpec *spec, unsigned index, Diag *diag)
{
    g_autoptr(GError) error = NULL;
    g_autofree const char **features = features_on(spec);
    const Isa *isa = tcg_isa_find(spec->isa);
    Tcg *tcg = isa ? translator_for(machine, isa, &error) : NULL;
    TcgCpu *cpu = NULL;

    if (tcg) {
        cpu = tcg_cpu_new(tcg,
            &(TcgCpuOptions){
                .index = index,
                .model = spec->model.text,
                .features = spec->feature_count ? features : NULL,
                .timebase_hz = spec->timebase_hz,
                .memory = machine_cpu_memory(machine),
                .clock = machine_clock(machine),
            },
            &error);
    }
    if (!cpu) {
        diag_error(diag, DIAG_UNKNOWN_MODEL, spec->model.mark, "'model': %s",
            error ? error->message : "no translator for this ISA");
        return NULL;
    }
    cpu->cpu.dev.class = &tcg_cpu_class;
    cpu->cpu.ops = &tcg_cpu_ops;
    return &cpu->cpu;
}

/* ---- statistics ------------------------------------------------------------------------------ */

#define COUNT "%" G_GINT64_MODIFIER "u"

static void print_code(const Tcg *tcg, FILE *out)
{
    size_t code, tables;

    code_sizes(&tcg->code, &code, &tables);
    fprintf(out, "  " COUNT " KiB of code, " COUNT " KiB of tables", (uint64_t)code >> 10,
        (uint64_t)tables >> 10);
    if (tcg->timed_insns) {
        fprintf(
            out, "; " COUNT " ns to translate an instruction", tcg->timed_ns / tcg->timed_insns);
    }
    fputc('\n', out);
}

static void print_translator(const Tcg *tcg, FILE *out)
{
    fprintf(out,
        "tcg %s on %s: " COUNT " blocks of " COUNT " instructions, " COUNT " dropped, " COUNT
        " brought back, " COUNT " chunks evicted\n",
        tcg->isa->name, tcg->host->name, tcg->translated_blocks, tcg->translated_insns,
        tcg->dropped_blocks, tcg->revived_blocks, tcg->evicted_chunks);
    print_code(tcg, out);
    if (tcg->options.check > 0) {
        fprintf(out, "  " COUNT " instructions compared in lockstep\n", tcg->checked_insns);
    }
    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        const TcgCpu *cpu = tcg->cpus[i];
        if (cpu) {
            fprintf(out,
                "  cpu%u: " COUNT " page walks, " COUNT " refills, " COUNT
                " jumps found; came back to look up " COUNT ", to link " COUNT ", by request " COUNT
                ", by exception " COUNT ", to wait " COUNT "; lent " COUNT " times\n",
                cpu->env->index, cpu->tlb.walks, cpu->tlb.refills, cpu->jump_refills,
                cpu->left[EXIT_LOOKUP], cpu->left[EXIT_CHAIN], cpu->left[EXIT_REQUEST],
                cpu->left[EXIT_RAISED], cpu->left[EXIT_HALT], cpu->lent);
        }
    }
}

void tcg_print_stats(Machine *machine, FILE *out)
{
    pthread_mutex_lock(&list_lock);
    for (unsigned i = 0; list && i < list->len; i++) {
        const Tcg *tcg = g_ptr_array_index(list, i);
        if (tcg->machine == machine) {
            print_translator(tcg, out);
        }
    }
    pthread_mutex_unlock(&list_lock);
}

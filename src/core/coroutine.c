/*
 * Stackful coroutines. The switch saves what the ABI says a function must keep and nothing else,
 * so it costs a few nanoseconds; ucontext (two system calls a switch) serves other hosts.
 */
#include "core/coroutine.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#endif

enum { POOL_LIMIT = 64 };

/* Where one side of a switch left off. */
typedef struct Context {
#if defined(__x86_64__) || defined(__aarch64__)
    void *sp;
#else
    ucontext_t ucontext;
#endif
    const void *stack; /* bounds, which AddressSanitizer wants to know */
    size_t stack_size;
    void *shadow; /* AddressSanitizer's fake stack while switched out */
    void *fiber;  /* ThreadSanitizer's */
} Context;

struct Coroutine {
    Context context, caller;
    Coroutine *outer; /* the coroutine that entered this one, or NULL */
    Coroutine *next;  /* in the pool */
    CoroutineEntry *entry;
    void *data;
    void *mapping;
    bool running, ended;
};

/* What a thread keeps: the coroutine it is in, and stacks to use again. */
typedef struct Home {
    Coroutine *current;
    Coroutine *pool;
    unsigned pooled;
} Home;

static void home_free(void *data);
static GPrivate home_key = G_PRIVATE_INIT(home_free);

/* Not inlined: after a switch the compiler must not use a thread's address from before. */
static __attribute__((noinline)) Home *home_get(void)
{
    Home *home = g_private_get(&home_key);

    if (!home) {
        home = g_new0(Home, 1);
        g_private_set(&home_key, home);
    }
    return home;
}

static void coroutine_main(void);

#if defined(__x86_64__)
/*
 * context_swap(save, load): pushes the callee-saved registers of the System V ABI (and the
 * floating-point control words), stores the stack pointer, loads the other one and pops.
 */
__asm__(".text\n"
        ".type context_swap, @function\n"
        "context_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq (%rsi), %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size context_swap, . - context_swap\n");

void context_swap(Context *save, const Context *load);

static void context_init(Context *context)
{
    uint64_t *top = (uint64_t *)((uintptr_t)context->stack + context->stack_size);
    uint32_t control[2] = { 0 };

    __asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(control[0]), "=m"(control[1]));
    *--top = 0;                         /* coroutine_main has no caller */
    *--top = (uintptr_t)coroutine_main; /* rsp is 16n+8 at its first instruction */
    top -= 7;                           /* six registers, the control words */
    memset(top, 0, 7 * sizeof(*top));
    memcpy(top, control, sizeof(control));
    context->sp = top;
}
#elif defined(__aarch64__)
/* As above by AAPCS64: x19-x30 and d8-d15. */
__asm__(".text\n"
        ".type context_swap, %function\n"
        "context_swap:\n"
        "    stp x29, x30, [sp, #-160]!\n"
        "    stp x19, x20, [sp, #16]\n"
        "    stp x21, x22, [sp, #32]\n"
        "    stp x23, x24, [sp, #48]\n"
        "    stp x25, x26, [sp, #64]\n"
        "    stp x27, x28, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    ldr x9, [x1]\n"
        "    mov sp, x9\n"
        "    ldp x19, x20, [sp, #16]\n"
        "    ldp x21, x22, [sp, #32]\n"
        "    ldp x23, x24, [sp, #48]\n"
        "    ldp x25, x26, [sp, #64]\n"
        "    ldp x27, x28, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    ldp x29, x30, [sp], #160\n"
        "    ret\n"
        ".size context_swap, . - context_swap\n");

void context_swap(Context *save, const Context *load);

static void context_init(Context *context)
{
    uint64_t *top = (uint64_t *)((uintptr_t)context->stack + context->stack_size);

    top -= 20;
    memset(top, 0, 20 * sizeof(*top));
    top[1] = (uintptr_t)coroutine_main; /* x30 */
    context->sp = top;
}
#else
static void context_swap(Context *save, const Context *load)
{
    swapcontext(&save->ucontext, &load->ucontext);
}

static void context_init(Context *context)
{
    getcontext(&context->ucontext);
    context->ucontext.uc_stack.ss_sp = (void *)context->stack;
    context->ucontext.uc_stack.ss_size = context->stack_size;
    makecontext(&context->ucontext, coroutine_main, 0);
}
#endif

/* Switches, telling the sanitizers; ends is true when `from` will never be switched to again. */
static void context_switch(Context *from, Context *to, bool ends)
{
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(ends ? NULL : &from->shadow, to->stack, to->stack_size);
#endif
#ifdef WITH_TSAN
    from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    context_swap(from, to);
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(from->shadow, NULL, NULL);
#endif
}

/* The first function on every stack. It never returns: the last switch leaves it for good. */
static void coroutine_main(void)
{
    Coroutine *co = home_get()->current;

#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(NULL, &co->caller.stack, &co->caller.stack_size);
#endif
    co->entry(co->data);
    co->ended = true;
    context_switch(&co->context, &co->caller, true);
    g_assert_not_reached();
}

static Coroutine *coroutine_allocate(void)
{
    size_t page = sysconf(_SC_PAGESIZE);
    Coroutine *co = g_new0(Coroutine, 1);

    co->mapping = mmap(NULL, COROUTINE_STACK + page, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (co->mapping == MAP_FAILED || mprotect(co->mapping, page, PROT_NONE) != 0) {
        g_error("no memory for a coroutine's stack");
    }
    co->context.stack = (char *)co->mapping + page;
    co->context.stack_size = COROUTINE_STACK;
    return co;
}

static void coroutine_free(Coroutine *co)
{
    munmap(co->mapping, COROUTINE_STACK + sysconf(_SC_PAGESIZE));
    g_free(co);
}

static void home_free(void *data)
{
    Home *home = data;

    while (home->pool) {
        Coroutine *co = home->pool;

        home->pool = co->next;
        coroutine_free(co);
    }
    g_free(home);
}

Coroutine *coroutine_new(CoroutineEntry *entry, void *data)
{
    Home *home = home_get();
    Coroutine *co = home->pool;

    if (co) {
        home->pool = co->next;
        home->pooled--;
    } else {
        co = coroutine_allocate();
    }
    co->entry = entry;
    co->data = data;
    co->ended = false;
#ifdef WITH_TSAN
    co->context.fiber = __tsan_create_fiber(0);
#endif
    context_init(&co->context);
    return co;
}

static void coroutine_recycle(Home *home, Coroutine *co)
{
#ifdef WITH_TSAN
    __tsan_destroy_fiber(co->context.fiber);
#endif
    if (home->pooled == POOL_LIMIT) {
        coroutine_free(co);
        return;
    }
    co->next = home->pool;
    home->pool = co;
    home->pooled++;
}

void coroutine_enter(Coroutine *co)
{
    Home *home = home_get();

    g_assert(!co->running);
    co->running = true;
    co->outer = home->current;
    home->current = co;
    context_switch(&co->caller, &co->context, false);
    home->current = co->outer;
    co->running = false;
    if (co->ended) {
        coroutine_recycle(home, co);
    }
}

void coroutine_yield(void)
{
    Coroutine *co = home_get()->current;

    g_assert(co);
    context_switch(&co->context, &co->caller, false);
}

Coroutine *coroutine_self(void)
{
    return home_get()->current;
}

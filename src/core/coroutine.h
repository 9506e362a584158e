/*
 * Coroutines: code that waits but reads straight down.
 *
 * A coroutine has a stack of its own and runs on the thread that enters it, until it yields or
 * returns. It stays on one thread: only the thread that created a coroutine may enter it. A
 * function marked [co] in a header may yield and must be called inside a coroutine.
 */
#ifndef CORE_COROUTINE_H
#define CORE_COROUTINE_H

#include <stdbool.h>

typedef struct Coroutine Coroutine;
typedef void CoroutineEntry(void *data);

/* Bytes of stack that a coroutine has; a guard page lies below them. */
enum { COROUTINE_STACK = 256 * 1024 };

/* Not started yet. Freed by itself when entry returns; until then it must be entered again. */
Coroutine *coroutine_new(CoroutineEntry *entry, void *data);

/* Runs it until it yields or returns. Coroutines may enter one another, but not in a circle. */
void coroutine_enter(Coroutine *co);

/* [co] Goes back to whoever entered; returns at the next coroutine_enter. */
void coroutine_yield(void);

/* NULL outside of any coroutine. */
Coroutine *coroutine_self(void);

#endif

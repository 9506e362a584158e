/*
 * The terminal on standard input, raw while a guest has it and restored on every way out: at exit,
 * on a signal that ends us, on a crash. Main thread.
 */
#ifndef UI_TERMINAL_H
#define UI_TERMINAL_H

#include <stdbool.h>

/* False when standard input is no terminal: nothing is changed then. A second call does nothing. */
bool terminal_make_raw(void);

/* As it was. Safe to call at any time, from a signal handler too. */
void terminal_restore(void);

#endif

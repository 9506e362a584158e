/*
 * A channel to our own standard input and output: the console of `lathe run`.
 *
 * On a terminal, Ctrl-A is the escape key; what follows it goes to `escape` and not to the guest,
 * but for Ctrl-A itself, which sends one.
 */
#ifndef UI_STDIO_H
#define UI_STDIO_H

#include <stdbool.h>

#include "ui/char.h"

/* key: what was typed after Ctrl-A. */
typedef void (*StdioEscape)(void *data, char key);

/* Called with each piece of output before it is written; for whoever wants to read along. */
typedef void (*StdioSpy)(void *data, const uint8_t *bytes, size_t length);

/* Makes the terminal raw; freeing the channel writes what is left and restores it. */
Channel *channel_new_stdio(StdioEscape escape, StdioSpy spy, void *data);

/* Writes what is left, waiting for the reader: so that our own messages come after the guest's. */
void stdio_flush(Channel *channel);

#endif

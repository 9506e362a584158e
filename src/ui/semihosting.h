/* The console of semihosting calls on a channel that a device has, too: its output, and its input once it is asked for. */
#ifndef UI_SEMIHOSTING_H
#define UI_SEMIHOSTING_H

#include "core/semihosting.h"
#include "ui/char.h"

typedef struct SemihostingChannel SemihostingChannel;

extern const SemihostingConsole semihosting_channel_console; /* its owner is a SemihostingChannel */

/* Lives no longer than the channel. */
SemihostingChannel *semihosting_channel_new(Channel *channel);
void semihosting_channel_free(SemihostingChannel *s);

#endif

/*
 * Manual: the reference parts of the manual pages (roff), made from the schemas.
 */
#ifndef CONFIG_MANUAL_H
#define CONFIG_MANUAL_H

#include "config/config.h"

/* `what` is "machine", "board", "devices", "cpus" or "codes". NULL: no such part. Free it. */
char *config_manual(const char *what, Diag *diag);

#endif

/*
 * Networks: cards of -device, -net nic and -nic, and what is behind them.
 */
#ifndef CONFIG_LEGACY_NETWORKS_H
#define CONFIG_LEGACY_NETWORKS_H

#include "config/legacy/legacy.h"

/* Sorts devices into networks and others. False after reporting. */
bool networks_read(Legacy *legacy);

/* A `hostfwd=` of the backend: "tcp:127.0.0.1:2222-:22". False: not of that form. */
bool networks_forward(const char *text, unsigned *host, unsigned *guest, bool *udp);

#endif

/*
 * The other way: a machine file as the nearest command line of QEMU 7.2.
 *
 * What only QEMU has a word for, a translated file keeps under `x-qemu`: the program and machine,
 * where each drive was, and the arguments that became nothing else. So the way there and back
 * gives the same machine.
 */
#ifndef CONFIG_LEGACY_QEMU_H
#define CONFIG_LEGACY_QEMU_H

#include "config/doc.h"

/* A remark on a key of the file: "lost", "tests", why. */
typedef void (*QemuRemark)(void *data, const char *fidelity, const char *path, const char *text);

/* Quoted for a shell. Free it. */
char *qemu_command(const Node *machine, QemuRemark remark, void *data);

#endif

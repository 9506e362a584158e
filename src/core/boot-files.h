/*
 * The files under `boot`: what they are, by their first bytes, before one is taken for machine
 * code, which any file could be; and opening them.
 */
#ifndef CORE_BOOT_FILES_H
#define CORE_BOOT_FILES_H

#include "core/diag.h"
#include "core/image.h"
#include "core/machine.h"

typedef enum BootRole {
    BOOT_CODE = 1, /* kernel or firmware */
    BOOT_INITRD = 2,
    BOOT_TREE = 4, /* device tree, or an overlay */
} BootRole;

/* False: it is something else; what it is, and what to do, is said to diag. */
bool boot_file_check(const SpecText *file, BootRole role, Diag *diag);

/* Opens one of that kind, code only when it is for that CPU. NULL: said to diag. */
Image *boot_file_open(const SpecText *file, BootRole role, const char *arch, Diag *diag);

/* Reports what is wrong with a file, with a remedy; returns false. */
bool boot_file_error(Mark mark, const GError *error, Diag *diag);

/* Whether all files of a machine are what they must be; without a look at where they would go. */
bool boot_files_check(const MachineSpec *spec, Diag *diag);

#endif

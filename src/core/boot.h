/*
 * Booting: kernel, initrd, firmware and FDT into RAM, and the entry state of each CPU.
 *
 * The images are kept, so that a reset puts them back. Every failure names the key in the YAML
 * that asked for the file, and what to do.
 */
#ifndef CORE_BOOT_H
#define CORE_BOOT_H

#include "core/build.h"
#include "core/image.h"

/* After machine_build(). Reads the files, places them, sets every CPU's entry, resets the CPUs. */
bool machine_load_boot(Machine *machine, Diag *diag);

/* "name+0x12" of an address in an ELF that was loaded, NULL when none has it. Caller frees. */
char *machine_symbol(const Machine *machine, GuestAddr at);

#endif

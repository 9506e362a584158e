/* The models of AArch64 CPUs: schemas/cpus/aarch64.yaml has their features. */
#ifndef TARGETS_AARCH64_MODEL_H
#define TARGETS_AARCH64_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct A64Model {
    const char *name;
    const char *compatible; /* for the device tree */
    uint32_t midr;
    uint8_t pa_range;   /* ID_AA64MMFR0_EL1.PARange */
    uint64_t l1[2], l2; /* CCSIDR_EL1 of the data, instruction, and common cache */
    uint8_t own;        /* whose registers beyond the architecture's it has */
    bool granule16;     /* pages of 16 KiB */
    bool no_meltdown;   /* ID_AA64PFR0_EL1.CSV2 and CSV3 */
};

#endif

/*
 * How Arm's PrimeCell peripherals say what they are: eight registers of a byte at 0xfe0, the part number,
 * designer and revision, then the same four in all (ARM DDI 0183G, 3.3.15 and 3.3.16).
 */
#ifndef HW_PRIMECELL_H
#define HW_PRIMECELL_H

enum { PRIMECELL_ID_BYTES = 8 };

/* An initializer; the part is two decimal digits as in PL011, written 0x11. Designer: Arm. */
#define PRIMECELL_ID(part, revision)                                                               \
    {                                                                                              \
        part, 0x10, (revision) << 4 | 4, 0x00, 0x0d, 0xf0, 0x05, 0xb1                              \
    }

#endif

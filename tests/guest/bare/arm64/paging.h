/* Translation for programs that need a page with attributes of its own. DDI 0487, D8.3. */
#ifndef PAGING_H
#define PAGING_H

#include "bare.h"

#define PAGES_AT (UINT64_C(2) << 30) /* the first of 512 pages, none mapped */

/* Of a page, beside its address. Access at EL1 only, unless said. */
#define PAGE_PLAIN UINT64_C(0x703) /* valid, inner shareable, accessed, Device-nGnRnE */
#define PAGE_NORMAL (UINT64_C(1) << 2)
#define PAGE_DEVICE_GRE (UINT64_C(2) << 2)
#define PAGE_UNCACHED (UINT64_C(3) << 2)
#define PAGE_EL0 (UINT64_C(1) << 6)
#define PAGE_READ_ONLY (UINT64_C(1) << 7)
#define PAGE_GUARDED (UINT64_C(1) << 50)

/* Turns the MMU on: devices and this program where they are, both halves of 39 bits. */
void paging_begin(void);
void page_map(unsigned page, uint64_t entry);

#endif

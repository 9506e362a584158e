/*
 * Inside the TLB: address spaces, and the second level behind the arrays that generated code reads.
 *
 * Every (space, rights) pair that a CPU is in gets a TlbSpace with a serial number, which tags its entries in
 * the second level, and, while it is used for data, one of 64 ids, which tags its entries in the first. To
 * forget a space is to give it another serial and no id. Global pages are entered under a space of their own,
 * the twin of all spaces with the same rights, and survive that.
 *
 * The second level holds large pages as one entry, the first level holds 4 KiB slices of them; so an entry of a
 * large page that goes takes the whole first level along.
 */
#ifndef TCG_TLB_IMPL_H
#define TCG_TLB_IMPL_H

#include <pthread.h>

#include "tcg/env.h"
#include "tcg/tlb.h"

typedef struct TcgCpu TcgCpu;

enum {
    TLB_SPACES = 256,
    TLB_SPACE_HASH = 512,
    TLB_KNOWN = 16, /* sets of two */
    TLB_IDS = 1 << CONTEXT_BITS,
    TLB_WAYS = 4,
    TLB_SETS_MIN_BITS = 8,
    TLB_SETS_MAX_BITS = 13,
};

typedef struct TlbSpace {
    uint64_t space, rights;
    bool fetch, global;
    uint8_t id;      /* valid in this generation of ids */
    uint16_t twin;   /* index of the space with the global pages of these rights */
    uint64_t serial; /* a multiple of L2_FLAGS, never given twice */
    uint64_t generation;
    uint64_t entered[4]; /* a filter: pages of 4 KiB that the second level may have */
    uint64_t large;      /* bit n: it may have larger ones, of 2^n bytes */
} TlbSpace;

enum {
    L2_READ = 1,
    L2_WRITE = 2,
    L2_EXECUTE = 4,
    L2_GLOBAL = 8,
    L2_STRICT = 16,
    L2_MARKED = 32,
    L2_FLAGS = 64
};

typedef struct L2Entry {
    uint64_t page; /* virtual, aligned to its size; low bits: log2 of the size */
    uint64_t physical;
    uint8_t *host;  /* where page is, when all of it is in one range of RAM; else NULL */
    uint64_t owner; /* serial of its space | what is allowed; 0: empty */
} L2Entry;

/* RAM and ROM of the memory map, as this CPU knows it. */
typedef struct RamView {
    uint64_t start, size;
    uint8_t *host;
    uint8_t *flags; /* of each page: PAGE_CODE ... */
    bool readonly;
} RamView;

/* Where a change of context led: a system call comes from one and goes back to it. */
typedef struct KnownContext {
    IsaContext context;
    uint32_t mode;
    uint64_t spaces_forgotten; /* Tlb.spaces_forgotten then: with another number it is void */
    TlbSpace *data, *fetch;
    struct FetchView *view;
} KnownContext;

typedef struct Tlb {
    KnownContext known[TLB_KNOWN][2]; /* the newer one first */
    uint64_t spaces_forgotten;        /* how often; from 1 */
    TlbSpace spaces[TLB_SPACES];
    unsigned space_count;
    uint16_t space_hash[TLB_SPACE_HASH]; /* index + 1 */
    TlbSpace *data, *fetch;              /* the current ones */
    TlbSpace *other; /* of loadas and storeas, where CpuEnv.other_context is known */
    TlbSpace *own;   /* where CpuEnv.other is set: what `data` is else */
    uint64_t last_serial;
    uint64_t generation; /* of ids; grows when they are used up */
    unsigned next_id;

    L2Entry *entries;
    unsigned set_bits;
    unsigned victim;            /* which way is replaced next */
    uint64_t sizes;             /* bit n: there may be pages of 2^n bytes */
    unsigned lookups, replaced; /* entries, since the size was last thought about */
    uint64_t walks, refills;    /* statistics */

    RamView *ram;
    unsigned ram_count;
} Tlb;

/* Where an access goes. */
typedef struct PageRef {
    unsigned bytes;    /* said by who asks: how many are accessed; 0: not known */
    uint64_t physical; /* of the address */
    uint8_t *host;     /* of the start of its page; NULL: not RAM */
    uint8_t *flag;     /* the page's flags; NULL with host */
    bool readonly;     /* stores do not go to host */
    bool narrow;       /* the rights hold for less than a page: do not remember it */
    bool global;       /* the same in all spaces with these rights */
    bool strict;       /* not for the first level, which does not look at alignment */
    bool marked;       /* see Translation */
} PageRef;

/* Guest-virtual memory that one entry maps, all of it RAM. */
typedef struct MappedPiece {
    uint64_t start, size;
    uint8_t *host; /* of the start */
    bool global, marked;
} MappedPiece;

/* What a CPU wants the others to forget: shootdown.c. */
enum { FLUSH_LOG = 128 };

typedef enum FlushKind { FLUSH_ALL, FLUSH_SPACE, FLUSH_WORLD, FLUSH_PAGE } FlushKind;

typedef struct FlushOrder {
    FlushKind kind;
    unsigned from; /* the slot of the CPU that gave it, which has done it */
    uint64_t address;
    TlbSpaceTest test;
    uint64_t wanted;
} FlushOrder;

/* The last orders of all CPUs: number n is at n % FLUSH_LOG. */
typedef struct FlushLog {
    pthread_mutex_t lock;
    FlushOrder orders[FLUSH_LOG];
    _Atomic uint64_t count; /* that were ever given */
} FlushLog;

/* Whether there are orders that the CPU has not served. Any thread. */
bool flush_orders_wait(const TcgCpu *cpu);

/* Does what was asked of the CPU. Its thread. */
void flush_orders_serve(TcgCpu *cpu);

/*
 * Does what the order says, here. True: the CPU is in a context that was forgotten, and cpu_context_changed() is to be
 * called before anything else than further orders, which are in vain behind a FLUSH_ALL.
 */
bool tlb_forget(TcgCpu *cpu, const FlushOrder *order);

void tlb_init(Tlb *tlb);
void tlb_clear(Tlb *tlb);

/* Translates, by the second level or a walk. False: *fault says why. */
bool tlb_page(TcgCpu *cpu, uint64_t address, Access access, PageRef *ref, CpuFault *fault);

/* The piece with this page of code. False: none can be fetched there, or rights hold for less than the page. */
bool tlb_fetch_piece(TcgCpu *cpu, uint64_t page, MappedPiece *piece);

/* Enters a page of RAM into the read or write array of the current data context. */
void tlb_enter(TcgCpu *cpu, uint64_t address, const PageRef *ref, bool write);

/* Drops write entries that lead to this page of the host; NULL: to any page that has the flag PAGE_CODE. */
void tlb_drop_writes(TcgCpu *cpu, const uint8_t *host_page);

/* Reads the memory map again. CPU thread, or paused. */
void tlb_read_map(TcgCpu *cpu);

#endif

/* Translation tables, of either stage: walks through them, and what a walk writes back. Arm ARM D8.2, D8.3. */
#ifndef TARGETS_AARCH64_TABLES_H
#define TARGETS_AARCH64_TABLES_H

#include "targets/aarch64/model.h"
#include "targets/aarch64/state.h"

/* Bits of a descriptor that both stages have (D8.3). */
#define DESC_VALID A64_BIT(0)
#define DESC_TABLE A64_BIT(1) /* at level 3: a page */
#define DESC_NS A64_BIT(5)    /* where the secure state translates: to non-secure addresses */
#define DESC_AF A64_BIT(10)
#define DESC_DBM A64_BIT(51)
#define DESC_ADDRESS UINT64_C(0x0000fffffffff000)

enum { LAST_LEVEL = 3 };

/* Beside a fault status code, of which one is 0: that it is one, that stage 2 has it, in a walk of stage 1. */
enum { FAULT = 1 << 8, FAULT_STAGE_2 = 1 << 9, FAULT_IN_WALK = 1 << 10 };

typedef struct Tables {
    uint64_t base, view; /* view: a64_view(), of the tables and of what they map */
    uint8_t size;        /* 64 less the bits of an address: TxSZ */
    uint8_t granule;     /* log2 of its bytes */
    uint8_t out_bits;
    uint8_t first; /* level */
    bool stage_2;  /* their own addresses go through stage 2 */
    bool is_stage_2;
    bool no_hierarchy;
    bool sets_af, sets_dirty;
} Tables;

typedef struct Leaf {
    uint64_t desc, at; /* the descriptor, and the address that the tables have of it */
    uint64_t limits;   /* attributes of the tables above: TABLE_* */
    unsigned level, shift;
    bool nonsecure; /* the secure state's, and a table above says so */
} Leaf;

/* What makes the secure state's physical address of one: the bit of another view, or nothing (CPU_SECURE_BASE). */
uint64_t a64_view(const A64Cpu *cpu, bool secure);
uint8_t a64_granule0(uint64_t tg);
/* One that the CPU has not counts as another (TCR_EL1.TG0); stage 2 has those of stage 1 (TGran16_2 and its like). */
uint8_t a64_granule_there(const A64Cpu *cpu, uint8_t bits);
uint8_t a64_out_bits(const A64Cpu *cpu, unsigned range);

/* Where a walk of stage 1 begins: the lowest level whose table covers the address (D8.2.4). */
unsigned a64_first_level(const Tables *tables);

/* The descriptor that maps the address; else the fault status code with FAULT, 0: found. */
unsigned a64_find_leaf(A64Cpu *cpu, const Tables *tables, uint64_t address, Leaf *leaf);

/* A page that hardware makes writable, by this access (D8.4.6). */
bool a64_makes_dirty(const Tables *tables, Access access, uint64_t desc);
bool a64_allows(const Translation *t, Access access);

/* Replaces the descriptor by one that has been used. False: it has changed meanwhile, or *code is a fault. */
bool a64_mark_used(
    A64Cpu *cpu, const Tables *tables, const Leaf *leaf, uint64_t wanted, unsigned *code);

/* ---- stage2.c ---- */

/* Turns a translation by stage 1 into one by both; else a fault. */
unsigned a64_stage2(A64Cpu *cpu, unsigned el, Access access, Translation *t);
/* The address of a table of stage 1; else a fault. */
unsigned a64_stage2_table(A64Cpu *cpu, uint64_t ipa, Access access, uint64_t *physical);

#endif

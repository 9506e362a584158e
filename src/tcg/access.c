/*
 * The full paths of guest memory: every access that the first level does not serve, in the current data
 * context. They may walk page tables and call devices, and raise by cpu_raise().
 */
#include <string.h>

#include "core/loop.h"
#include "tcg/access.h"
#include "tcg/tcg-impl.h"
#include "tcg/tlb-inline.h"

/* One access within a page, translated. */
typedef struct Place {
    PageRef ref;
    uint64_t address;
    unsigned size;
} Place;

static unsigned access_size(uint32_t op)
{
    return 1u << (op & MEM_SIZE);
}

static void raise_fault(CpuEnv *env, CpuFault fault)
{
    cpu_raise(env, fault.cause, fault.value);
}

static void raise_bus(CpuEnv *env, uint64_t address, Access access)
{
    cpu_raise(env, env->cpu->isa->bus_fault(env, access), address);
}

static void raise_misaligned(CpuEnv *env, uint64_t address, Access access)
{
    cpu_raise(env, env->cpu->isa->align_fault(env, access), address);
}

/* Where generated code would find the address, or NULL. */
static uint8_t *first_level(CpuEnv *env, uint64_t address, bool write)
{
    uint64_t page = address & -(uint64_t)GUEST_PAGE_SIZE;
    unsigned index = (unsigned)(page >> GUEST_PAGE_BITS) & (TLB_SIZE - 1);
    const CpuFar *far = env_far(env);
    const TlbEntry *entry = write ? &far->write[index] : &far->read[index];

    return entry->tag == (page | env->data_context) ? (uint8_t *)(entry->addend + address) : NULL;
}

void *cpu_host_memory(CpuEnv *env, uint64_t address, bool write)
{
    uint8_t *host = first_level(env, address, write);

    if (!host && mem_refill(env, address, write)) {
        host = first_level(env, address, write);
    }
    return host;
}

/* Translates and remembers; false when it raised. */
static bool find_place(CpuEnv *env, uint64_t address, unsigned size, Access access, Place *place)
{
    TcgCpu *cpu = env_cpu(env);
    CpuFault fault;

    place->address = address;
    place->size = size;
    place->ref.bytes = size;
    if (!tlb_page(cpu, address, access, &place->ref, &fault)) {
        raise_fault(env, fault);
        return false;
    }
    if (place->ref.strict && address & (size - 1)) {
        raise_misaligned(env, address, access);
        return false;
    }
    tlb_enter(cpu, address, &place->ref, access == ACCESS_WRITE);
    return true;
}

static bool is_misaligned(CpuEnv *env, uint64_t address, uint32_t op, Access access)
{
    if (!(op & MEM_ALIGNED) || !(address & (access_size(op) - 1))) {
        return false;
    }
    raise_misaligned(env, address, access);
    return true;
}

/* Bytes of the access that lie on the first page. */
static unsigned first_part(uint64_t address, unsigned size)
{
    unsigned room = GUEST_PAGE_SIZE - (unsigned)(address & (GUEST_PAGE_SIZE - 1));

    return MIN(size, room);
}

static uint64_t wrap_address(const CpuEnv *env, uint64_t address)
{
    return env->cpu->isa->address_bits == 32 ? (uint32_t)address : address;
}

/* ---- host memory ----------------------------------------------------------------------------- */

static uint8_t *host_at(const Place *place)
{
    return place->ref.host + (place->address & (GUEST_PAGE_SIZE - 1));
}

/* Single-copy atomic when aligned, as guests want. */
static uint64_t host_load(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    if ((uintptr_t)at & (size - 1)) {
        memcpy(&value, at, size);
        return value;
    }
    switch (size) {
    case 1: return __atomic_load_n(at, __ATOMIC_SEQ_CST);
    case 2: return __atomic_load_n((const uint16_t *)at, __ATOMIC_SEQ_CST);
    case 4: return __atomic_load_n((const uint32_t *)at, __ATOMIC_SEQ_CST);
    case 8: return __atomic_load_n((const uint64_t *)at, __ATOMIC_SEQ_CST);
    }
    memcpy(&value, at, size); /* part of an access that crosses a page */
    return value;
}

static void host_store(uint8_t *at, uint64_t value, unsigned size)
{
    if ((uintptr_t)at & (size - 1)) {
        memcpy(at, &value, size);
        return;
    }
    switch (size) {
    case 1: __atomic_store_n(at, (uint8_t)value, __ATOMIC_SEQ_CST); return;
    case 2: __atomic_store_n((uint16_t *)at, (uint16_t)value, __ATOMIC_SEQ_CST); return;
    case 4: __atomic_store_n((uint32_t *)at, (uint32_t)value, __ATOMIC_SEQ_CST); return;
    case 8: __atomic_store_n((uint64_t *)at, value, __ATOMIC_SEQ_CST); return;
    }
    memcpy(at, &value, size);
}

/* After a write to a page that has the code flag: the block that runs may be among those that go. */
static void wrote_code(CpuEnv *env, uint8_t *at, unsigned size)
{
    TcgCpu *cpu = env_cpu(env);

    if (code_written(cpu->tcg, at, size) && cpu->isa->coherent_code) {
        env->raised = RAISED_CODE_CHANGED;
    }
}

static void store_to_ram(CpuEnv *env, const Place *place, uint64_t value)
{
    uint8_t *at = host_at(place);

    host_store(at, value, place->size);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* before the flag: see blocks.h */
    if (__atomic_load_n(place->ref.flag, __ATOMIC_RELAXED) & PAGE_CODE) {
        wrote_code(env, at, place->size);
    }
}

/* ---- devices --------------------------------------------------------------------------------- */

/* The size is a power of two here but for parts of accesses that cross a page. */
static bool device_access(CpuEnv *env, const Place *place, uint64_t *value, bool write)
{
    TcgCpu *cpu = env_cpu(env);
    MemResult result = MEM_DECODE_ERROR;
    const FlatMap *map = address_space_enter(cpu->address_space);
    const FlatRange *range = flat_map_find(map, place->ref.physical);

    if (range && place->size <= range->size - (place->ref.physical - range->start)) {
        uint64_t offset = range->offset + (place->ref.physical - range->start);
        if (write) {
            result = region_write(range->region, offset, place->size, *value);
        } else {
            result = region_read(range->region, offset, place->size, value);
        }
    }
    address_space_leave(cpu->address_space);
    return result == MEM_OK;
}

static bool load_place(CpuEnv *env, const Place *place, uint64_t *value)
{
    if (place->ref.host) {
        *value = host_load(host_at(place), place->size);
        return true;
    }
    *value = 0;
    if (!device_access(env, place, value, false)) {
        raise_bus(env, place->address, ACCESS_READ);
        return false;
    }
    return true;
}

static bool store_place(CpuEnv *env, const Place *place, uint64_t value)
{
    if (place->ref.host && !place->ref.readonly) {
        store_to_ram(env, place, value);
        return true;
    }
    if (!device_access(env, place, &value, true)) {
        raise_bus(env, place->address, ACCESS_WRITE);
        return false;
    }
    return true;
}

/* ---- accesses -------------------------------------------------------------------------------- */

/* Device registers answer to powers of two, so what crosses a page goes there byte by byte. */
static bool load_part(CpuEnv *env, Place *place, uint64_t *value)
{
    Place byte = *place;

    if (place->ref.host) {
        return load_place(env, place, value);
    }
    *value = 0;
    byte.size = 1;
    for (unsigned i = 0; i < place->size; i++, byte.address++, byte.ref.physical++) {
        uint64_t part;
        if (!load_place(env, &byte, &part)) {
            return false;
        }
        *value |= part << (8 * i);
    }
    return true;
}

static bool store_part(CpuEnv *env, Place *place, uint64_t value)
{
    Place byte = *place;

    if (place->ref.host && !place->ref.readonly) {
        return store_place(env, place, value);
    }
    byte.size = 1;
    for (unsigned i = 0; i < place->size; i++, byte.address++, byte.ref.physical++) {
        if (!store_place(env, &byte, value >> (8 * i) & 0xff)) {
            return false;
        }
    }
    return true;
}

/* An access that crosses a page. */
typedef struct Across {
    Place low, high;
} Across;

static bool find_across(CpuEnv *env, uint64_t address, unsigned size, Access access, Across *across)
{
    unsigned first = first_part(address, size);
    Place *low = &across->low, *high = &across->high;

    if (!find_place(env, address, 1, access, low) ||
        !find_place(env, wrap_address(env, address + first), 1, access, high)) {
        return false;
    }
    low->size = first;
    high->size = size - first;
    if (low->ref.strict || high->ref.strict) {
        raise_misaligned(env, address, access);
        return false;
    }
    return true;
}

static bool load_across(CpuEnv *env, uint64_t address, unsigned size, uint64_t *value)
{
    Across a;
    uint64_t low_value, high_value;

    if (!find_across(env, address, size, ACCESS_READ, &a) || !load_part(env, &a.low, &low_value) ||
        !load_part(env, &a.high, &high_value)) {
        return false;
    }
    *value = low_value | high_value << (8 * a.low.size);
    return true;
}

/* Both pages are known to be writable before anything is stored. */
static bool store_across(CpuEnv *env, uint64_t address, unsigned size, uint64_t value)
{
    Across a;

    return find_across(env, address, size, ACCESS_WRITE, &a) && store_part(env, &a.low, value) &&
        store_part(env, &a.high, value >> (8 * a.low.size));
}

/* Elements that are not aligned as one: by bytes, which suits any memory. */
static bool is_of_parts(uint64_t address, unsigned memop)
{
    return memop & MEM_PARTS && access_size(memop) == 8 && address & 7;
}

static bool load_parts(CpuEnv *env, uint64_t address, uint64_t *value)
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t byte;

        if (!cpu_load(env, wrap_address(env, address + i), MEM_8, &byte)) {
            return false;
        }
        *value |= byte << 8 * i;
    }
    return true;
}

static bool store_parts(CpuEnv *env, uint64_t address, uint64_t value)
{
    bool fine = true;
    Place last;

    if (!find_place(env, address, 1, ACCESS_WRITE, &last) ||
        !find_place(env, wrap_address(env, address + 7), 1, ACCESS_WRITE, &last)) {
        return false;
    }
    for (unsigned i = 0; i < 8 && fine; i++) {
        fine = cpu_store(env, wrap_address(env, address + i), MEM_8, value >> 8 * i & 0xff);
    }
    return fine;
}

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

static uint64_t extend(uint64_t value, uint32_t op)
{
    unsigned shift = 64 - 8 * access_size(op);

    return op & MEM_SIGNED ? (uint64_t)((int64_t)(value << shift) >> shift) : value;
}

static bool load_within_page(CpuEnv *env, uint64_t address, unsigned size, uint64_t *value)
{
    const uint8_t *host = first_level(env, address, false);
    Place place;

    if (host) {
        *value = host_load(host, size);
        return true;
    }
    return find_place(env, address, size, ACCESS_READ, &place) && load_place(env, &place, value);
}

static bool store_within_page(CpuEnv *env, uint64_t address, unsigned size, uint64_t value)
{
    uint8_t *host = first_level(env, address, true);
    Place place;

    if (host) {
        host_store(host, value, size);
        return true;
    }
    return find_place(env, address, size, ACCESS_WRITE, &place) && store_place(env, &place, value);
}

bool cpu_load(CpuEnv *env, uint64_t address, unsigned memop, uint64_t *value)
{
    unsigned size = access_size(memop), first = first_part(address, size);

    *value = 0;
    if (is_misaligned(env, address, memop, ACCESS_READ)) {
        return false;
    }
    bool fine = is_of_parts(address, memop) ? load_parts(env, address, value)
        : first < size                      ? load_across(env, address, size, value)
                                            : load_within_page(env, address, size, value);
    if (memop & MEM_BIG) {
        *value = swap_bytes(*value, size);
    }
    *value = extend(*value, memop);
    return fine;
}

bool cpu_store(CpuEnv *env, uint64_t address, unsigned memop, uint64_t value)
{
    unsigned size = access_size(memop), first = first_part(address, size);

    if (is_misaligned(env, address, memop, ACCESS_WRITE)) {
        return false;
    }
    if (memop & MEM_BIG) {
        value = swap_bytes(value, size);
    }
    return is_of_parts(address, memop) ? store_parts(env, address, value)
        : first < size                 ? store_across(env, address, size, value)
                                       : store_within_page(env, address, size, value);
}

/* Halves of 64 bits may be aligned where the whole is not. */
static bool is_misaligned128(CpuEnv *env, uint64_t address, uint32_t op, Access access)
{
    uint64_t last = wrap_address(env, address + 15);
    Place place;

    if (is_misaligned(env, address, op, access)) {
        return true;
    }
    if (op & MEM_PARTS || !(address % 16)) {
        return false;
    }
    if (find_place(env, address, 1, access, &place) &&
        (place.ref.strict || (find_place(env, last, 1, access, &place) && place.ref.strict))) {
        raise_misaligned(env, address, access);
    }
    return env->raised;
}

void cpu_load128(CpuEnv *env, uint64_t address, uint32_t op, void *value)
{
    uint32_t half = (op & ~(uint32_t)(MEM_SIZE | MEM_ALIGNED)) | MEM_64;
    uint64_t parts[2] = { 0 };
    unsigned low = op & MEM_BIG ? 1 : 0;

    if (!is_misaligned128(env, address, op, ACCESS_READ) &&
        cpu_load(env, address, half, &parts[low])) {
        cpu_load(env, wrap_address(env, address + 8), half, &parts[!low]);
    }
    memcpy(value, parts, sizeof(parts));
}

void cpu_store128(CpuEnv *env, uint64_t address, uint32_t op, const void *value)
{
    uint32_t half = (op & ~(uint32_t)(MEM_SIZE | MEM_ALIGNED)) | MEM_64;
    uint64_t parts[2], last = wrap_address(env, address + 15);
    unsigned low = op & MEM_BIG ? 1 : 0;
    Place place;

    memcpy(parts, value, sizeof(parts));
    /* The last byte first, so that nothing is stored when the second page faults. */
    if (!is_misaligned128(env, address, op, ACCESS_WRITE) &&
        find_place(env, last, 1, ACCESS_WRITE, &place) &&
        cpu_store(env, address, half, parts[low])) {
        cpu_store(env, wrap_address(env, address + 8), half, parts[!low]);
    }
}

/* ---- read-modify-write ----------------------------------------------------------------------- */

static int64_t as_signed(uint64_t value, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (int64_t)(value << shift) >> shift;
}

static uint64_t rmw_result(RmwKind kind, uint64_t old, uint64_t operand, unsigned size)
{
    int64_t a = as_signed(old, size), b = as_signed(operand, size);

    switch (kind) {
    case RMW_ADD: return old + operand;
    case RMW_AND: return old & operand;
    case RMW_OR: return old | operand;
    case RMW_XOR: return old ^ operand;
    case RMW_SWAP: return operand;
    case RMW_SMIN: return a < b ? old : operand;
    case RMW_SMAX: return a > b ? old : operand;
    case RMW_UMIN: return old < operand ? old : operand;
    case RMW_UMAX: return old > operand ? old : operand;
    case RMW_ANDN: return old & ~operand;
    case RMW_KIND_COUNT: break;
    }
    g_assert_not_reached();
}

static uint64_t low_bytes(uint64_t value, unsigned size)
{
    return size == 8 ? value : value & ((UINT64_C(1) << (8 * size)) - 1);
}

static bool host_cas(uint8_t *at, uint64_t *expected, uint64_t desired, unsigned size)
{
    bool done = false;

#define CAS(type)                                                                                  \
    {                                                                                              \
        type old = (type)*expected;                                                                \
        done = __atomic_compare_exchange_n(                                                        \
            (type *)at, &old, (type)desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);           \
        *expected = old;                                                                           \
    }
    switch (size) {
    case 1: CAS(uint8_t) break;
    case 2: CAS(uint16_t) break;
    case 4: CAS(uint32_t) break;
    case 8: CAS(uint64_t) break;
    }
#undef CAS
    return done;
}

static uint64_t from_memory(const Change *change, uint64_t value, unsigned size)
{
    return change->swapped ? swap_bytes(value, size) : value;
}

static bool changed_value(const Change *change, uint64_t old, unsigned size, uint64_t *value)
{
    uint64_t seen = from_memory(change, old, size), result = change->operand;

    if (change->compare && seen != low_bytes(change->expected, size)) {
        return false;
    }
    if (!change->compare) {
        result = rmw_result(change->kind, seen, low_bytes(change->operand, size), size);
    }
    *value = from_memory(change, low_bytes(result, size), size);
    return true;
}

static uint64_t change_ram(CpuEnv *env, const Place *place, const Change *change)
{
    uint8_t *at = host_at(place);
    uint64_t old = host_load(at, place->size), value;

    while (changed_value(change, old, place->size, &value) &&
        !host_cas(at, &old, value, place->size)) {}
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(place->ref.flag, __ATOMIC_RELAXED) & PAGE_CODE) {
        code_written(env->cpu->tcg, at, place->size);
    }
    return from_memory(change, old, place->size);
}

/* On a device, or where the host cannot do it atomically: with the machine lock. */
static uint64_t change_locked(CpuEnv *env, uint64_t address, uint32_t op, const Change *change)
{
    uint32_t plain = op & ~(uint32_t)(MEM_SIGNED | MEM_BIG);
    unsigned size = access_size(op);
    uint64_t old, value;
    bool taken = machine_lock_ensure();

    if (cpu_load(env, address, plain, &old) && changed_value(change, old, size, &value)) {
        cpu_store(env, address, plain, value);
    }
    machine_lock_restore(taken);
    return from_memory(change, old, size);
}

uint64_t cpu_change(CpuEnv *env, uint64_t address, uint32_t op, const Change *change)
{
    Access first = env->cpu->isa->change_reads ? ACCESS_READ : ACCESS_WRITE;
    unsigned size = access_size(op);
    uint64_t old = 0;
    Place place;

    if (is_misaligned(env, address, op, first) ||
        (first == ACCESS_READ && !find_place(env, address, 1, first, &place))) {
        return 0;
    }
    if (first_part(address, size) < size) {
        old = change_locked(env, address, op, change);
    } else if (!find_place(env, address, size, ACCESS_WRITE, &place)) {
        return 0;
    } else if (place.ref.host && !place.ref.readonly && !(address & (size - 1))) {
        old = change_ram(env, &place, change);
    } else {
        old = change_locked(env, address, op, change);
    }
    return extend(old, op);
}

/* ---- physical memory, for page walkers ------------------------------------------------------- */

static uint8_t *physical_host(const TcgCpu *cpu, uint64_t physical, bool write, uint8_t **flag)
{
    const RamView *ram = tlb_ram_at(&cpu->tlb, physical);

    if (!ram || (write && ram->readonly)) {
        return NULL;
    }
    *flag = &ram->flags[(physical - ram->start) >> PAGE_BITS];
    return ram->host + (physical - ram->start);
}

bool phys_load(CpuEnv *env, uint64_t physical, unsigned size, uint64_t *value)
{
    uint8_t *flag;
    const uint8_t *at = physical_host(env_cpu(env), physical, false, &flag);

    *value = at ? host_load(at, size) : 0;
    return at;
}

bool phys_cas(
    CpuEnv *env, uint64_t physical, unsigned size, uint64_t *expected, uint64_t desired, bool *done)
{
    uint8_t *flag;
    uint8_t *at = physical_host(env_cpu(env), physical, true, &flag);

    if (!at) {
        return false;
    }
    *done = host_cas(at, expected, desired, size);
    if (__atomic_load_n(flag, __ATOMIC_RELAXED) & PAGE_CODE) {
        code_written(env->cpu->tcg, at, size);
    }
    return true;
}

/* Memory for generated code: see code.h. */
#include "tcg/code.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CHUNK_SIZE = 128 << 10,
    CHUNKS_AT_LEAST = 16, /* small caches (tests) get smaller chunks */
    ALIGN = 8,
};

static bool host_error(GError **error, const char *what)
{
    g_set_error(
        error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", what, g_strerror(errno));
    return false;
}

static void *map(size_t size, int protection, int fd)
{
    int kind = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *memory = mmap(NULL, size, protection, kind | MAP_NORESERVE, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static bool map_views(CodeCache *cache, GError **error)
{
    int fd = memfd_create("lathe-code", MFD_CLOEXEC);

    if (fd < 0) {
        return host_error(error, "memory for code");
    }
    bool fine = ftruncate(fd, (off_t)cache->size) == 0;
    if (fine) {
        cache->write = map(cache->size, PROT_READ | PROT_WRITE, fd);
        cache->execute = map(cache->size, PROT_READ | PROT_EXEC, fd);
        cache->tables = map(cache->size, PROT_READ | PROT_WRITE, -1);
    }
    fine = (cache->write && cache->execute && cache->tables) ||
        host_error(error, "mapping memory for code");
    close(fd);
    return fine;
}

/* ---- the thread that populates chunks -------------------------------------------------------- */

/* All at once, which is cheaper than a fault for each page; older kernels refuse, and fault. */
static void populate(Chunk *chunk)
{
    madvise(chunk->write, chunk->size, MADV_POPULATE_WRITE);
    madvise((void *)chunk->execute, chunk->size, MADV_POPULATE_READ);
    /* Of the tables, which mostly take more than that. */
    madvise(chunk->table, chunk->size / 2, MADV_POPULATE_WRITE);
    atomic_store(&chunk->populated, true);
}

static void *supply(void *opaque)
{
    CodeCache *cache = opaque;

    pthread_mutex_lock(&cache->supply_lock);
    while (!cache->supply_ends) {
        Chunk *chunk = g_steal_pointer(&cache->supply_chunk);
        if (chunk) {
            pthread_mutex_unlock(&cache->supply_lock);
            populate(chunk);
            pthread_mutex_lock(&cache->supply_lock);
        } else {
            pthread_cond_wait(&cache->supply_asked, &cache->supply_lock);
        }
    }
    pthread_mutex_unlock(&cache->supply_lock);
    return NULL;
}

/* Without the thread whoever takes the chunk populates it. */
static void supplier_start(CodeCache *cache)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    cache->has_supplier = pthread_create(&cache->supplier, NULL, supply, cache) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void supplier_ask(CodeCache *cache, Chunk *chunk)
{
    if (!cache->has_supplier) {
        supplier_start(cache);
    }
    pthread_mutex_lock(&cache->supply_lock);
    cache->supply_chunk = chunk;
    pthread_cond_signal(&cache->supply_asked);
    pthread_mutex_unlock(&cache->supply_lock);
}

static void supplier_end(CodeCache *cache)
{
    if (cache->has_supplier) {
        pthread_mutex_lock(&cache->supply_lock);
        cache->supply_ends = true;
        pthread_cond_signal(&cache->supply_asked);
        pthread_mutex_unlock(&cache->supply_lock);
        pthread_join(cache->supplier, NULL);
        cache->has_supplier = false;
    }
}

/* ---- the cache -------------------------------------------------------------------------------- */

bool code_init(CodeCache *cache, size_t size, GError **error)
{
    memset(cache, 0, sizeof(*cache));
    pthread_mutex_init(&cache->supply_lock, NULL);
    pthread_cond_init(&cache->supply_asked, NULL);
    cache->size = size;
    cache->page_size = (size_t)sysconf(_SC_PAGESIZE);
    cache->chunk_size = MIN(CHUNK_SIZE, size / CHUNKS_AT_LEAST);
    if (!map_views(cache, error)) {
        return false;
    }
    cache->chunk_count = (unsigned)(size / cache->chunk_size);
    cache->chunks = g_new0(Chunk, cache->chunk_count);
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        Chunk *chunk = &cache->chunks[i];
        chunk->write = cache->write + i * cache->chunk_size;
        chunk->execute = cache->execute + i * cache->chunk_size;
        chunk->table = cache->tables + i * cache->chunk_size;
        chunk->size = cache->chunk_size;
    }
    return true;
}

static void drop_contents(Chunk *chunk)
{
    g_slist_free_full(g_steal_pointer(&chunk->more), g_free);
    g_clear_pointer(&chunk->blocks, g_ptr_array_unref);
    memset(chunk->table, 0, chunk->table_used);
    chunk->table_used = 0;
    chunk->more_size = 0;
    chunk->used = 0;
    chunk->live = 0;
}

static void unmap(void *memory, size_t size)
{
    if (memory) {
        munmap(memory, size);
    }
}

void code_clear(CodeCache *cache)
{
    if (!cache->size) {
        return;
    }
    supplier_end(cache);
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        drop_contents(&cache->chunks[i]);
    }
    g_free(cache->chunks);
    unmap(cache->write, cache->size);
    unmap((void *)cache->execute, cache->size);
    unmap(cache->tables, cache->size);
    pthread_cond_destroy(&cache->supply_asked);
    pthread_mutex_destroy(&cache->supply_lock);
    memset(cache, 0, sizeof(*cache));
}

static void *alloc_more(Chunk *chunk, size_t size)
{
    void *memory = g_malloc0(size);

    chunk->more = g_slist_prepend(chunk->more, memory);
    chunk->more_size += size;
    return memory;
}

void *chunk_alloc(Chunk *chunk, size_t size)
{
    size_t at = chunk->table_used;

    size = (MAX(size, 1) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (at + size > chunk->size) {
        return alloc_more(chunk, size);
    }
    chunk->table_used = at + size;
    return chunk->table + at;
}

static bool is_available(const Chunk *chunk, uint64_t epoch)
{
    return chunk->state == CHUNK_FREE ||
        (chunk->state == CHUNK_RETIRED && chunk->retired_at <= epoch);
}

static Chunk *choose(CodeCache *cache, uint64_t epoch)
{
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        Chunk *chunk = &cache->chunks[i];
        if (is_available(chunk, epoch)) {
            drop_contents(chunk);
            chunk->state = CHUNK_CHOSEN;
            atomic_store(&chunk->populated, false);
            return chunk;
        }
    }
    return NULL;
}

Chunk *code_take(CodeCache *cache, uint64_t epoch)
{
    Chunk *chunk = cache->next ? cache->next : choose(cache, epoch);

    if (!chunk) {
        return NULL;
    }
    if (!atomic_load(&chunk->populated)) {
        populate(chunk); /* the supplier may be at it: that does no harm */
    }
    chunk->state = CHUNK_FILLING;
    chunk->order = cache->next_order++;
    chunk->blocks = g_ptr_array_new();
    cache->next = choose(cache, epoch);
    if (cache->next) {
        supplier_ask(cache, cache->next);
    }
    return chunk;
}

Chunk *code_oldest(CodeCache *cache)
{
    Chunk *oldest = NULL;

    for (unsigned i = 0; i < cache->chunk_count; i++) {
        Chunk *chunk = &cache->chunks[i];
        if (chunk->state == CHUNK_FULL && (!oldest || chunk->order < oldest->order)) {
            oldest = chunk;
        }
    }
    return oldest;
}

/* The file keeps the bytes; links that are patched later fault single pages in again. */
static void drop_write_view(Chunk *chunk)
{
    madvise(chunk->write, chunk->size, MADV_DONTNEED);
    chunk->patched = 0;
}

static void drop_write_views(CodeCache *cache)
{
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        if (cache->chunks[i].patched) {
            drop_write_view(&cache->chunks[i]);
        }
    }
    cache->patched_pages = 0;
}

void code_close(CodeCache *cache, Chunk *chunk)
{
    chunk->state = CHUNK_FULL;
    drop_write_view(chunk);
}

void code_patched(CodeCache *cache, Chunk *chunk, const uint8_t *at)
{
    uint64_t page = UINT64_C(1) << (size_t)(at - chunk->execute) / cache->page_size;

    if (chunk->state == CHUNK_FILLING || chunk->patched & page) {
        return;
    }
    /* Before this one is there again, so that the next patches may be near it. */
    if (++cache->patched_pages > CODE_PATCHED_PAGES) {
        drop_write_views(cache);
        cache->patched_pages = 1;
    }
    chunk->patched |= page;
}

void code_retire(Chunk *chunk, uint64_t epoch)
{
    chunk->state = CHUNK_RETIRED;
    chunk->retired_at = epoch;
}

unsigned code_free_count(const CodeCache *cache)
{
    unsigned count = 0;

    for (unsigned i = 0; i < cache->chunk_count; i++) {
        count += cache->chunks[i].state == CHUNK_FREE || cache->chunks[i].state == CHUNK_RETIRED;
    }
    return count;
}

void code_sizes(const CodeCache *cache, size_t *code, size_t *tables)
{
    *code = 0;
    *tables = 0;
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        *code += cache->chunks[i].used;
        *tables += cache->chunks[i].table_used + cache->chunks[i].more_size;
    }
}

Chunk *code_find(CodeCache *cache, const void *address)
{
    uintptr_t offset = (uintptr_t)address - (uintptr_t)cache->execute;

    return offset < cache->size ? &cache->chunks[offset / cache->chunk_size] : NULL;
}

/* Memory for generated code: see code.h. */
#include "tcg/code.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CHUNKS_AT_LEAST = 16,  /* small caches (tests) get smaller chunks */
    CHUNKS_PER_AHEAD = 10, /* so many for each that is chosen ahead */
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

/* ---- the supplier ----------------------------------------------------------------------------- */

/* All at once, which is cheaper than a fault for each page; older kernels refuse, and fault. */
static void populate(Chunk *chunk)
{
    madvise(chunk->write, chunk->size, MADV_POPULATE_WRITE);
    madvise((void *)chunk->execute, chunk->size, MADV_POPULATE_READ);
    /* Of the tables, which mostly take more than that. */
    madvise(chunk->table, chunk->size / 2, MADV_POPULATE_WRITE);
    atomic_store(&chunk->populated, true);
}

void code_prepare(Chunk *chunk)
{
    if (!atomic_load(&chunk->populated)) {
        populate(chunk); /* the other thread may be at it, too: that does no harm */
    }
}

/* The file keeps the bytes; links that are patched later fault single pages in again. */
static void drop_write_views(const Chunk *first, const Chunk *end)
{
    madvise(first->write, (size_t)(end - first) * first->size, MADV_DONTNEED);
}

/* Neighbours together: each call interrupts the CPUs. */
static void drop_all_write_views(Chunk *const *chunks, unsigned count)
{
    for (unsigned i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && chunks[next] == chunks[next - 1] + 1; next++) {}
        drop_write_views(chunks[i], chunks[next - 1] + 1);
    }
}

static void supply(const CodeWork *work)
{
    for (unsigned i = 0; i < work->populate_count; i++) {
        code_prepare(work->populate[i]);
    }
    drop_all_write_views(work->close, work->close_count);
}

static void *supplier_main(void *opaque)
{
    CodeCache *cache = opaque;

    pthread_mutex_lock(&cache->supply_lock);
    while (!cache->supply_ends) {
        CodeWork work = cache->work;
        cache->work = (CodeWork){ 0 };
        pthread_mutex_unlock(&cache->supply_lock);
        supply(&work);
        pthread_mutex_lock(&cache->supply_lock);
        while (!cache->work.asked && !cache->supply_ends) {
            pthread_cond_wait(&cache->supply_asked, &cache->supply_lock);
        }
    }
    pthread_mutex_unlock(&cache->supply_lock);
    return NULL;
}

/* Without the thread whoever takes a chunk populates it. */
static void supplier_start(CodeCache *cache)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    cache->has_supplier = pthread_create(&cache->supplier, NULL, supplier_main, cache) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* What is still to be populated from the last time was taken meanwhile. */
static void supplier_ask(CodeCache *cache)
{
    pthread_mutex_lock(&cache->supply_lock);
    for (unsigned i = 0; i < cache->ahead_count; i++) {
        cache->work.populate[i] = cache->ahead[cache->ahead_count - 1 - i];
    }
    cache->work.populate_count = cache->ahead_count;
    cache->work.asked = true;
    pthread_cond_signal(&cache->supply_asked);
    pthread_mutex_unlock(&cache->supply_lock);
    if (!cache->has_supplier) {
        supplier_start(cache);
    }
}

/* Closes the chunk when it is asked for others. False: it is behind with that. */
static bool supplier_closes(CodeCache *cache, Chunk *chunk)
{
    CodeWork *work = &cache->work;

    pthread_mutex_lock(&cache->supply_lock);
    bool can = work->close_count < G_N_ELEMENTS(work->close);
    if (can) {
        work->close[work->close_count++] = chunk;
    }
    pthread_mutex_unlock(&cache->supply_lock);
    return can;
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
    cache->chunk_size = MIN(CODE_CHUNK_SIZE, size / CHUNKS_AT_LEAST);
    cache->chunk_count = (unsigned)(size / cache->chunk_size);
    if (!map_views(cache, error)) {
        return false;
    }
    cache->chunks = g_new0(Chunk, cache->chunk_count);
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        Chunk *chunk = &cache->chunks[i];
        chunk->write = cache->write + i * cache->chunk_size;
        chunk->execute = cache->execute + i * cache->chunk_size;
        chunk->table = cache->tables + i * cache->chunk_size;
        chunk->size = cache->chunk_size;
    }
    cache->chunks[0].state = CHUNK_THUNKS;
    cache->free_count = cache->chunk_count - 1;
    cache->free_from = 1;
    cache->begun_count = 1;
    return true;
}

static void drop_contents(Chunk *chunk)
{
    g_slist_free_full(g_steal_pointer(&chunk->more), g_free);
    memset(chunk->last_in, 0, sizeof(chunk->last_in));
    chunk->last = NULL;
    chunk->block_count = 0;
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

/* By a CPU, now or soon. */
static bool is_written(const Chunk *chunk)
{
    return chunk->state == CHUNK_CHOSEN || chunk->state == CHUNK_FILLING;
}

static bool is_available(const Chunk *chunk, uint64_t epoch)
{
    return chunk->state == CHUNK_FREE ||
        (chunk->state == CHUNK_RETIRED && chunk->retired_at <= epoch);
}

static Chunk *choose(CodeCache *cache, uint64_t epoch)
{
    bool waits = false; /* for the epoch */

    for (unsigned i = cache->free_from; i < cache->chunk_count; i++) {
        Chunk *chunk = &cache->chunks[i];
        if (is_available(chunk, epoch)) {
            drop_contents(chunk);
            chunk->state = CHUNK_CHOSEN;
            atomic_store(&chunk->populated, false);
            cache->free_count--;
            cache->free_from = waits ? cache->free_from : i + 1;
            cache->begun_count = MAX(cache->begun_count, i + 1);
            return chunk;
        }
        waits |= chunk->state == CHUNK_RETIRED;
    }
    return NULL;
}

/* The first one chosen is taken first. */
static void choose_ahead(CodeCache *cache, uint64_t epoch)
{
    unsigned most = MIN(CODE_AHEAD, cache->chunk_count / CHUNKS_PER_AHEAD), count = 0;
    Chunk *chosen[CODE_AHEAD];

    while (count < most && (chosen[count] = choose(cache, epoch))) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        cache->ahead[i] = chosen[count - 1 - i];
    }
    cache->ahead_count = count;
}

Chunk *code_take(CodeCache *cache, uint64_t epoch)
{
    Chunk *chunk = cache->ahead_count ? cache->ahead[--cache->ahead_count] : choose(cache, epoch);

    if (!chunk) {
        return NULL;
    }
    chunk->state = CHUNK_FILLING;
    chunk->order = cache->next_order++;
    if (!cache->ahead_count) {
        choose_ahead(cache, epoch);
        supplier_ask(cache);
    }
    return chunk;
}

Chunk *code_oldest(CodeCache *cache)
{
    Chunk *oldest = NULL;

    for (unsigned i = 0; i < cache->begun_count; i++) {
        Chunk *chunk = &cache->chunks[i];
        if (chunk->state == CHUNK_FULL && (!oldest || chunk->order < oldest->order)) {
            oldest = chunk;
        }
    }
    return oldest;
}

/* Those that links have patched, with their neighbours but for those that are being written. */
static void give_patched_back(CodeCache *cache)
{
    Chunk *end = cache->chunks + cache->begun_count, *next;

    for (Chunk *chunk = cache->chunks; chunk < end; chunk = next + 1) {
        for (next = chunk; next < end && !is_written(next); next++) {
            next->patched = 0;
        }
        if (next > chunk) {
            drop_write_views(chunk, next);
        }
    }
    cache->patched_pages = 0;
}

void code_close(CodeCache *cache, Chunk *chunk)
{
    chunk->state = CHUNK_FULL;
    if (!supplier_closes(cache, chunk)) {
        drop_write_views(chunk, chunk + 1);
    }
}

static unsigned page_at(const CodeCache *cache, const Chunk *chunk, const uint8_t *at)
{
    return (unsigned)((size_t)(at - chunk->execute) / cache->page_size);
}

static bool is_there(const Chunk *chunk, unsigned page)
{
    return chunk->state == CHUNK_FILLING || chunk->patched >> page & 1;
}

bool code_may_patch(const CodeCache *cache, Chunk *chunk, const uint8_t *at)
{
    unsigned page = page_at(cache, chunk, at);

    return is_there(chunk, page) || ++chunk->wished[page] >= CODE_WISHES;
}

void code_patched(CodeCache *cache, Chunk *chunk, const uint8_t *at)
{
    unsigned page = page_at(cache, chunk, at);

    if (is_there(chunk, page)) {
        return;
    }
    /* Before this one is there again, so that the next patches may be near it. */
    if (++cache->patched_pages > CODE_PATCHED_PAGES) {
        give_patched_back(cache);
        cache->patched_pages = 1;
    }
    chunk->patched |= UINT64_C(1) << page;
    chunk->wished[page] = 0;
}

void code_retire(CodeCache *cache, Chunk *chunk, uint64_t epoch)
{
    chunk->state = CHUNK_RETIRED;
    chunk->retired_at = epoch;
    cache->free_count++;
    cache->free_from = MIN(cache->free_from, (unsigned)(chunk - cache->chunks));
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

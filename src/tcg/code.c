/* Memory for generated code: see code.h. */
#include "tcg/code.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CHUNK_SIZE = 128 << 10,
    CHUNKS_AT_LEAST = 16, /* small caches (tests) get smaller chunks */
    SLAB_SIZE = 8 << 10,
    ALIGN = 8,
    PATCHES_TO_DROP = 256, /* pages of the writable view that patches may have brought back */
};

static bool host_error(GError **error, const char *what)
{
    g_set_error(
        error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", what, g_strerror(errno));
    return false;
}

static bool map_views(CodeCache *cache, GError **error)
{
    int fd = memfd_create("lathe-code", MFD_CLOEXEC);

    if (fd < 0) {
        return host_error(error, "memory for code");
    }
    bool fine = ftruncate(fd, (off_t)cache->size) == 0;
    void *write = MAP_FAILED, *execute = MAP_FAILED;
    if (fine) {
        write = mmap(NULL, cache->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
        execute = mmap(NULL, cache->size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE, fd, 0);
    }
    cache->write = write == MAP_FAILED ? NULL : write;
    cache->execute = execute == MAP_FAILED ? NULL : execute;
    fine = (cache->write && cache->execute) || host_error(error, "mapping memory for code");
    close(fd);
    return fine;
}

bool code_init(CodeCache *cache, size_t size, GError **error)
{
    memset(cache, 0, sizeof(*cache));
    cache->size = size;
    cache->chunk_size = MIN(CHUNK_SIZE, size / CHUNKS_AT_LEAST);
    if (!map_views(cache, error)) {
        code_clear(cache);
        return false;
    }
    cache->chunk_count = (unsigned)(size / cache->chunk_size);
    cache->chunks = g_new0(Chunk, cache->chunk_count);
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        Chunk *chunk = &cache->chunks[i];
        chunk->write = cache->write + i * cache->chunk_size;
        chunk->execute = cache->execute + i * cache->chunk_size;
        chunk->size = cache->chunk_size;
    }
    return true;
}

static void drop_contents(Chunk *chunk)
{
    g_slist_free_full(g_steal_pointer(&chunk->slabs), g_free);
    g_clear_pointer(&chunk->blocks, g_ptr_array_unref);
    chunk->slab_left = 0;
    chunk->slab_size = 0;
    chunk->used = 0;
    chunk->live = 0;
}

void code_clear(CodeCache *cache)
{
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        drop_contents(&cache->chunks[i]);
    }
    g_clear_pointer(&cache->chunks, g_free);
    cache->chunk_count = 0;
    if (cache->write) {
        munmap(cache->write, cache->size);
    }
    if (cache->execute) {
        munmap((void *)cache->execute, cache->size);
    }
    cache->write = NULL;
    cache->execute = NULL;
}

void *chunk_alloc(Chunk *chunk, size_t size)
{
    size = (MAX(size, 1) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (size > chunk->slab_left) {
        chunk->slab_left = MAX((size_t)SLAB_SIZE, size);
        chunk->slabs = g_slist_prepend(chunk->slabs, g_malloc0(chunk->slab_left));
        chunk->slab_size += chunk->slab_left;
    }
    /* A slab is used from its end down, so that its start is what g_free wants. */
    chunk->slab_left -= size;
    return (uint8_t *)chunk->slabs->data + chunk->slab_left;
}

static bool is_available(const Chunk *chunk, uint64_t epoch)
{
    return chunk->state == CHUNK_FREE ||
        (chunk->state == CHUNK_RETIRED && chunk->retired_at <= epoch);
}

/* Both views at once, which is cheaper than a fault for each page; older kernels refuse, and fault. */
static void populate(const Chunk *chunk)
{
    madvise(chunk->write, chunk->size, MADV_POPULATE_WRITE);
    madvise((void *)chunk->execute, chunk->size, MADV_POPULATE_READ);
}

Chunk *code_take(CodeCache *cache, uint64_t epoch)
{
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        Chunk *chunk = &cache->chunks[i];
        if (is_available(chunk, epoch)) {
            drop_contents(chunk);
            populate(chunk);
            chunk->state = CHUNK_FILLING;
            chunk->order = cache->next_order++;
            chunk->blocks = g_ptr_array_new();
            return chunk;
        }
    }
    return NULL;
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

/* The file keeps the bytes; links patched later fault single pages in again. */
static void drop_write_view(Chunk *chunk)
{
    madvise(chunk->write, chunk->size, MADV_DONTNEED);
    chunk->patched = false;
}

static void drop_write_views(CodeCache *cache)
{
    cache->patches = 0;
    if (cache->chunk_size % (size_t)sysconf(_SC_PAGESIZE)) {
        return;
    }
    for (unsigned i = 0; i < cache->chunk_count; i++) {
        if (cache->chunks[i].patched && cache->chunks[i].state != CHUNK_FILLING) {
            drop_write_view(&cache->chunks[i]);
        }
    }
}

void code_close(CodeCache *cache, Chunk *chunk)
{
    chunk->state = CHUNK_FULL;
    chunk->patched = true;
    drop_write_views(cache);
}

/* Before this one's page is there again, so that the next patches may be near it. */
void code_patched(CodeCache *cache, Chunk *chunk)
{
    if (chunk->state != CHUNK_FILLING && ++cache->patches > PATCHES_TO_DROP) {
        drop_write_views(cache);
    }
    chunk->patched = true;
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
        *tables += cache->chunks[i].slab_size;
    }
}

Chunk *code_find(CodeCache *cache, const void *address)
{
    uintptr_t offset = (uintptr_t)address - (uintptr_t)cache->execute;

    return offset < cache->size ? &cache->chunks[offset / cache->chunk_size] : NULL;
}

/* Chunks, filled from the front; a large request gets a chunk of its own. */
#include "config/arena.h"

#include <string.h>

enum { CHUNK_SIZE = 32 * 1024, ALIGNMENT = 8 };

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *next;
    size_t used, size;
    char bytes[];
};

struct Arena {
    Chunk *chunks;
};

Arena *arena_create(void)
{
    return g_new0(Arena, 1);
}

void arena_free(Arena *arena)
{
    Chunk *next;

    for (Chunk *chunk = arena ? arena->chunks : NULL; chunk; chunk = next) {
        next = chunk->next;
        g_free(chunk);
    }
    g_free(arena);
}

static Chunk *add_chunk(Arena *arena, size_t wanted)
{
    size_t size = MAX(wanted, (size_t)CHUNK_SIZE);
    Chunk *chunk = g_malloc0(sizeof(*chunk) + size);

    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *arena_alloc(Arena *arena, size_t bytes)
{
    size_t wanted = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    Chunk *chunk = arena->chunks;

    if (!chunk || chunk->size - chunk->used < wanted) {
        chunk = add_chunk(arena, wanted);
    }
    chunk->used += wanted;
    return chunk->bytes + chunk->used - wanted;
}

char *arena_text(Arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    memcpy(copy, text, length);
    return copy;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return arena_text(arena, text, strlen(text));
}

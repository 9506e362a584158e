/*
 * An arena: memory that is given back all at once. Everything a load makes lives in one.
 */
#ifndef CONFIG_ARENA_H
#define CONFIG_ARENA_H

#include <glib.h>
#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_create(void);
void arena_free(Arena *arena);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Arena, arena_free)

/* Zeroed, aligned for any scalar. */
void *arena_alloc(Arena *arena, size_t bytes);
char *arena_text(Arena *arena, const char *text, size_t length);
char *arena_printf(Arena *arena, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define ARENA_NEW(arena, Type) ((Type *)arena_alloc(arena, sizeof(Type)))

#endif

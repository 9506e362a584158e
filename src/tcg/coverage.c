/* Coverage of tables in debug builds: see coverage.h. */
#include "tcg/coverage.h"

#include <fcntl.h>
#include <glib.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Table {
    const char *name;
    unsigned count;
    const char *names;
    size_t stride;
    _Atomic(unsigned char) *reached;
    struct Table *_Atomic next;
} Table;

static Table *_Atomic tables;
static GMutex lock;

static Table *find(const char *name)
{
    Table *table = atomic_load(&tables);

    while (table && strcmp(table->name, name) != 0) {
        table = atomic_load(&table->next);
    }
    return table;
}

static void append_table(GString *out, const Table *table)
{
    for (unsigned row = 0; row < table->count; row++) {
        const char *name;

        memcpy(&name, table->names + row * table->stride, sizeof(name));
        g_string_append_printf(
            out, "%s %u %s %d\n", table->name, row, name, atomic_load(&table->reached[row]));
    }
}

/* In one write: other processes append too. */
static void write_all(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    int fd = open(g_getenv("LATHE_COVERAGE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    for (const Table *table = atomic_load(&tables); table; table = atomic_load(&table->next)) {
        append_table(out, table);
    }
    if (fd < 0 || write(fd, out->str, out->len) != (ssize_t)out->len) {
        g_printerr("coverage: cannot write %s\n", g_getenv("LATHE_COVERAGE"));
    }
    if (fd >= 0) {
        close(fd);
    }
}

static Table *add(const char *name, unsigned count, const void *names, size_t stride)
{
    g_mutex_lock(&lock);
    Table *table = find(name);
    if (!table) {
        table = g_new0(Table, 1);
        *table = (Table){ name, count, names, stride, (void *)g_malloc0(count), NULL };
        atomic_store(&table->next, atomic_load(&tables));
        if (!atomic_load(&tables) && g_getenv("LATHE_COVERAGE")) {
            atexit(write_all);
        }
        atomic_store(&tables, table);
    }
    g_mutex_unlock(&lock);
    return table;
}

void coverage_reach(
    const char *name, unsigned row, unsigned count, const void *names, size_t stride)
{
    Table *table = find(name);

    if (!table) {
        table = add(name, count, names, stride);
    }
    if (row < count) {
        atomic_store_explicit(&table->reached[row], 1, memory_order_relaxed);
    }
}

#include "core/epoch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One for each thread that ever read; given to another thread when its own ends. */
typedef struct Reader {
    struct Reader *next;
    bool taken;     /* atomic */
    unsigned depth; /* its thread's only */
    uint64_t since; /* atomic: the epoch it entered in, 0 outside */
} Reader;

typedef struct Garbage {
    void *object;
    GDestroyNotify free_func;
    uint64_t epoch; /* readers of this epoch and earlier ones may see it */
} Garbage;

static Reader *readers;            /* atomic; grows only */
static uint64_t current_epoch = 1; /* atomic */
static GArray *garbage;            /* with the machine lock */
static pthread_key_t reader_key;
static pthread_once_t reader_once = PTHREAD_ONCE_INIT;
static _Thread_local Reader *this_reader;

static void give_back(void *reader)
{
    __atomic_store_n(&((Reader *)reader)->taken, false, __ATOMIC_RELEASE);
}

static void make_key(void)
{
    pthread_key_create(&reader_key, give_back);
}

static Reader *take_free_reader(void)
{
    for (Reader *r = __atomic_load_n(&readers, __ATOMIC_ACQUIRE); r; r = r->next) {
        if (!__atomic_exchange_n(&r->taken, true, __ATOMIC_ACQ_REL)) {
            return r;
        }
    }
    return NULL;
}

static Reader *add_reader(void)
{
    Reader *reader = g_new0(Reader, 1);

    reader->taken = true;
    reader->next = __atomic_load_n(&readers, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(
        &readers, &reader->next, reader, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {}
    return reader;
}

static Reader *register_reader(void)
{
    pthread_once(&reader_once, make_key);
    this_reader = take_free_reader();
    if (!this_reader) {
        this_reader = add_reader();
    }
    pthread_setspecific(reader_key, this_reader);
    return this_reader;
}

void epoch_enter(void)
{
    Reader *reader = this_reader ? this_reader : register_reader();

    if (reader->depth++ == 0) {
        __atomic_store_n(
            &reader->since, __atomic_load_n(&current_epoch, __ATOMIC_ACQUIRE), __ATOMIC_RELAXED);
        /* The store above must be seen before anything read from here on was: see oldest_reader. */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
}

void epoch_leave(void)
{
    Reader *reader = this_reader;

    g_assert(reader && reader->depth > 0);
    if (--reader->depth == 0) {
        __atomic_store_n(&reader->since, 0, __ATOMIC_RELEASE);
    }
}

static uint64_t oldest_reader(void)
{
    uint64_t oldest = UINT64_MAX;

    /* Pairs with the fence of epoch_enter: either we see the reader, or it sees our unlinking. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (Reader *r = __atomic_load_n(&readers, __ATOMIC_ACQUIRE); r; r = r->next) {
        uint64_t since = __atomic_load_n(&r->since, __ATOMIC_ACQUIRE);

        if (since && since < oldest) {
            oldest = since;
        }
    }
    return oldest;
}

void epoch_retire(void *object, GDestroyNotify free_func)
{
    Garbage item = { object, free_func, __atomic_fetch_add(&current_epoch, 1, __ATOMIC_SEQ_CST) };
    uint64_t oldest;

    if (!garbage) {
        garbage = g_array_new(false, false, sizeof(Garbage));
    }
    g_array_append_val(garbage, item);
    oldest = oldest_reader();
    while (garbage->len > 0 && g_array_index(garbage, Garbage, 0).epoch < oldest) {
        item = g_array_index(garbage, Garbage, 0);
        g_array_remove_index(garbage, 0);
        item.free_func(item.object);
    }
    if (garbage->len == 0) {
        g_clear_pointer(&garbage, g_array_unref);
    }
}

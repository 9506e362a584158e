/*
 * Engines: how bytes get between memory and a file descriptor without anybody waiting.
 *
 * An engine belongs to one IoLoop and serves any number of descriptors. An operation ends with
 * the bytes moved, which may be fewer than asked for, or -errno. `durable` writes are on stable
 * storage when they end: that is a promise, so an engine that cannot keep it by a flag of the
 * write itself makes it good with a sync before it says so.
 */
#ifndef BLOCK_ENGINE_H
#define BLOCK_ENGINE_H

#include <glib.h>
#include <stdint.h>
#include <sys/uio.h>

#include "block/io-loop.h"
#include "core/machine.h"

typedef enum EngineKind {
    ENGINE_READ,
    ENGINE_WRITE,
    ENGINE_SYNC,  /* what ended before is on stable storage after */
    ENGINE_PUNCH, /* reads as zeroes afterwards, and holds no space */
    ENGINE_ZERO,  /* reads as zeroes afterwards, and holds its space */
    ENGINE_GROW,  /* the file reaches to its end afterwards, and holds the space */
    ENGINE_PUSH,  /* begins to write out what the page cache holds; promises nothing */
    ENGINE_CALL,  /* of the engine `threads`: work that takes a processor for long */
} EngineKind;

typedef struct EngineOp EngineOp;
struct EngineOp {
    EngineKind kind;
    int fd;
    bool durable;
    bool cached;    /* READ and WRITE: through the page cache; no O_DIRECT */
    bool in_memory; /* it is nowhere else: a file of tmpfs */
    bool refused;   /* set: the file system cannot say what it could read at once */
    uint64_t offset, length;
    const struct iovec *iov; /* of READ and WRITE, at most IOV_MAX; stays until the end */
    unsigned iov_count;
    int64_t (*call)(void *data); /* of CALL; any thread; gives the result */
    void *data;
    int64_t result;

    void (*done)(EngineOp *op); /* on the loop */
    IoWork work;                /* the engine's, from here on */
    EngineOp *next;
    void *waiter;
};

typedef struct Engine Engine;

/* The part every engine starts with. */
struct Engine {
    const char *name;
    IoLoop *loop;
    DriveAio aio;
    unsigned refs;
    void (*submit)(Engine *engine, EngineOp *op);
    /* Optional: is no write into the page cache under way, which another would have to wait for? */
    bool (*is_cache_free)(Engine *engine);
    bool was_slow;                /* the last write that was done at once */
    int64_t wary_until;           /* so long writes into the page cache are not done at once */
    void (*free)(Engine *engine); /* nothing is under way */
};

/* The loop's engine of this kind: one for all files, made when the first one asks. */
Engine *engine_get(DriveAio aio, IoLoop *loop, GError **error);
void engine_unref(Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Engine, engine_unref)

/* On the loop: what only copies to or from the page cache is done; false: engine_run() does it. */
bool engine_do_at_once(Engine *engine, EngineOp *op);

/* [co] Gives op->result. */
int64_t engine_run(Engine *engine, EngineOp *op);

/* Does it here and now: what a worker thread calls. */
int64_t engine_do_blocking(const EngineOp *op);

/* Of PUNCH, ZERO and GROW: the mode that fallocate(2) is called with. */
int engine_fallocate_mode(EngineKind kind);

/* For engine_get(). */
Engine *engine_threads_new(IoLoop *loop, GError **error);
Engine *engine_native_new(IoLoop *loop, GError **error);
Engine *engine_uring_new(IoLoop *loop, GError **error);

#endif

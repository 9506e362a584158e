/*
 * The protocol `iscsi`: a logical unit of an iSCSI target (RFC 7143), by libiscsi. Commands are
 * SBC-3's. A session that breaks is begun anew, for a while, and what was under way is sent again.
 * The target is first told again what it has acknowledged and no flush has covered, as it may have
 * lost its power meanwhile (kept.h); so the library is not to do it by itself.
 */
#include "block/block.h"
#include "core/block-spec.h"
#include "core/dynamic.h"
#include "core/have.h"

static const char *const schemes[] = { "iscsi", NULL };

#ifdef HAVE_LIBISCSI
#include <errno.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "block/cache.h"
#include "block/co-mutex.h"
#include "block/kept.h"

#define INITIATOR "iqn.2026-01.org.lathe:initiator"
#define SECOND INT64_C(1000000000)
#define PATIENCE (10 * SECOND)

enum {
    PART_MOST = 1 << 20, /* bytes of a command */
    COMMAND_SECONDS = 30,
    TRIES = 5, /* of a command that the target is too busy for, or that it says something else to */
    BUSY_NS = 100000000,
    WRITE_PROTECTED = 0x80, /* bits of a mode sense's device-specific parameter (SBC-3, 6.4.1) */
    KNOWS_FUA = 0x10,
    ASCQ_NO_SPACE = 0x2707, /* "space allocation failed write protect" */
};

#define CALLS(C)                                                                                   \
    C(iscsi_create_context)                                                                        \
    C(iscsi_destroy_context)                                                                       \
    C(iscsi_destroy_url)                                                                           \
    C(iscsi_full_connect_async)                                                                    \
    C(iscsi_get_error)                                                                             \
    C(iscsi_get_fd)                                                                                \
    C(iscsi_modesense6_task)                                                                       \
    C(iscsi_parse_full_url)                                                                        \
    C(iscsi_read16_iov_task)                                                                       \
    C(iscsi_readcapacity16_task)                                                                   \
    C(iscsi_service)                                                                               \
    C(iscsi_set_header_digest)                                                                     \
    C(iscsi_set_noautoreconnect)                                                                   \
    C(iscsi_set_session_type)                                                                      \
    C(iscsi_set_targetname)                                                                        \
    C(iscsi_set_timeout)                                                                           \
    C(iscsi_synchronizecache16_task)                                                               \
    C(iscsi_unmap_task)                                                                            \
    C(iscsi_which_events)                                                                          \
    C(iscsi_write16_iov_task)                                                                      \
    C(scsi_datain_unmarshall)                                                                      \
    C(scsi_free_scsi_task)                                                                         \
    C(scsi_modesense_get_page)

static struct {
    CALLS(DYNAMIC_POINTER)
} lib;
static const DynamicCall calls[] = { CALLS(DYNAMIC_CALL){} };

/* Something that the library was asked for; `task` is NULL for a connection. */
typedef struct Command {
    struct Command *next; /* when it has ended */
    struct Iscsi *of;
    struct scsi_task *task;
    int status;
    Coroutine *co;
} Command;

typedef struct Iscsi {
    struct iscsi_context *context;
    int lun;
    bool broken, pumping;
    unsigned running;
    Command *ended;
    Command *login; /* while it is under way: the library may forget it */
    CoMutex connecting;
    bool cached;  /* the target has a write cache */
    bool flushes; /* and lets us flush it */
    bool fua;     /* and writes through it */
    bool unmaps;
    int64_t patience; /* ns */
    Kept kept;
    bool lost; /* something that was kept cannot be written again: the next flush says so */
} Iscsi;

/* ---- the pump ---- */

static void note_end(struct iscsi_context *context, int status, void *data, void *private)
{
    Command *command = private;

    command->status = status;
    command->next = command->of->ended;
    command->of->ended = command;
    command->of->running--;
}

/* Those whose commands have ended go on when the library is not in the middle of something. */
static void resume_ended(Iscsi *s)
{
    while (s->ended) {
        Command *command = s->ended;

        s->ended = command->next;
        coroutine_enter(command->co);
    }
}

/* [co] Waits for the socket, at most a second: the library looks at its own limits then. */
static void step(BlockNode *node)
{
    Iscsi *s = node->state;
    int events = lib.iscsi_which_events(s->context);
    struct pollfd fd = { .fd = lib.iscsi_get_fd(s->context), .events = events };

    if (events == 0 || fd.fd < 0) {
        io_loop_sleep(node->loop, BUSY_NS); /* it waits before it connects again */
    } else if (io_loop_wait_fd_for(node->loop, fd.fd, events, SECOND)) {
        poll(&fd, 1, 0);
    }
    if (lib.iscsi_service(s->context, fd.revents) < 0) {
        s->broken = true;
    }
}

static void pump_main(void *data)
{
    BlockNode *node = block_ref(data);
    Iscsi *s = node->state;

    while (s->running > 0 && !s->broken) {
        step(node);
        resume_ended(s);
    }
    if (s->running > 0) {
        g_clear_pointer(&s->context, lib.iscsi_destroy_context); /* ends all of them */
    }
    if (s->running > 0 && s->login) {
        note_end(NULL, SCSI_STATUS_CANCELLED, NULL, s->login);
    }
    s->pumping = false;
    resume_ended(s);
    block_unref(node);
}

/* [co] */
static void await(BlockNode *node, Command *command)
{
    Iscsi *s = node->state;

    s->running++;
    if (!s->pumping) {
        s->pumping = true;
        coroutine_enter(coroutine_new(pump_main, node)); /* as far as its first wait */
    } else if (lib.iscsi_service(s->context, POLLOUT) < 0) {
        s->broken = true;
    }
    coroutine_yield();
}

/* ---- the connection ---- */

static bool log_in(BlockNode *node, const struct iscsi_url *url)
{
    Iscsi *s = node->state;
    Command command = { .of = s, .co = coroutine_self() };

    s->lun = url->lun;
    lib.iscsi_set_targetname(s->context, url->target);
    lib.iscsi_set_session_type(s->context, ISCSI_SESSION_NORMAL);
    lib.iscsi_set_header_digest(s->context, ISCSI_HEADER_DIGEST_NONE_CRC32C);
    lib.iscsi_set_timeout(s->context, COMMAND_SECONDS);
    lib.iscsi_set_noautoreconnect(s->context, 1);
    if (lib.iscsi_full_connect_async(s->context, url->portal, url->lun, note_end, &command) < 0) {
        return false;
    }
    s->login = &command;
    await(node, &command);
    s->login = NULL;
    return command.status == SCSI_STATUS_GOOD;
}

/* [co] A session; the text of what went wrong is the caller's. */
static bool connect_anew(BlockNode *node, char **wrong)
{
    Iscsi *s = node->state;
    struct iscsi_url *url;
    bool there = false;

    s->broken = false;
    g_clear_pointer(&s->context, lib.iscsi_destroy_context); /* nothing is under way in it */
    s->context = lib.iscsi_create_context(INITIATOR);
    url = s->context ? lib.iscsi_parse_full_url(s->context, node->name) : NULL;
    if (url) {
        there = log_in(node, url);
        lib.iscsi_destroy_url(url);
    }
    if (!there) {
        *wrong = g_strdup(s->context ? lib.iscsi_get_error(s->context) : "no answer");
        g_clear_pointer(&s->context, lib.iscsi_destroy_context);
    }
    return there;
}

/* ---- commands ---- */

enum { AGAIN = 1 };

/* What a command ended with, as 0, -errno or AGAIN. */
static int result_of(const struct scsi_task *task, int status)
{
    switch (status) {
    case SCSI_STATUS_GOOD: return 0;
    case SCSI_STATUS_BUSY:
    case SCSI_STATUS_TASK_SET_FULL: return AGAIN;
    case SCSI_STATUS_CHECK_CONDITION: break;
    case SCSI_STATUS_CANCELLED:
    case SCSI_STATUS_ERROR:
    case SCSI_STATUS_TIMEOUT: return -ENOTCONN;
    default: return -EIO;
    }
    switch (task->sense.key) {
    case SCSI_SENSE_NO_SENSE:
    case SCSI_SENSE_RECOVERED_ERROR: return 0;
    case SCSI_SENSE_UNIT_ATTENTION:
    case SCSI_SENSE_COMMAND_ABORTED: return AGAIN;
    case SCSI_SENSE_ILLEGAL_REQUEST:
        return task->sense.ascq == SCSI_SENSE_ASCQ_INVALID_OPERATION_CODE ? -ENOTSUP : -EIO;
    case SCSI_SENSE_DATA_PROTECTION: return task->sense.ascq == ASCQ_NO_SPACE ? -ENOSPC : -EROFS;
    default: return -EIO;
    }
}

/* A command to send: fills command->task, with note_end and the command. */
typedef struct Order {
    struct scsi_task *(*send)(Iscsi *s, const struct Order *order, Command *command);
    uint64_t block;
    uint32_t length, block_size;
    struct scsi_iovec *pieces;
    unsigned count;
    bool fua;
} Order;

/* [co] The task is the caller's when the result is 0. */
static int run_there(BlockNode *node, const Order *order, struct scsi_task **out)
{
    Iscsi *s = node->state;
    Command command = { .of = s, .co = coroutine_self() };
    int result;

    command.task = order->send(s, order, &command);
    if (!command.task) {
        s->broken = true; /* or there is no memory; a new session is no harm */
        return -ENOTCONN;
    }
    await(node, &command);
    result = result_of(command.task, command.status);
    s->broken |= result == -ENOTCONN;
    if (result == 0 && order->pieces && command.task->residual_status == SCSI_RESIDUAL_UNDERFLOW) {
        result = -EIO;
    }
    if (result == 0 && out) {
        *out = command.task;
    } else {
        lib.scsi_free_scsi_task(command.task);
    }
    return result;
}

static struct scsi_task *send_write(Iscsi *s, const Order *o, Command *c)
{
    return lib.iscsi_write16_iov_task(s->context, s->lun, o->block, NULL, o->length, o->block_size,
        0, 0, o->fua, 0, 0, note_end, c, o->pieces, o->count);
}

static int write_again(BlockNode *node, const KeptWrite *write)
{
    struct scsi_iovec piece = { .iov_base = write->data, .iov_len = write->length };
    Order order = { .send = send_write,
        .block = write->at / node->align,
        .length = write->length,
        .block_size = node->align,
        .pieces = &piece,
        .count = 1 };
    int result = AGAIN;

    for (unsigned i = 0; i < TRIES && result == AGAIN; i++) {
        result = run_there(node, &order, NULL); /* a new session begins with "unit attention" */
    }
    return result == AGAIN ? -EBUSY : result;
}

/* [co] Alone; false: it is gone again. */
static bool write_kept(BlockNode *node)
{
    Iscsi *s = node->state;
    int result = 0;

    for (const KeptWrite *write = s->kept.first; write && result == 0; write = write->next) {
        result = write_again(node, write);
    }
    if (result < 0 && result != -ENOTCONN) {
        s->lost = true;
        kept_drop(&s->kept, kept_mark(&s->kept));
    }
    return result != -ENOTCONN;
}

/* [co] One does it, others wait for it. */
static bool ensure_connected(BlockNode *node)
{
    Iscsi *s = node->state;
    g_autofree char *wrong = NULL;
    bool there;

    co_mutex_lock(&s->connecting);
    while (s->broken && s->pumping) {
        io_loop_sleep(node->loop, BUSY_NS / 10); /* the commands of the old one end first */
    }
    there = (s->context && !s->broken) || (connect_anew(node, &wrong) && write_kept(node));
    co_mutex_unlock(&s->connecting);
    return there;
}

/* [co] The task is the caller's when the result is 0. */
static int run(BlockNode *node, const Order *order, struct scsi_task **out)
{
    const Iscsi *s = node->state;
    int64_t until = io_loop_now() + s->patience;
    unsigned busy = 0;

    for (;;) {
        int result = ensure_connected(node) ? run_there(node, order, out) : -ENOTCONN;

        if (result == AGAIN && ++busy == TRIES) {
            return -EBUSY;
        }
        if (result == -ENOTCONN && io_loop_now() >= until) {
            return -EIO;
        }
        if (result != AGAIN && result != -ENOTCONN) {
            return result;
        }
        io_loop_sleep(node->loop, BUSY_NS);
    }
}

static struct scsi_task *send_read(Iscsi *s, const Order *o, Command *c)
{
    return lib.iscsi_read16_iov_task(s->context, s->lun, o->block, o->length, o->block_size, 0, 0,
        0, 0, 0, note_end, c, o->pieces, o->count);
}

static struct scsi_task *send_flush(Iscsi *s, const Order *o, Command *c)
{
    return lib.iscsi_synchronizecache16_task(s->context, s->lun, 0, 0, 0, 0, note_end, c);
}

static struct scsi_task *send_unmap(Iscsi *s, const Order *o, Command *c)
{
    struct unmap_list list = { .lba = o->block, .num = o->length };

    return lib.iscsi_unmap_task(s->context, s->lun, 0, 0, &list, 1, note_end, c);
}

static struct scsi_task *send_capacity(Iscsi *s, const Order *o, Command *c)
{
    return lib.iscsi_readcapacity16_task(s->context, s->lun, note_end, c);
}

static struct scsi_task *send_mode_sense(Iscsi *s, const Order *o, Command *c)
{
    return lib.iscsi_modesense6_task(s->context, s->lun, 1, SCSI_MODESENSE_PC_CURRENT,
        SCSI_MODEPAGE_CACHING, 0, 255, note_end, c);
}

/* ---- requests ---- */

static int flush(BlockNode *node)
{
    Iscsi *s = node->state;
    uint64_t mark = kept_mark(&s->kept);
    int result;

    if (!s->cached) {
        return 0; /* what was written is stable */
    }
    result = s->flushes ? run(node, &(Order){ .send = send_flush }, NULL) : -ENOTSUP;
    if (result == 0 && s->lost) {
        s->lost = false;
        return -EIO;
    }
    if (result == 0) {
        kept_drop(&s->kept, mark);
    }
    return result;
}

static int move_part(BlockNode *node, const BlockIo *part)
{
    Iscsi *s = node->state;
    struct iovec pieces[BLOCK_PIECES];
    Order order = {
        .send = part->op == BLOCK_READ ? send_read : send_write,
        .block = part->at / node->align,
        .length = part->length,
        .block_size = node->align,
        .pieces = (struct scsi_iovec *)pieces,
        .fua = part->flags & BLOCK_DURABLE && s->fua,
    };

    G_STATIC_ASSERT(sizeof(struct iovec) == sizeof(struct scsi_iovec));
    block_memory_pieces(part->memory, part->length, pieces, BLOCK_PIECES, &order.count);
    return run(node, &order, NULL);
}

/* What is to be kept is copied first: memory that the guest changes meanwhile is another write. */
static int write_part(BlockNode *node, const BlockIo *part)
{
    Iscsi *s = node->state;
    void *data;
    struct iovec piece;
    BlockIo copied = *part;
    int result;

    if (!s->flushes || cache_ignores_flush(&node->cache) ||
        (part->flags & BLOCK_DURABLE && s->fua)) {
        return move_part(node, part);
    }
    data = g_try_malloc(part->length);
    if (!data) {
        return -ENOMEM;
    }
    block_memory_load(part->memory, data, part->length);
    piece = (struct iovec){ data, part->length };
    copied.memory = (BlockMemory){ &piece, 1, 0 };
    result = move_part(node, &copied);
    if (result < 0) {
        g_free(data);
        return result;
    }
    kept_add(&s->kept, part, data);
    if (s->kept.bytes > KEPT_MOST) {
        flush(node); /* to make room; a failure is the next flush's again */
    }
    return 0;
}

static int move(BlockNode *node, const BlockIo *io)
{
    const Iscsi *s = node->state;
    int result = 0;

    for (uint64_t done = 0; done < io->length && result == 0; done += PART_MOST) {
        BlockIo part = { io->op, io->flags, io->at + done, MIN(io->length - done, PART_MOST),
            block_memory_after(io->memory, done) };

        result = io->op == BLOCK_READ ? move_part(node, &part) : write_part(node, &part);
    }
    return result == 0 && io->flags & BLOCK_DURABLE && !s->fua ? flush(node) : result;
}

/* Only a hint: what the target refuses stays. */
static int discard(BlockNode *node, const BlockIo *io)
{
    Iscsi *s = node->state;
    Order order = { .send = send_unmap };

    for (uint64_t done = 0, part; done < io->length && s->unmaps; done += part) {
        part = MIN(io->length - done, (uint64_t)PART_MOST * 1024);
        order.block = (io->at + done) / node->align;
        order.length = part / node->align;
        if (run(node, &order, NULL) < 0) {
            s->unmaps = false;
        }
    }
    return 0;
}

static int iscsi_transfer(BlockNode *node, const BlockIo *io)
{
    switch (io->op) {
    case BLOCK_READ:
    case BLOCK_WRITE: return move(node, io);
    case BLOCK_ZERO: return -ENOTSUP;
    case BLOCK_DISCARD: return discard(node, io);
    default: return flush(node);
    }
}

/* ---- opening ---- */

static bool find_length(BlockNode *node, GError **error)
{
    Iscsi *s = node->state;
    struct scsi_task *task = NULL;
    int result = run(node, &(Order){ .send = send_capacity }, &task);
    const struct scsi_readcapacity16 *about = task ? lib.scsi_datain_unmarshall(task) : NULL;
    bool fine = about && about->block_length >= 512 && about->block_length <= 65536 &&
        (about->block_length & (about->block_length - 1)) == 0 &&
        about->returned_lba < INT64_MAX / about->block_length;

    if (fine) {
        node->align = about->block_length;
        node->length = (about->returned_lba + 1) * about->block_length;
        s->unmaps = about->lbpme;
    } else {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` does not say how large it is: %s",
            node->name, result < 0 ? g_strerror(-result) : "nonsense");
    }
    if (task) {
        lib.scsi_free_scsi_task(task);
    }
    return fine;
}

/* A target that says nothing about its cache is taken to have one. */
static void find_cache(BlockNode *node, bool *protected)
{
    Iscsi *s = node->state;
    struct scsi_task *task = NULL;
    struct scsi_mode_sense *sense;
    struct scsi_mode_page *page = NULL;

    s->cached = true;
    run(node, &(Order){ .send = send_mode_sense }, &task);
    sense = task ? lib.scsi_datain_unmarshall(task) : NULL;
    if (sense) {
        *protected = sense->device_specific_parameter & WRITE_PROTECTED;
        s->fua = sense->device_specific_parameter & KNOWS_FUA;
        page = lib.scsi_modesense_get_page(sense, SCSI_MODEPAGE_CACHING, 0);
    }
    if (page) {
        s->cached = page->caching.wce;
    }
    if (task) {
        lib.scsi_free_scsi_task(task);
    }
    s->flushes = s->cached && run(node, &(Order){ .send = send_flush }, NULL) == 0;
}

static bool iscsi_set_cache(BlockNode *node, const DriveCache *cache, GError **error)
{
    const Iscsi *s = node->state;

    if (node->read_only || !s->cached || s->flushes || !cache_needs_flush(cache)) {
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
        "the target of `%s` has a cache that it does not flush, so it cannot keep what cache mode "
        "%s promises",
        node->name, cache->word);
    return false;
}

static bool check_promises(BlockNode *node, GError **error)
{
    bool protected = false;

    if (node->read_only) {
        return true;
    }
    find_cache(node, &protected);
    if (protected) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION, "`%s` is read-only", node->name);
        return false;
    }
    return iscsi_set_cache(node, &node->cache, error);
}

static bool iscsi_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    g_autofree char *wrong = NULL;
    Iscsi *s = node->state;

    kept_init(&s->kept);
    s->patience = options->spec && options->spec->reconnect_ns ? options->spec->reconnect_ns
                                                               : (uint64_t)PATIENCE;
    if (!dynamic_load("libiscsi.so.7", "libiscsi7", calls, &lib, error)) {
        return false;
    }
    signal(SIGPIPE, SIG_IGN); /* raised by the library's writes when the target is gone */
    if (!connect_anew(node, &wrong)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_MISSING, "`%s` cannot be reached: %s",
            node->name, wrong);
        return false;
    }
    return find_length(node, error) && check_promises(node, error);
}

static void iscsi_close(BlockNode *node)
{
    Iscsi *s = node->state;

    kept_drop(&s->kept, kept_mark(&s->kept));
    g_clear_pointer(&s->context, lib.iscsi_destroy_context);
}

#else

static bool iscsi_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
        "`%s`: lathe was built without iSCSI: install libiscsi-dev and build it again", node->name);
    return false;
}

#define iscsi_close NULL
#define iscsi_transfer NULL
#define iscsi_set_cache NULL
typedef char Iscsi;

#endif

BLOCK_DRIVER(iscsi) = {
    .name = "iscsi",
    .protocol = true,
    .schemes = schemes,
    .state_size = sizeof(Iscsi),
    .open = iscsi_open,
    .close = iscsi_close,
    .transfer = iscsi_transfer,
    .set_cache = iscsi_set_cache,
};

#include "block/ssh/links.h"

#ifdef HAVE_LIBSSH2
#include <errno.h>
#include <string.h>

#include "block/block.h"

#define PAUSE INT64_C(100000000) /* ns, between two tries to reach a server */

/* A coroutine that waits for a session that nobody uses. */
typedef struct SshWaiter {
    struct SshWaiter *next;
    Coroutine *co;
} SshWaiter;

/* ---- on a worker ---- */

int ssh_link_error(const SshLinks *links, const SshLink *link)
{
    int number = links->lib->libssh2_session_last_errno(link->session->session);

    if (number != LIBSSH2_ERROR_SFTP_PROTOCOL) {
        return -ENOTCONN; /* of the session, which is of no use any more */
    }
    switch (links->lib->libssh2_sftp_last_error(link->session->sftp)) {
    case LIBSSH2_FX_NO_SUCH_FILE:
    case LIBSSH2_FX_NO_SUCH_PATH: return -ENOENT;
    case LIBSSH2_FX_PERMISSION_DENIED:
    case LIBSSH2_FX_WRITE_PROTECT: return -EACCES;
    case LIBSSH2_FX_FILE_ALREADY_EXISTS: return -EEXIST;
    case LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM:
    case LIBSSH2_FX_QUOTA_EXCEEDED: return -ENOSPC;
    case LIBSSH2_FX_OP_UNSUPPORTED: return -ENOTSUP;
    case LIBSSH2_FX_NO_CONNECTION:
    case LIBSSH2_FX_CONNECTION_LOST: return -ENOTCONN;
    default: return -EIO;
    }
}

static BlockError kind_of(int number)
{
    return number == -ENOENT ? BLOCK_ERROR_MISSING
        : number == -EACCES  ? BLOCK_ERROR_PERMISSION
        : number == -EEXIST  ? BLOCK_ERROR_IN_USE
                             : BLOCK_ERROR_HOST;
}

static int64_t end_link(SshLinks *links, SshLink *link, void *data)
{
    if (link->file) {
        links->lib->libssh2_sftp_close_handle(link->file);
    }
    link->file = NULL;
    g_clear_pointer(&link->session, ssh_session_free);
    return 0;
}

static bool open_file(SshLinks *links, SshLink *link)
{
    unsigned long flags = LIBSSH2_FXF_READ | (links->writes ? LIBSSH2_FXF_WRITE : 0) |
        (links->create ? LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL : 0);
    const char *path = links->place.path;
    int number;

    link->file = links->lib->libssh2_sftp_open_ex(
        link->session->sftp, path, strlen(path), flags, 0644, LIBSSH2_SFTP_OPENFILE);
    if (link->file) {
        links->create = false;
        return true;
    }
    number = ssh_link_error(links, link);
    /* Version 3 of the protocol has no word for "there is one" */
    number = links->create && number == -EIO ? -EEXIST : number;
    g_set_error(&link->error, BLOCK_ERROR, kind_of(number),
        "`%s` of `%s` cannot be opened for %s: %s", path, links->place.host,
        links->writes ? "writing" : "reading", g_strerror(-number));
    return false;
}

static bool measure(SshLinks *links, SshLink *link)
{
    LIBSSH2_SFTP_ATTRIBUTES about = { 0 };

    if (links->lib->libssh2_sftp_fstat_ex(link->file, &about, LIBSSH2_SFTP_STAT) != 0 ||
        !(about.flags & LIBSSH2_SFTP_ATTR_SIZE) || about.filesize > INT64_MAX) {
        g_set_error(&link->error, BLOCK_ERROR, BLOCK_ERROR_HOST,
            "`%s` does not say how large `%s` is", links->place.host, links->place.path);
        return false;
    }
    link->length = about.filesize;
    return true;
}

static int64_t begin_link(SshLinks *links, SshLink *link, void *data)
{
    end_link(links, link, NULL);
    g_clear_error(&link->error);
    link->session = ssh_session_new(&links->place, &link->error);
    if (link->session && open_file(links, link) && measure(links, link)) {
        return 0;
    }
    end_link(links, link, NULL);
    return -ENOTCONN;
}

int64_t ssh_link_write(
    SshLinks *links, SshLink *link, uint64_t at, const void *data, uint64_t length)
{
    links->lib->libssh2_sftp_seek64(link->file, at);
    for (uint64_t done = 0; done < length;) {
        ssize_t moved = links->lib->libssh2_sftp_write(
            link->file, (const char *)data + done, length - done);

        if (moved <= 0) {
            return moved < 0 ? ssh_link_error(links, link) : -EIO;
        }
        done += moved;
    }
    return length;
}

static int64_t write_kept(SshLinks *links, SshLink *link, void *data)
{
    int64_t result = 0;

    for (const KeptWrite *write = links->kept.first; write && result >= 0; write = write->next) {
        result = ssh_link_write(links, link, write->at, write->data, write->length);
    }
    return result;
}

/* ---- on the loop ---- */

typedef struct Call {
    SshLinks *links;
    SshLink *link;
    SshWork *work;
    void *data;
} Call;

static int64_t run_call(void *data)
{
    Call *call = data;

    return call->work(call->links, call->link, call->data);
}

/* [co] The link is the caller's alone. */
static int64_t run_on(SshLinks *links, SshLink *link, SshWork *work, void *data)
{
    Call call = { links, link, work, data };
    EngineOp op = { .kind = ENGINE_CALL, .call = run_call, .data = &call };

    return engine_run(links->threads, &op);
}

/* One that nobody uses: a session that is there, or place for one; NULL: wait. */
static SshLink *find_idle(SshLinks *links)
{
    SshLink *empty = NULL;

    for (unsigned i = 0; i < SSH_LINKS; i++) {
        SshLink *link = &links->links[i];

        if (!link->busy && link->session) {
            return link;
        }
        if (!link->busy && !link->refused && !empty) {
            empty = link;
        }
    }
    return empty;
}

/* [co] First come, first served. */
static SshLink *take(SshLinks *links)
{
    SshLink *link;

    while (!(link = find_idle(links))) {
        SshWaiter self = { .co = coroutine_self() }, **at = &links->waiters;

        while (*at) {
            at = &(*at)->next;
        }
        *at = &self;
        coroutine_yield();
    }
    link->busy = true;
    return link;
}

static void give(SshLinks *links, SshLink *link)
{
    SshWaiter *first = links->waiters;

    link->busy = false;
    if (first) {
        links->waiters = first->next;
        coroutine_enter(first->co);
    }
}

static bool has_any(const SshLinks *links)
{
    bool any = false;

    for (unsigned i = 0; i < SSH_LINKS; i++) {
        any |= links->links[i].session != NULL;
    }
    return any;
}

/* Place for another session. When there is none at all, what was refused is tried again. */
static SshLink *find_empty(SshLinks *links)
{
    bool any = has_any(links);

    for (unsigned i = 0; i < SSH_LINKS; i++) {
        SshLink *link = &links->links[i];

        link->refused &= any;
        if (!link->session && !link->refused) {
            return link;
        }
    }
    return NULL;
}

/* [co] Alone: the kept writes are what the disk holds, in their order. */
static int begin(SshLinks *links, SshLink *link)
{
    int64_t result = run_on(links, link, begin_link, NULL);

    if (result == 0 && links->kept.first) {
        result = run_on(links, link, write_kept, NULL);
    }
    if (result == -ENOTCONN) {
        run_on(links, link, end_link, NULL);
        return -ENOTCONN;
    }
    if (result < 0) { /* it is there, and does not take them */
        links->lost = true;
        kept_drop(&links->kept, kept_mark(&links->kept));
    }
    links->begun++;
    return 0;
}

/*
 * [co] Begins a session, alone; unless somebody else has since `begun`. False when there is none,
 * for as long as we are patient. One more that the server does not let us have is done without.
 */
static bool begin_one(SshLinks *links, unsigned begun)
{
    int64_t until = io_loop_now() + links->patience;
    bool there = false;
    Range alone;

    ranges_lock(&links->users, &alone, 0, UINT64_MAX);
    while (!there) {
        SshLink *link = links->begun == begun ? find_empty(links) : NULL;

        if (link && begin(links, link) < 0) {
            link->refused = has_any(links);
        }
        there = has_any(links);
        if (!there && io_loop_now() >= until) {
            break;
        }
        if (!there) {
            io_loop_sleep(links->loop, PAUSE);
            begun = links->begun;
        }
    }
    ranges_unlock(&links->users, &alone);
    return there;
}

/* [co] With one that is there; *empty: there was none, and nothing was done. */
static int64_t run_once(SshLinks *links, const SshJob *job, bool *empty)
{
    Range shared;
    SshLink *link;
    int64_t result = 0;

    ranges_lock_shared(&links->users, &shared, 0, UINT64_MAX);
    link = take(links);
    *empty = !link->session;
    if (link->session) {
        result = run_on(links, link, job->work, job->data);
    }
    if (result == -ENOTCONN) {
        run_on(links, link, end_link, NULL);
    }
    if (!*empty && result >= 0 && job->done) {
        job->done(links, job->data);
    }
    give(links, link);
    ranges_unlock(&links->users, &shared);
    return result;
}

int64_t ssh_links_run(SshLinks *links, const SshJob *job)
{
    int64_t until = io_loop_now() + links->patience;
    bool empty;

    for (;;) {
        unsigned begun = links->begun;
        int64_t result = run_once(links, job, &empty);

        if (result != -ENOTCONN && !empty) {
            return result;
        }
        if (!begin_one(links, begun) || (!empty && io_loop_now() >= until)) {
            return -EIO;
        }
    }
}

/* ---- life ---- */

bool ssh_links_open(SshLinks *links, uint64_t *length, GError **error)
{
    SshLink *link = &links->links[0];

    kept_init(&links->kept);
    if (begin(links, link) < 0) {
        g_propagate_error(error, g_steal_pointer(&link->error));
        return false;
    }
    *length = link->length;
    return true;
}

void ssh_links_close(SshLinks *links)
{
    for (unsigned i = 0; links->threads && i < SSH_LINKS; i++) {
        run_on(links, &links->links[i], end_link, NULL);
        g_clear_error(&links->links[i].error);
    }
    kept_drop(&links->kept, kept_mark(&links->kept));
    engine_unref(links->threads);
}

#endif

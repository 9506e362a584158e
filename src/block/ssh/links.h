/*
 * The sessions that a disk on an SSH server has: as many as there are requests at once, up to a
 * few, each with the file open. A session that ends is begun anew for a while; whoever begins one tells
 * the server again what it has acknowledged and no flush has covered (block/kept.h), as it may have
 * lost its power meanwhile.
 *
 * Functions marked [co] are for the node's loop; work is done on worker threads, with one session.
 */
#ifndef BLOCK_SSH_LINKS_H
#define BLOCK_SSH_LINKS_H

#include "block/engine.h"
#include "block/kept.h"
#include "block/ranges.h"
#include "block/ssh/session.h"

#ifdef HAVE_LIBSSH2

enum { SSH_LINKS = 4 };

typedef struct SshLink {
    SshSession *session; /* NULL: none */
    LIBSSH2_SFTP_HANDLE *file;
    bool busy, refused; /* the server has enough of us */
    uint64_t length;    /* of the file, when it was opened */
    GError *error;      /* why it could not be opened */
} SshLink;

typedef struct SshLinks {
    const SshLib *lib;
    SshPlace place;
    IoLoop *loop;
    Engine *threads;
    bool writes, create;
    bool keep;        /* what is written until it is flushed */
    int64_t patience; /* ns */
    SshLink links[SSH_LINKS];
    unsigned begun; /* sessions, until now: a number to see that there is a new one */
    Ranges users;   /* requests share it; who begins a session has it alone */
    struct SshWaiter *waiters;
    Kept kept;
    bool lost; /* something that was kept cannot be written again: the next flush says so */
} SshLinks;

/*
 * Something to do with a session, on a worker thread: 0 or more, or -errno; -ENOTCONN when the
 * session is of no use any more. What has ended well is told to `done` on the loop, if there is
 * one, before any session is begun: it may change what is kept.
 */
typedef int64_t SshWork(SshLinks *links, SshLink *link, void *data);
typedef struct SshJob {
    SshWork *work;
    void (*done)(SshLinks *links, void *data);
    void *data;
} SshJob;

/* What the server said last about a call that failed. */
int ssh_link_error(const SshLinks *links, const SshLink *link);

/* [co] The first session; `length` is the file's. */
bool ssh_links_open(SshLinks *links, uint64_t *length, GError **error);
/* [co] */
void ssh_links_close(SshLinks *links);

/* [co] Does it with a session that nobody else uses; again with a new one when that ends. */
int64_t ssh_links_run(SshLinks *links, const SshJob *job);

/* Writes all of it. A SshWork's part. */
int64_t ssh_link_write(
    SshLinks *links, SshLink *link, uint64_t at, const void *data, uint64_t length);

#endif
#endif

/*
 * A session with an SSH server, and the SFTP subsystem in it (draft-ietf-secsh-filexfer-02), by
 * libssh2. All of it waits: these functions are for worker threads, one at a time for a session.
 */
#ifndef BLOCK_SSH_SESSION_H
#define BLOCK_SSH_SESSION_H

#include "core/dynamic.h"
#include "core/have.h"

#ifdef HAVE_LIBSSH2
#include <libssh2.h>
#include <libssh2_sftp.h>

#define SSH_CALLS(C)                                                                               \
    C(libssh2_agent_connect)                                                                       \
    C(libssh2_agent_disconnect)                                                                    \
    C(libssh2_agent_free)                                                                          \
    C(libssh2_agent_get_identity)                                                                  \
    C(libssh2_agent_init)                                                                          \
    C(libssh2_agent_list_identities)                                                               \
    C(libssh2_agent_userauth)                                                                      \
    C(libssh2_hostkey_hash)                                                                        \
    C(libssh2_init)                                                                                \
    C(libssh2_knownhost_checkp)                                                                    \
    C(libssh2_knownhost_free)                                                                      \
    C(libssh2_knownhost_init)                                                                      \
    C(libssh2_knownhost_readfile)                                                                  \
    C(libssh2_session_disconnect_ex)                                                               \
    C(libssh2_session_free)                                                                        \
    C(libssh2_session_handshake)                                                                   \
    C(libssh2_session_hostkey)                                                                     \
    C(libssh2_session_init_ex)                                                                     \
    C(libssh2_session_last_errno)                                                                  \
    C(libssh2_session_last_error)                                                                  \
    C(libssh2_session_set_timeout)                                                                 \
    C(libssh2_sftp_close_handle)                                                                   \
    C(libssh2_sftp_fstat_ex)                                                                       \
    C(libssh2_sftp_fsync)                                                                          \
    C(libssh2_sftp_init)                                                                           \
    C(libssh2_sftp_last_error)                                                                     \
    C(libssh2_sftp_open_ex)                                                                        \
    C(libssh2_sftp_read)                                                                           \
    C(libssh2_sftp_seek64)                                                                         \
    C(libssh2_sftp_shutdown)                                                                       \
    C(libssh2_sftp_write)                                                                          \
    C(libssh2_userauth_publickey_fromfile_ex)

typedef struct SshLib {
    SSH_CALLS(DYNAMIC_POINTER)
} SshLib;

/* Loads the library the first time; NULL when it is missing. */
const SshLib *ssh_lib(GError **error);

/* Where to, and who we are: the parts of a URL. */
typedef struct SshPlace {
    char *host, *user, *path;
    unsigned port;
    char *key;         /* of a private key's file; NULL: the agent's keys, and the usual files */
    char *fingerprint; /* of the server's key, "SHA256:..."; NULL: it must be in known_hosts */
    char *known_hosts; /* that file */
} SshPlace;

/* ssh://[USER@]HOST[:PORT]/PATH[?key=FILE&fingerprint=SHA256:...&known-hosts=FILE] */
bool ssh_place_parse(const char *url, SshPlace *out, GError **error);
void ssh_place_clear(SshPlace *place);

typedef struct SshSession {
    int fd;
    LIBSSH2_SESSION *session;
    LIBSSH2_SFTP *sftp;
} SshSession;

/* Connects, knows the server by its key, and gives it ours. */
SshSession *ssh_session_new(const SshPlace *place, GError **error);
void ssh_session_free(SshSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SshSession, ssh_session_free)

/* What the library said last. */
const char *ssh_session_said(const SshSession *session);

#endif
#endif

#include "block/ssh/session.h"

#ifdef HAVE_LIBSSH2
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "block/block.h"
#include "core/socket.h"

enum { PORT = 22, PATIENCE_SECONDS = 30, SHA256_SIZE = 32 };

static SshLib lib;
static const DynamicCall calls[] = { SSH_CALLS(DYNAMIC_CALL){} };

const SshLib *ssh_lib(GError **error)
{
    static gsize state; /* 2: it is there */

    if (g_once_init_enter(&state)) {
        bool there = dynamic_load("libssh2.so.1", "libssh2-1", calls, &lib, error) &&
            lib.libssh2_init(0) == 0;

        g_once_init_leave(&state, there ? 2 : 1);
        if (!there && error && *error) {
            return NULL;
        }
    }
    if (state != 2) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "libssh2 is missing: install libssh2-1");
        return NULL;
    }
    return &lib;
}

/* ---- where to ---- */

static char *home_file(const char *name)
{
    return g_build_filename(g_get_home_dir(), ".ssh", name, NULL);
}

static bool take_parameters(const char *query, SshPlace *out, GError **error)
{
    struct {
        const char *name;
        char **value;
    } const known[] = { { "key", &out->key }, { "fingerprint", &out->fingerprint },
        { "known-hosts", &out->known_hosts } };
    GUriParamsIter iter;
    gchar *name, *value;

    g_uri_params_iter_init(&iter, query ? query : "", -1, "&", G_URI_PARAMS_NONE);
    while (g_uri_params_iter_next(&iter, &name, &value, error)) {
        unsigned i = 0;

        while (i < G_N_ELEMENTS(known) && strcmp(known[i].name, name) != 0) {
            i++;
        }
        if (i == G_N_ELEMENTS(known)) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
                "an ssh URL has no parameter `%s`: expected key, fingerprint or known-hosts", name);
            g_free(name);
            g_free(value);
            return false;
        }
        g_free(*known[i].value);
        *known[i].value = value;
        g_free(name);
    }
    return !error || !*error;
}

bool ssh_place_parse(const char *url, SshPlace *out, GError **error)
{
    g_autoptr(GUri)
        uri = g_uri_parse(url, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_QUERY, error);

    *out = (SshPlace){ 0 };
    if (!uri) {
        return false;
    }
    if (!g_uri_get_host(uri) || !*g_uri_get_host(uri) || strlen(g_uri_get_path(uri)) < 2 ||
        g_uri_get_password(uri)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
            "`%s` is not of the form ssh://[USER@]HOST[:PORT]/PATH; passwords are not taken", url);
        return false;
    }
    out->host = g_strdup(g_uri_get_host(uri));
    out->user = g_strdup(g_uri_get_user(uri) ? g_uri_get_user(uri) : g_get_user_name());
    out->path = g_strdup(g_uri_get_path(uri));
    out->port = g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : PORT;
    if (!take_parameters(g_uri_get_query(uri), out, error)) {
        return false;
    }
    out->known_hosts = out->known_hosts ? out->known_hosts : home_file("known_hosts");
    return true;
}

void ssh_place_clear(SshPlace *place)
{
    g_free(place->host);
    g_free(place->user);
    g_free(place->path);
    g_free(place->key);
    g_free(place->fingerprint);
    g_free(place->known_hosts);
    *place = (SshPlace){ 0 };
}

/* ---- the server's key ---- */

static bool check_fingerprint(const SshSession *s, const SshPlace *place, GError **error)
{
    const char *hash = lib.libssh2_hostkey_hash(s->session, LIBSSH2_HOSTKEY_HASH_SHA256);
    g_autofree char *base64 = hash ? g_base64_encode((const guchar *)hash, SHA256_SIZE) : NULL;
    g_autofree char *seen = NULL;

    if (base64) {
        base64[strcspn(base64, "=")] = '\0'; /* as ssh-keygen -l writes it */
        seen = g_strconcat("SHA256:", base64, NULL);
    }
    if (g_strcmp0(seen, place->fingerprint) == 0) {
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION,
        "the key of `%s` has the fingerprint %s, expected %s", place->host, seen ? seen : "(none)",
        place->fingerprint);
    return false;
}

static int look_up_key(const SshSession *s, const SshPlace *place, LIBSSH2_KNOWNHOSTS *hosts)
{
    struct libssh2_knownhost *found;
    size_t length = 0;
    int type;
    const char *key = lib.libssh2_session_hostkey(s->session, &length, &type);

    lib.libssh2_knownhost_readfile(hosts, place->known_hosts, LIBSSH2_KNOWNHOST_FILE_OPENSSH);
    return key ? lib.libssh2_knownhost_checkp(hosts, place->host, place->port, key, length,
                     LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW, &found)
               : LIBSSH2_KNOWNHOST_CHECK_FAILURE;
}

static bool check_known_hosts(const SshSession *s, const SshPlace *place, GError **error)
{
    LIBSSH2_KNOWNHOSTS *hosts = lib.libssh2_knownhost_init(s->session);
    int found = hosts ? look_up_key(s, place, hosts) : LIBSSH2_KNOWNHOST_CHECK_FAILURE;

    if (hosts) {
        lib.libssh2_knownhost_free(hosts);
    }
    if (found == LIBSSH2_KNOWNHOST_CHECK_MATCH) {
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION,
        found == LIBSSH2_KNOWNHOST_CHECK_MISMATCH
            ? "the key of `%s` is another one than `%s` has: somebody may sit in between"
            : "the key of `%s` is not in `%s`: add it there, or name it by ?fingerprint=SHA256:...",
        place->host, place->known_hosts);
    return false;
}

/* ---- our key ---- */

static bool try_agent(const SshSession *s, const SshPlace *place)
{
    LIBSSH2_AGENT *agent = g_getenv("SSH_AUTH_SOCK") ? lib.libssh2_agent_init(s->session) : NULL;
    struct libssh2_agent_publickey *key = NULL, *before = NULL;
    bool taken = false;

    if (agent && lib.libssh2_agent_connect(agent) == 0 &&
        lib.libssh2_agent_list_identities(agent) == 0) {
        while (!taken && lib.libssh2_agent_get_identity(agent, &key, before) == 0) {
            taken = lib.libssh2_agent_userauth(agent, place->user, key) == 0;
            before = key;
        }
        lib.libssh2_agent_disconnect(agent);
    }
    if (agent) {
        lib.libssh2_agent_free(agent);
    }
    return taken;
}

static bool try_file(const SshSession *s, const SshPlace *place, const char *path)
{
    return lib.libssh2_userauth_publickey_fromfile_ex(
               s->session, place->user, strlen(place->user), NULL, path, NULL) == 0;
}

static bool try_usual_files(const SshSession *s, const SshPlace *place)
{
    static const char *const names[] = { "id_ed25519", "id_ecdsa", "id_rsa" };
    bool taken = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(names) && !taken; i++) {
        g_autofree char *path = home_file(names[i]);

        taken = access(path, R_OK) == 0 && try_file(s, place, path);
    }
    return taken;
}

static bool authenticate(const SshSession *s, const SshPlace *place, GError **error)
{
    if (place->key ? try_file(s, place, place->key)
                   : try_agent(s, place) || try_usual_files(s, place)) {
        return true;
    }
    if (place->key) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION,
            "`%s` does not let `%s` in with the key `%s`: %s", place->host, place->user, place->key,
            ssh_session_said(s));
    } else {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION,
            "`%s` lets `%s` in with no key of the agent or of ~/.ssh: name one by ?key=FILE",
            place->host, place->user);
    }
    return false;
}

/* ---- life ---- */

static bool begin(SshSession *s, const SshPlace *place, GError **error)
{
    s->session = lib.libssh2_session_init_ex(NULL, NULL, NULL, NULL);
    if (!s->session) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "libssh2 does not start");
        return false;
    }
    lib.libssh2_session_set_timeout(s->session, PATIENCE_SECONDS * 1000);
    if (lib.libssh2_session_handshake(s->session, s->fd) != 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` at port %u is no SSH server: %s",
            place->host, place->port, ssh_session_said(s));
        return false;
    }
    if (!(place->fingerprint ? check_fingerprint(s, place, error)
                             : check_known_hosts(s, place, error)) ||
        !authenticate(s, place, error)) {
        return false;
    }
    s->sftp = lib.libssh2_sftp_init(s->session);
    if (!s->sftp) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` has no SFTP: %s", place->host,
            ssh_session_said(s));
    }
    return s->sftp != NULL;
}

SshSession *ssh_session_new(const SshPlace *place, GError **error)
{
    g_autoptr(SshSession) s = g_new0(SshSession, 1);

    s->fd = socket_connect(place->host, place->port, PATIENCE_SECONDS, error);
    return s->fd >= 0 && begin(s, place, error) ? g_steal_pointer(&s) : NULL;
}

void ssh_session_free(SshSession *s)
{
    if (!s) {
        return;
    }
    if (s->fd >= 0) {
        shutdown(s->fd, SHUT_RD); /* a server that says nothing more is not waited for */
    }
    if (s->sftp) {
        lib.libssh2_sftp_shutdown(s->sftp);
    }
    if (s->session) {
        lib.libssh2_session_disconnect_ex(s->session, SSH_DISCONNECT_BY_APPLICATION, "bye", "");
        lib.libssh2_session_free(s->session);
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
    g_free(s);
}

const char *ssh_session_said(const SshSession *s)
{
    char *text = NULL;

    lib.libssh2_session_last_error(s->session, &text, NULL, 0);
    return text && *text ? text : "no reason given";
}

#endif

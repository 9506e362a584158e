#include "block/nbd/tls.h"

#include <errno.h>
#include <poll.h>

#include "core/dynamic.h"
#include "core/have.h"

#ifdef HAVE_GNUTLS
#include <gnutls/gnutls.h>

#define CALLS(C)                                                                                   \
    C(gnutls_certificate_allocate_credentials)                                                     \
    C(gnutls_certificate_free_credentials)                                                         \
    C(gnutls_certificate_set_x509_key_file)                                                        \
    C(gnutls_certificate_set_x509_trust_file)                                                      \
    C(gnutls_certificate_server_set_request)                                                       \
    C(gnutls_session_set_verify_cert)                                                              \
    C(gnutls_credentials_set)                                                                      \
    C(gnutls_deinit)                                                                               \
    C(gnutls_handshake)                                                                            \
    C(gnutls_init)                                                                                 \
    C(gnutls_record_get_direction)                                                                 \
    C(gnutls_record_recv)                                                                          \
    C(gnutls_record_send)                                                                          \
    C(gnutls_set_default_priority)                                                                 \
    C(gnutls_strerror)                                                                             \
    C(gnutls_transport_set_int2)

static struct {
    CALLS(DYNAMIC_POINTER)
} g;
static const DynamicCall calls[] = { CALLS(DYNAMIC_CALL){} };

struct StreamKeys {
    gnutls_certificate_credentials_t credentials;
};

struct Tls {
    gnutls_session_t session;
};

/* ---- keys ---- */

static int load_files(StreamKeys *keys, const char *folder)
{
    g_autofree char *ca = g_build_filename(folder, "ca-cert.pem", NULL);
    g_autofree char *cert = g_build_filename(folder, "server-cert.pem", NULL);
    g_autofree char *key = g_build_filename(folder, "server-key.pem", NULL);
    int result = g.gnutls_certificate_set_x509_trust_file(
        keys->credentials, ca, GNUTLS_X509_FMT_PEM);

    return result < 0
        ? result
        : g.gnutls_certificate_set_x509_key_file(keys->credentials, cert, key, GNUTLS_X509_FMT_PEM);
}

StreamKeys *stream_keys_load(const char *folder, GError **error)
{
    StreamKeys *keys;
    int result;

    if (!dynamic_load("libgnutls.so.30", "libgnutls30", calls, &g, error)) {
        return NULL;
    }
    keys = g_new0(StreamKeys, 1);
    g.gnutls_certificate_allocate_credentials(&keys->credentials);
    result = load_files(keys, folder);
    if (result < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
            "no ca-cert.pem, server-cert.pem and server-key.pem that can be used in `%s`: %s",
            folder, g.gnutls_strerror(result));
        stream_keys_free(keys);
        return NULL;
    }
    return keys;
}

void stream_keys_free(StreamKeys *keys)
{
    if (keys) {
        g.gnutls_certificate_free_credentials(keys->credentials);
        g_free(keys);
    }
}

/* ---- sessions ---- */

Tls *tls_new(StreamKeys *keys, int fd)
{
    Tls *tls = g_new0(Tls, 1);

    if (g.gnutls_init(&tls->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
        g_free(tls);
        return NULL;
    }
    g.gnutls_set_default_priority(tls->session);
    g.gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, keys->credentials);
    g.gnutls_certificate_server_set_request(tls->session, GNUTLS_CERT_REQUIRE);
    g.gnutls_session_set_verify_cert(tls->session, NULL, 0);
    g.gnutls_transport_set_int2(tls->session, fd, fd);
    return tls;
}

void tls_free(Tls *tls)
{
    if (tls) {
        g.gnutls_deinit(tls->session);
        g_free(tls);
    }
}

static ssize_t result_of(ssize_t result)
{
    if (result >= 0) {
        return result;
    }
    return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED ? -EAGAIN : -EPROTO;
}

int tls_handshake(Tls *tls, short *events)
{
    int result = result_of(g.gnutls_handshake(tls->session));

    *events = g.gnutls_record_get_direction(tls->session) ? POLLOUT : POLLIN;
    return result;
}

ssize_t tls_receive(Tls *tls, void *out, size_t length)
{
    return result_of(g.gnutls_record_recv(tls->session, out, length));
}

/* The same bytes again after -EAGAIN, which is how a stream does it anyway. */
ssize_t tls_send(Tls *tls, const void *data, size_t length)
{
    return result_of(g.gnutls_record_send(tls->session, data, length));
}

#else

StreamKeys *stream_keys_load(const char *folder, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
        "lathe was built without TLS: install libgnutls28-dev and build it again");
    return NULL;
}

void stream_keys_free(StreamKeys *keys)
{
}

Tls *tls_new(StreamKeys *keys, int fd)
{
    return NULL;
}

void tls_free(Tls *tls)
{
}

int tls_handshake(Tls *tls, short *events)
{
    return -ENOSYS;
}

ssize_t tls_receive(Tls *tls, void *out, size_t length)
{
    return -ENOSYS;
}

ssize_t tls_send(Tls *tls, const void *data, size_t length)
{
    return -ENOSYS;
}

#endif

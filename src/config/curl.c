/* Loads by hand what a linker would. */
#include "config/curl.h"

#ifdef HAVE_LIBCURL
#include <dlfcn.h>

/* Debian builds it with three TLS libraries; any will do. */
static const char *const names[] = { "libcurl-gnutls.so.4", "libcurl.so.4", "libcurl-nss.so.4" };

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    { "curl_easy_init", G_STRUCT_OFFSET(Curl, easy_init) },
    { "curl_easy_cleanup", G_STRUCT_OFFSET(Curl, easy_cleanup) },
    { "curl_easy_perform", G_STRUCT_OFFSET(Curl, easy_perform) },
    { "curl_easy_strerror", G_STRUCT_OFFSET(Curl, easy_strerror) },
    { "curl_easy_setopt", G_STRUCT_OFFSET(Curl, easy_setopt) },
    { "curl_easy_getinfo", G_STRUCT_OFFSET(Curl, easy_getinfo) },
};

static gboolean fill(Curl *curl, void *library)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(symbols); i++) {
        void *symbol = dlsym(library, symbols[i].name);

        if (!symbol) {
            return FALSE;
        }
        G_STRUCT_MEMBER(void *, curl, symbols[i].offset) = symbol;
    }
    return TRUE;
}

const Curl *curl_load(GError **error)
{
    static Curl curl;

    for (unsigned i = 0; i < G_N_ELEMENTS(names) && !curl.easy_getinfo; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

        if (library && !fill(&curl, library)) {
            curl = (Curl){ 0 };
            dlclose(library);
        }
    }
    if (!curl.easy_getinfo) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
            "this host has no libcurl, which fetches images: install libcurl3-gnutls");
    }
    return curl.easy_getinfo ? &curl : NULL;
}
#endif

/*
 * libcurl, loaded when it is first used: it brings thirty other libraries, and each start of lathe
 * would be 10 ms slower.
 */
#ifndef CONFIG_CURL_H
#define CONFIG_CURL_H

#include <glib.h>

#include "core/have.h"

#ifdef HAVE_LIBCURL
#include <curl/curl.h>

/* libcurl's functions, under their names. */
typedef struct Curl {
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_strerror) *easy_strerror;
    CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
} Curl;

/* NULL when this host has none. */
const Curl *curl_load(GError **error);

#endif
#endif

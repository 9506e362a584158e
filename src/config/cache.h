/*
 * The cache of fetched images: XDG_CACHE_HOME/lathe/images, a file for each content, named by its
 * digest. Files in it never change; any process may read them at any time, and two that want the
 * same image fetch it once.
 */
#ifndef CONFIG_CACHE_H
#define CONFIG_CACHE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Where the image of a digest ("sha256:...") is, or would be. Free it. NULL: no digest. */
char *cache_path(const char *digest);

/* How far a download is; total is 0 while nobody knows. */
typedef void (*CacheProgress)(void *data, uint64_t now, uint64_t total);

typedef struct CacheWish {
    const char *url;
    const char *digest; /* what it has to be; NULL: whatever is there */
    uint64_t size;      /* as many bytes at most; 0: any */
    CacheProgress progress;
    void *data;
} CacheWish;

typedef struct CacheEntry {
    char *digest, *url; /* the URL that redirects led to */
    uint64_t size;
    bool fetched; /* now; false: it was there */
} CacheEntry;

void cache_entry_clear(CacheEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CacheEntry, cache_entry_clear)

/*
 * Downloads what is not there yet, going on where an earlier one stopped. What does not have the
 * digest is dropped. Waits for another process that fetches the same URL.
 */
bool cache_fetch(const CacheWish *wish, CacheEntry *out, GError **error);

/* The digest of a file's content. Free it. */
char *cache_digest_file(const char *path, uint64_t *size, GError **error);

#endif

/* One image after the other; a bar on a terminal, a line elsewhere. */
#include "cli/fetching.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/cache.h"

enum { BAR_WIDTH = 20, MIB = 1 << 20 };

typedef struct Bar {
    const char *name;
    int64_t drawn; /* when, in µs */
} Bar;

static void draw(void *data, uint64_t now, uint64_t total)
{
    Bar *bar = data;
    int64_t time = g_get_monotonic_time();
    int full = total ? (int)(now * BAR_WIDTH / total) : 0;

    if (!isatty(STDERR_FILENO) || time - bar->drawn < 100000) {
        return;
    }
    bar->drawn = time;
    fprintf(stderr, "\rimages.%s  %uMiB  [%.*s%.*s] %u%%", bar->name, (unsigned)(now / MIB), full,
        "####################", BAR_WIDTH - full, "....................",
        total ? (unsigned)(now * 100 / total) : 0);
}

static bool report(const LockImage *image, const GError *error, Diag *diag)
{
    return diag_error(diag, DIAG_HOST, image->mark, "%s", error->message);
}

/* Into the cache; the image's digest is known then. */
static bool fetch(LockImage *image, const char *digest, Diag *diag)
{
    bool same = digest && g_strcmp0(digest, image->locked) == 0;
    Bar bar = { .name = image->name };
    CacheWish wish = {
        .url = image->url,
        .digest = digest,
        .size = same ? image->locked_size : 0,
        .progress = draw,
        .data = &bar,
    };
    g_auto(CacheEntry) entry = { 0 };
    g_autoptr(GError) error = NULL;

    if (!cache_fetch(&wish, &entry, &error)) {
        return report(image, error, diag);
    }
    fprintf(stderr, "%simages.%s  %s  %.1fMiB%s\n", bar.drawn ? "\r\033[K" : "", image->name,
        entry.fetched ? "fetched" : "there", (double)entry.size / MIB,
        entry.fetched && strcmp(entry.url, image->url) != 0 ? "  (redirected)" : "");
    image->asked = image->url;
    image->got = entry.url ? g_intern_string(entry.url) : image->got ? image->got : image->url;
    image->locked = g_intern_string(entry.digest);
    image->locked_size = entry.size;
    return true;
}

/* A file beside the machine is what it is; the lock only remembers. */
static bool look_at_file(LockImage *image, Diag *diag)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *digest = cache_digest_file(image->file, &image->locked_size, &error);

    if (!digest) {
        return report(image, error, diag);
    }
    image->locked = g_intern_string(digest);
    return !image->digest || strcmp(image->digest, digest) == 0 ||
        diag_error(diag, DIAG_LOCK, image->mark, "`%s` is %s, not what `digest` says", image->file,
            digest);
}

static bool pin(LockImage *image, bool update, bool offline, Diag *diag)
{
    bool pinned = g_strcmp0(image->asked, image->url) == 0 &&
        (!image->digest || g_strcmp0(image->digest, image->locked) == 0);

    if (!image->url) {
        return !image->file || look_at_file(image, diag);
    }
    if (image->locked && pinned && !update) {
        return true;
    }
    if (offline) {
        image->locked = image->digest ? image->digest : "unknown";
        image->locked_size = 0;
        return true;
    }
    return fetch(image, image->digest, diag);
}

bool pin_images(LockImages *images, char **updates, bool offline, Diag *diag)
{
    bool fine = true;

    for (unsigned i = 0; i < lock_images_count(images); i++) {
        LockImage *image = lock_images_get(images, i);
        bool update = updates && g_strv_contains((const char *const *)updates, image->name);

        fine &= pin(image, update, offline, diag);
    }
    return fine;
}

bool fetch_images(LockImages *images, Diag *diag)
{
    bool fine = true;

    for (unsigned i = 0; i < lock_images_count(images); i++) {
        LockImage *image = lock_images_get(images, i);
        bool locked = g_strcmp0(image->asked, image->url) == 0;
        const char *digest = image->digest ? image->digest : locked ? image->locked : NULL;

        if (image->url && !digest) {
            fine = diag_error(
                diag, DIAG_NOT_PINNED, image->mark, "images.%s is not pinned", image->name);
            diag_hint(diag, "`lathe lock` fetches it and pins what it gets");
        } else if (image->url) {
            fine &= fetch(image, digest, diag);
        }
    }
    return fine;
}

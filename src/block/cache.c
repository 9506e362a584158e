/*
 * The cache modes.
 *
 *                writeback direct no_flush | page   guest has  flush    lost when the power
 *                                          | cache  a cache             fails
 *   writeback        x                     | yes    yes        done     since the last flush
 *   none             x       x             | no     yes        done     since the last flush
 *   writethrough                           | yes    no         done     nothing completed
 *   directsync               x             | no     no         done     nothing completed
 *   unsafe           x               x     | yes    yes        ignored  anything
 *
 * A mode is kept or refused, never weakened. Durable writes carry the demand with each write
 * (RWF_DSYNC) instead of in the descriptor (O_DSYNC): so a guest can be given or refused a write
 * cache at run time without the image being opened anew.
 */
#include "block/cache.h"

#include <glib.h>
#include <string.h>

static const DriveCache presets[] = {
    { .word = "writeback", .writeback = true },
    { .word = "none", .writeback = true, .direct = true },
    { .word = "writethrough" },
    { .word = "directsync", .direct = true },
    { .word = "unsafe", .writeback = true, .no_flush = true },
};

bool cache_wants_direct(const DriveCache *cache)
{
    return cache->direct;
}

bool cache_writes_durably(const DriveCache *cache)
{
    return !cache->writeback && !cache->no_flush;
}

bool cache_offers_write_cache(const DriveCache *cache)
{
    return cache->writeback;
}

bool cache_ignores_flush(const DriveCache *cache)
{
    return cache->no_flush;
}

bool cache_needs_flush(const DriveCache *cache)
{
    return cache_writes_durably(cache);
}

bool cache_is_same(const DriveCache *one, const DriveCache *other)
{
    return one->writeback == other->writeback && one->direct == other->direct &&
        one->no_flush == other->no_flush;
}

bool cache_from_word(const char *word, DriveCache *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(presets); i++) {
        if (strcmp(presets[i].word, word) == 0) {
            *out = presets[i];
            return true;
        }
    }
    return false;
}

void cache_name(DriveCache *cache)
{
    cache->word = "a mode of its own";
    for (unsigned i = 0; i < G_N_ELEMENTS(presets); i++) {
        if (cache_is_same(cache, &presets[i])) {
            cache->word = presets[i].word;
        }
    }
}

char *cache_text(const DriveCache *cache)
{
    DriveCache named = *cache, preset;

    cache_name(&named);
    return cache_from_word(named.word, &preset)
        ? g_strdup(named.word)
        : g_strdup_printf("{writeback: %s, direct: %s, no-flush: %s}",
              cache->writeback ? "true" : "false", cache->direct ? "true" : "false",
              cache->no_flush ? "true" : "false");
}

/* The bit of a key of the map; NULL: it has no such key. */
static bool *find_bit(DriveCache *cache, const char *key)
{
    return strcmp(key, "writeback") == 0 ? &cache->writeback
        : strcmp(key, "direct") == 0     ? &cache->direct
        : strcmp(key, "no-flush") == 0   ? &cache->no_flush
                                         : NULL;
}

static bool apply_bit(DriveCache *cache, const char *key, const char *value, const char *yes)
{
    bool *bit = find_bit(cache, key);

    if (!bit || (strcmp(value, yes) != 0 && strcmp(value, yes[0] == 'o' ? "off" : "false") != 0)) {
        return false;
    }
    *bit = strcmp(value, yes) == 0;
    return true;
}

/* As maps merge in a machine file: a key that is not said stays as it is. */
static bool apply_map(DriveCache *cache, const char *text)
{
    size_t length = strlen(text);
    g_autofree char *inside = length < 2 ? NULL : g_strndup(text + 1, length - 2);
    g_auto(GStrv) pairs = NULL;
    bool fine = inside && text[length - 1] == '}';

    pairs = g_strsplit(inside ? inside : "", ",", 4);
    fine = fine && pairs[0];
    for (unsigned i = 0; fine && pairs[i]; i++) {
        char *value = strstr(pairs[i], ": ");

        if (value) {
            *value = 0;
        }
        fine = value && apply_bit(cache, g_strstrip(pairs[i]), g_strstrip(value + 1), "true");
    }
    return fine;
}

bool cache_apply_setting(DriveCache *cache, const char *setting)
{
    DriveCache changed = *cache;
    bool known = false;

    if (g_str_has_prefix(setting, "cache={")) {
        known = apply_map(&changed, setting + strlen("cache="));
    } else if (g_str_has_prefix(setting, "cache=")) {
        known = cache_from_word(setting + strlen("cache="), &changed);
    } else if (g_str_has_prefix(setting, "cache.") && strchr(setting, '=')) {
        const char *key = setting + strlen("cache.");
        g_autofree char *name = g_strndup(key, strchr(key, '=') - key);

        known = apply_bit(&changed, name, strchr(key, '=') + 1, "on");
    }
    if (known) {
        changed.mark = cache->mark;
        *cache = changed;
        cache_name(cache);
    }
    return known;
}

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

bool cache_apply_setting(DriveCache *cache, const char *setting)
{
    const struct {
        const char *key;
        bool *bit;
    } keys[] = {
        { "cache.writeback=", &cache->writeback },
        { "cache.direct=", &cache->direct },
        { "cache.no-flush=", &cache->no_flush },
    };
    Mark mark = cache->mark;

    if (g_str_has_prefix(setting, "cache=")) {
        bool known = cache_from_word(setting + strlen("cache="), cache);

        cache->mark = mark;
        return known;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *value = setting + strlen(keys[i].key);

        if (g_str_has_prefix(setting, keys[i].key) &&
            (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)) {
            *keys[i].bit = strcmp(value, "on") == 0;
            cache_name(cache);
            return true;
        }
    }
    return false;
}

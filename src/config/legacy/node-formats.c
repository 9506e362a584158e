/* What each format asks of its keys, of what its file holds, and of the node below it. */
#include "config/legacy/nodes-impl.h"

#include <string.h>

static bool check_content(Opener *o, const LegacyNode *node, Span at)
{
    const char *content = node->facts.format;

    if (!node->known || !content || strcmp(node->driver, "raw") == 0 ||
        !driver_has_magic(node->driver) || strcmp(node->driver, content) == 0) {
        return true;
    }
    return legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` is not in %s format (it is %s)",
        node->file, node->driver, content);
}

static bool check_window(Opener *o, const char *prefix, const LegacyNode *node)
{
    const Opt *offset = opener_get(o, prefix, "offset"), *size = opener_get(o, prefix, "size");
    uint64_t from = 0, length = 0, all = node->facts.size;

    if (strcmp(node->driver, "raw") != 0 || (!offset && !size)) {
        return true;
    }
    if ((offset && !opener_check_value(o, offset, 'z')) ||
        (size && !opener_check_value(o, size, 'z'))) {
        return false;
    }
    (void)(offset && opt_size(offset->value, &from));
    (void)(size && opt_size(size->value, &length));
    if (length % 512) {
        return opener_refuse(o, size, "a multiple of 512");
    }
    if (all && (from > all || length > all - from)) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_VALUE,
            offset ? offset->value_at : size->value_at,
            "the part of `%s` ends behind its %" G_GUINT64_FORMAT " bytes", node->file, all);
    }
    return true;
}

static bool check_qcow2_numbers(Opener *o, const char *prefix)
{
    static const char *const checks[] = { "none", "constant", "cached", "all", NULL };
    static const char *const templates[] = { "overlap-check", "overlap-check.template" };
    const Opt *entry = opener_get(o, prefix, "l2-cache-entry-size"),
              *interval = opener_get(o, prefix, "cache-clean-interval");
    uint64_t number;

    if (entry &&
        (!opt_size(entry->value, &number) || number < 512 || number > 2 << 20 ||
            (number & (number - 1)))) {
        return opener_refuse(o, entry, "a power of two between 512 and the size of a cluster");
    }
    if (interval && (!opt_number(interval->value, &number) || number > G_MAXUINT32)) {
        return opener_refuse(o, interval, "a number of seconds below 2^32");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(templates); i++) {
        const Opt *check = opener_get(o, prefix, templates[i]);

        if (check && !g_strv_contains(checks, check->value)) {
            return opener_refuse(o, check, "none, constant, cached or all");
        }
    }
    return true;
}

static bool check_qcow2_caches(Opener *o, const char *prefix)
{
    const Opt *all = opener_get(o, prefix, "cache-size"),
              *tables = opener_get(o, prefix, "l2-cache-size");
    const Opt *counts = opener_get(o, prefix, "refcount-cache-size");
    const Opt *parts[] = { tables, counts };
    uint64_t most = 0, part = 0;

    for (unsigned i = 0; i < 3; i++) {
        const Opt *opt = i < 2 ? parts[i] : all;

        if (opt && !opener_check_value(o, opt, 'z')) {
            return false;
        }
    }
    if (all && tables && counts) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, all->key_at,
            "of cache-size, l2-cache-size and refcount-cache-size, two at most may be set");
    }
    for (unsigned i = 0; all && i < 2; i++) {
        if (parts[i] && opt_size(all->value, &most) && opt_size(parts[i]->value, &part) &&
            part > most) {
            return opener_refuse(o, parts[i], "within cache-size");
        }
    }
    return check_qcow2_numbers(o, prefix);
}

/* What only an image with the right header may be asked. */
static bool check_header(Opener *o, const char *prefix, const LegacyNode *node)
{
    const Opt *encryption = opts_find(o->keys, opener_key(o, prefix, "encrypt.format"));
    bool data_file = opts_find(o->keys, opener_key(o, prefix, "data-file")) ||
        opener_has_below(o, opener_key(o, prefix, "data-file."));

    if (!node->known || !node->facts.header || strcmp(node->driver, "qcow2") != 0) {
        return true;
    }
    if (encryption && !node->facts.encrypted) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, encryption->key_at,
            "`%s` is not encrypted, but `%s` is given", node->file, encryption->key);
    }
    return !data_file || node->facts.data_file ||
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, o->keys->at,
            "`%s` keeps its own data: it takes no data-file", node->file);
}

/* Formats write to the node below as soon as they are open; raw ones only for a device. */
static bool check_writable(Opener *o, const LegacyNode *node, Span at)
{
    bool raw = strcmp(node->driver, "raw") == 0;

    if (strcmp(node->driver, "copy-on-read") == 0 && node->read_only) {
        return legacy_refuse(
            o->legacy, DIAG_LEGACY_IMAGE, at, "copy-on-read writes, and its node is read-only");
    }
    return raw || !node->never_writes || node->read_only || o->below_scratch ||
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at,
            "`%s` is read-only, and the node above it (%s) has to write", node->file, node->driver);
}

static bool check_blkverify(Opener *o, const char *prefix, const char *name)
{
    static const char *const keys[] = { "raw", "raw.", "x-raw" };
    bool named = name && g_str_has_prefix(name, "blkverify:");

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        named = named || opener_has_below(o, opener_key(o, prefix, keys[i]));
    }
    return named ||
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, o->keys->at,
            "`blkverify` needs a second image to compare with (raw.file.filename)");
}

bool format_check(Opener *o, const char *prefix, const LegacyNode *node, const LegacyNode *below,
    const ImageDriver *driver)
{
    Span at = node->at;

    if (driver->needs && !opener_get(o, prefix, driver->needs) &&
        !opener_has_below(
            o, opener_key(o, prefix, arena_printf(o->legacy->arena, "%s.", driver->needs)))) {
        return legacy_refuse(
            o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` needs `%s`", driver->name, driver->needs);
    }
    if (strcmp(driver->name, "compress") == 0 && strcmp(below->driver, below->protocol) == 0) {
        return legacy_refuse(
            o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` cannot compress", below->driver);
    }
    if ((strcmp(driver->name, "qcow2") == 0 && !check_qcow2_caches(o, prefix)) ||
        (strcmp(driver->name, "throttle") == 0 &&
            !opener_check_object(o, opener_get(o, prefix, "throttle-group"), "throttle-group"))) {
        return false;
    }
    return check_header(o, prefix, node) && check_writable(o, node, at) &&
        check_content(o, node, at) && check_window(o, prefix, node);
}

/* The rules of `blkdebug:CONFIG:IMAGE` are a file. */
static bool check_blkdebug(Opener *o, const char *name, Span at)
{
    const char *config = name + strlen("blkdebug:");
    g_autofree char *path = g_strndup(config, strcspn(config, ":"));
    const Legacy *l = o->legacy;
    FileFacts facts;

    return !*path || !l->files.look(l->files.data, path, &facts) || facts.kind != FILE_ABSENT ||
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` is not there", path);
}

/* What a filter for tests needs besides the node below it. */
bool format_check_filter(
    Opener *o, const char *prefix, const ImageDriver *driver, const char *name, Span at)
{
    if (strcmp(driver->name, "blkverify") == 0) {
        return check_blkverify(o, prefix, name);
    }
    return !name || !g_str_has_prefix(name, "blkdebug:") || check_blkdebug(o, name, at);
}

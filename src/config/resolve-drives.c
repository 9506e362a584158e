/* Drives: where the bytes are, what is promised about them, and the device in front. */
#include <string.h>

#include "config/cache.h"
#include "config/layers.h"
#include "config/resolve-impl.h"
#include "core/fat-name.h"

static const struct {
    const char *word;
    bool writeback, direct, no_flush;
} cache_words[] = {
    { "writeback", true, false, false },
    { "none", true, true, false },
    { "writethrough", false, false, false },
    { "directsync", false, true, false },
    { "unsafe", true, false, true },
};

void resolve_cache(DriveCache *cache, const Node *node)
{
    *cache = (DriveCache){ .writeback = true, .word = "writeback" };
    if (!node) {
        return;
    }
    cache->mark = node->mark;
    if (node->kind == NODE_MAP) {
        cache->writeback = node_is_true(node_good(node, "writeback"));
        cache->direct = node_is_true(node_good(node, "direct"));
        cache->no_flush = node_is_true(node_good(node, "no-flush"));
        cache->word = "a mode of its own";
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cache_words); i++) {
        bool named = g_strcmp0(node_text(node), cache_words[i].word) == 0;
        bool same = cache->writeback == cache_words[i].writeback &&
            cache->direct == cache_words[i].direct && cache->no_flush == cache_words[i].no_flush;

        if (named || (node->kind == NODE_MAP && same)) {
            cache->writeback = cache_words[i].writeback;
            cache->direct = cache_words[i].direct;
            cache->no_flush = cache_words[i].no_flush;
            cache->word = cache_words[i].word;
        }
    }
}

void resolve_key(Resolver *r, DriveKey *key, const Node *node)
{
    const Node *file = node_good(node, "key-file");

    if (node) {
        key->mark = node->mark;
        key->file = file ? layers_path_beside(file, r->arena) : NULL;
        key->text = file ? NULL : node_text(node_good(node, "key"));
    }
}

/* Exactly one of them says where the bytes are. */
static bool check_source(Resolver *r, const Entry *entry)
{
    static const char *const sources[] = { "file", "image", "size", "block" };
    const Node *found = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(sources); i++) {
        const Node *node = node_get(entry->value, sources[i]);

        if (node && found) {
            diag_error(
                r->diag, DIAG_DRIVE_SOURCE, node->mark, "drives.%s has two sources", entry->key);
            diag_note(r->diag, found->mark, "the other one");
            return false;
        }
        found = node ? node : found;
    }
    if (!found) {
        diag_error(r->diag, DIAG_DRIVE_SOURCE, entry->mark,
            "drives.%s does not say where its bytes are", entry->key);
        diag_hint(r->diag, "add file, image, size or block");
        return false;
    }
    return !found->bad;
}

/* URLs are as they are, paths are beside the file that names them; so is the folder of `fat:`. */
SpecText resolve_place(Resolver *r, const Node *file)
{
    const char *text = node_text(file);
    size_t words = fat_name_words(text);
    Node folder = *file;

    if (words == 0 && strstr(text, "://")) {
        return (SpecText){ text, file->mark };
    }
    folder.scalar.text = text + words;
    return (SpecText){ arena_printf(r->arena, "%.*s%s", (int)words, text,
                           layers_path_beside(&folder, r->arena)),
        file->mark };
}

static bool fill_file(Resolver *r, DriveSpec *drive, const Node *file, const Node *format, Mark at)
{
    if (!format) {
        diag_error(r->diag, DIAG_MISSING_KEY, at, "drives.%s needs the key `format`", drive->id);
        diag_hint(r->diag, "format: raw, or qcow2; it is never guessed");
        return false;
    }
    drive->path = resolve_place(r, file);
    drive->format = resolve_text(format);
    return !format->bad;
}

/* The digest that pins what a URL gives: the machine's, or the lock's for the same URL. */
static const char *pinned_digest(Resolver *r, const char *name, const Node *image)
{
    const Node *locked = node_get(node_get(r->in->lock, "images"), name);
    const char *digest = node_text(node_good(image, "digest"));

    if (!digest &&
        g_strcmp0(node_text(node_get(locked, "asked")), node_text(node_get(image, "url"))) == 0) {
        digest = node_text(node_get(locked, "digest"));
    }
    return digest;
}

/* Whether it has been fetched is asked when the drive is opened. */
static bool fill_fetched(Resolver *r, DriveSpec *drive, const Node *name, const Node *image)
{
    g_autofree char *path = cache_path(pinned_digest(r, node_text(name), image));

    if (!node_good(image, "url")) {
        diag_error(r->diag, DIAG_MISSING_KEY, image->mark, "images.%s says neither file nor url",
            node_text(name));
        return false;
    }
    if (drive->overlay == OVERLAY_NONE && !drive->read_only) {
        diag_error(r->diag, DIAG_LOCKED_IMAGE, name->mark,
            "drives.%s would write to the image `%s`, which many share", drive->id,
            node_text(name));
        diag_hint(r->diag, "add `overlay: ephemeral`, or `read-only: true`");
        return false;
    }
    drive->image = (SpecText){ node_text(name), name->mark };
    drive->path = (SpecText){ path ? arena_text(r->arena, path, strlen(path)) : NULL, name->mark };
    drive->format = resolve_text(node_good(image, "format"));
    return true;
}

static bool fill_image(Resolver *r, DriveSpec *drive, const Node *name, Mark at)
{
    const Node *images = node_good(r->in->machine, "images"),
               *image = node_get(images, node_text(name));

    if (!image) {
        diag_error(
            r->diag, DIAG_UNKNOWN_IMAGE, name->mark, "there is no image `%s`", node_text(name));
        if (images && images->map.count) {
            resolve_suggest(r, node_text(name), images);
        } else {
            diag_hint(r->diag,
                "declare it as `images: { NAME: { url: ..., format: qcow2 } }`, or name a file by "
                "`file`");
        }
        return false;
    }
    if (image->bad) {
        return false;
    }
    if (node_good(image, "file")) {
        return fill_file(r, drive, node_good(image, "file"), node_good(image, "format"), at);
    }
    return fill_fetched(r, drive, name, image);
}

static bool fill_source(Resolver *r, DriveSpec *drive, const Entry *entry)
{
    const Node *node = entry->value;
    const Node *file = node_good(node, "file"), *image = node_good(node, "image"),
               *size = node_good(node, "size"), *block = node_good(node, "block");

    if (!check_source(r, entry)) {
        return false;
    }
    resolve_key(r, &drive->key, node_good(node, "encryption"));
    if (block) {
        drive->graph = resolve_block(r, block, drive);
        return drive->graph != NULL;
    }
    if (file) {
        return fill_file(r, drive, file, node_get(node, "format"), entry->mark);
    }
    if (image) {
        return fill_image(r, drive, image, entry->mark);
    }
    drive->size = (SpecNumber){ resolve_quantity(size, UNIT_BYTES), size->mark, true };
    drive->format = (SpecText){ "raw", size->mark };
    if (node_good(node, "format")) {
        drive->format = resolve_text(node_good(node, "format"));
    }
    return true;
}

/* ---- limits ---- */

/* Bytes are texts with a unit, requests are plain numbers. */
static uint64_t limit_value(const Node *node)
{
    if (!node) {
        return 0;
    }
    return node->kind == NODE_INT ? node->scalar.magnitude : resolve_quantity(node, UNIT_BYTES);
}

static DriveLimit fill_limit(const Node *node)
{
    DriveLimit limit = { 0 };

    if (node && node->kind == NODE_MAP) {
        limit.rate = limit_value(node_good(node, "rate"));
        limit.burst = limit_value(node_good(node, "burst"));
        limit.burst_ns = resolve_quantity(node_good(node, "burst-length"), UNIT_TIME);
    } else {
        limit.rate = limit_value(node);
    }
    return limit;
}

void resolve_throttle(DriveThrottle *throttle, const Node *node)
{
    if (!node) {
        return;
    }
    throttle->mark = node->mark;
    if (node_good(node, "group")) {
        throttle->group = resolve_text(node_good(node, "group"));
    }
    for (unsigned i = 0; i < LIMITS; i++) {
        throttle->limits[i] = fill_limit(node_good(node, drive_limit_words[i]));
    }
    throttle->request_size = resolve_quantity(node_good(node, "request-size"), UNIT_BYTES);
}

static void fill_on_error(DriveSpec *drive, const Node *node)
{
    const char *read = node_text(node_good(node, "read"));
    const char *write = node_text(node_good(node, "write"));

    drive->on_read_error = read ? word_find(drive_on_error_words, read) : ON_ERROR_REPORT;
    drive->on_write_error = write ? word_find(drive_on_error_words, write) : ON_ERROR_ENOSPC;
}

static void fill_rest(Resolver *r, DriveSpec *drive, const Node *node)
{
    const char *overlay = node_text(node_good(node, "overlay"));
    const Node *aio = node_good(node, "aio"), *zeroes = node_good(node, "detect-zeroes");

    drive->overlay = g_strcmp0(overlay, "ephemeral") == 0 ? OVERLAY_EPHEMERAL
        : g_strcmp0(overlay, "keep") == 0                 ? OVERLAY_KEEP
                                                          : OVERLAY_NONE;
    if (drive->overlay == OVERLAY_KEEP) {
        resolve_not_yet(
            r, arena_printf(r->arena, "drives.%s.overlay", drive->id), node_get(node, "overlay"));
    }
    resolve_cache(&drive->cache, node_good(node, "cache"));
    drive->aio = aio ? word_find(drive_aio_words, node_text(aio)) : AIO_THREADS;
    drive->aio_mark = aio ? aio->mark : drive->mark;
    drive->read_only = node_is_true(node_good(node, "read-only"));
    drive->discard = g_strcmp0(node_text(node_good(node, "discard")), "ignore") != 0;
    drive->copy_on_read = node_is_true(node_good(node, "copy-on-read"));
    drive->zeroes = zeroes ? word_find(drive_zeroes_words, node_text(zeroes)) : ZEROES_IGNORE;
    fill_on_error(drive, node_good(node, "on-error"));
    resolve_throttle(&drive->throttle, node_good(node, "throttle"));
    drive->metadata_cache = resolve_quantity(node_good(node, "metadata-cache"), UNIT_BYTES);
    drive->serial = node_text(node_good(node, "serial"));
}

/* ---- the device in front ---- */

/* The first of the board's slots that says what a drive becomes. */
static const Node *preferred_type(Resolver *r)
{
    const Node *slots = node_good(r->in->board, "slots");

    for (unsigned i = 0; slots && slots->kind == NODE_MAP && i < slots->map.count; i++) {
        const Node *type = node_good(slots->map.entries[i].value, "drive");

        if (type) {
            return type;
        }
    }
    return NULL;
}

/* A device in front is of this drive, whatever it says; and it may say where it is plugged. */
static const Node *take_slot(Resolver *r, const DriveSpec *drive, const Entry *entry, Node *device)
{
    const Node *own = node_good(entry->value, "slot"), *slot = node_good(device, "slot"),
               *other = node_good(device, "drive");

    if (other && g_strcmp0(node_text(other), drive->id) != 0) {
        diag_error(r->diag, DIAG_NOT_ALLOWED, other->mark,
            "the device in front of drives.%s is of that drive, not of `%s`", drive->id,
            node_text(other) ? node_text(other) : "");
        diag_hint(r->diag, "remove the key");
    }
    if (own && slot) {
        diag_error(
            r->diag, DIAG_NOT_ALLOWED, slot->mark, "drives.%s has its slot twice", drive->id);
        diag_note(r->diag, own->mark, "the other one");
    }
    node_map_remove(device, "slot");
    return own ? own : slot;
}

static void add_front(Resolver *r, const DriveSpec *drive, const Entry *entry)
{
    Node *device = node_get(entry->value, "device");
    const Node *type = preferred_type(r), *slot;

    if (!device && !type) {
        diag_error(r->diag, DIAG_NO_SLOT, entry->mark, "the board says nothing about drives");
        diag_hint(r->diag, "name the device in front: device: { type: ... }");
        return;
    }
    if (!device) {
        device = node_new(r->arena, NODE_MAP, entry->mark);
        node_map_set(r->arena, device, "type", entry->mark, node_copy(r->arena, type));
    } else if (device->bad) {
        return;
    }
    slot = take_slot(r, drive, entry, device);
    node_map_set(
        r->arena, device, "drive", entry->mark, node_new_string(r->arena, drive->id, entry->mark));
    resolve_plugged_device(
        r, arena_printf(r->arena, "drives.%s", drive->id), device, slot, entry->mark);
}

void resolve_drives(Resolver *r)
{
    const Node *drives = node_good(r->in->machine, "drives");

    for (unsigned i = 0; drives && drives->kind == NODE_MAP && i < drives->map.count; i++) {
        const Entry *entry = &drives->map.entries[i];
        DriveSpec drive = { .id = entry->key, .mark = entry->mark };

        if (entry->value->bad) {
            continue;
        }
        fill_rest(r, &drive, entry->value);
        if (fill_source(r, &drive, entry)) {
            g_array_append_val(r->drives, drive);
        }
        add_front(r, &drive, entry);
    }
}

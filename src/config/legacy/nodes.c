/* Nodes of images: block.c of QEMU 7.2 as it is seen from the command line (DRIVE.md, 5.3 to 5.5). */
#include "config/legacy/nodes-impl.h"

#include <string.h>

#include "config/legacy/json.h"

enum { DEEPEST_NODE = 16 };

static LegacyNode *open_node(
    Opener *o, const char *prefix, const char *name, Span at, const NodeFlags *flags);

/* What every node may say of itself. */
static bool take_common(Opener *o, const char *prefix, LegacyNode *node, const NodeFlags *flags)
{
    static const char *const zeroes[] = { "off", "on", "unmap", NULL };
    const Opt *discard = opener_get(o, prefix, "discard"),
              *detect = opener_get(o, prefix, "detect-zeroes");
    const Opt *name = opener_get(o, prefix, "node-name");
    bool shared = false;

    *node = (LegacyNode){ .read_only = flags->read_only,
        .auto_read_only = flags->auto_read_only,
        .direct = flags->direct,
        .no_flush = flags->no_flush,
        .unmap = flags->unmap,
        .aio = flags->aio,
        .locking = true,
        .detect_zeroes = detect ? detect->value : "off",
        .name = name ? name->value : NULL,
        .options = o->keys,
        .at = o->keys->at };
    if (!opener_bool(o, prefix, "read-only", &node->read_only) ||
        !opener_bool(o, prefix, "auto-read-only", &node->auto_read_only) ||
        !opener_bool(o, prefix, "force-share", &shared) ||
        !opener_bool(o, prefix, "cache.direct", &node->direct) ||
        !opener_bool(o, prefix, "cache.no-flush", &node->no_flush)) {
        return false;
    }
    if (shared && !node->read_only && !o->below_scratch) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, o->keys->at,
            "force-share=on is for read-only images alone");
    }
    if (detect && !g_strv_contains(zeroes, detect->value)) {
        return opener_refuse(o, detect, "off, on or unmap");
    }
    if (discard) {
        bool on = strcmp(discard->value, "on") == 0, off = strcmp(discard->value, "off") == 0;

        node->unmap = strcmp(discard->value, "unmap") == 0 || on;
        if ((o->strict && (on || off)) ||
            (!node->unmap && !off && strcmp(discard->value, "ignore") != 0)) {
            return opener_refuse(o, discard, "ignore or unmap");
        }
    }
    if (o->strict && detect && strcmp(detect->value, "unmap") == 0 && !node->unmap) {
        return opener_refuse(o, detect, "allowed without discard=unmap");
    }
    return true;
}

/* Names are one space: of nodes, and (in drives.c) of drives. */
static bool register_name(Opener *o, LegacyNode *node, const Opt *name)
{
    Legacy *l = o->legacy;

    if (!node->name) {
        return true;
    }
    if (!opt_is_id(node->name) || strlen(node->name) > 31) {
        return legacy_refuse(l, DIAG_LEGACY_NAME, name->value_at,
            "`%s` is not a node-name: a letter, then up to 30 letters, digits, `-`, `.`, `_`",
            node->name);
    }
    if (legacy_node_find(l, node->name)) {
        return legacy_refuse(
            l, DIAG_LEGACY_NAME, name->value_at, "two nodes are called `%s`", node->name);
    }
    if (legacy_drive_find(l, node->name)) {
        return legacy_refuse(
            l, DIAG_LEGACY_NAME, name->value_at, "`%s` is already the id of a drive", node->name);
    }
    g_ptr_array_add(l->nodes, node);
    return true;
}

static bool check_aio(Opener *o, const char *prefix, LegacyNode *node, Span at)
{
    static const char *const words[] = { "threads", "native", "io_uring", NULL };
    const Opt *aio = opener_get(o, prefix, "aio");

    if (aio) {
        node->aio = aio->value;
        at = aio->value_at;
        if (!g_strv_contains(words, aio->value)) {
            return opener_refuse(o, aio, "threads, native or io_uring");
        }
    }
    if (strcmp(node->aio, "native") == 0 && !node->direct && o->legacy->as == AS_7_2) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, at,
            "aio=native needs cache.direct=on, which cache=none and directsync give");
    }
    return true;
}

static bool check_locking(Opener *o, const char *prefix, LegacyNode *node)
{
    const Opt *locking = opener_get(o, prefix, "locking");
    static const char *const words[] = { "on", "off", "auto", NULL };

    if (locking && !g_strv_contains(words, locking->value)) {
        return opener_refuse(o, locking, "on, off or auto");
    }
    node->locking = !locking || strcmp(locking->value, "off") != 0;
    return true;
}

/* A folder by its keys gets the name that says the same. */
static bool take_folder(Opener *o, const char *prefix, LegacyNode *node, Span at)
{
    const Opt *folder = opener_get(o, prefix, "dir"), *bits = opener_get(o, prefix, "fat-type"),
              *label = opener_get(o, prefix, "label");
    bool writes = false, floppy = false;

    if (!opener_bool(o, prefix, "rw", &writes) || !opener_bool(o, prefix, "floppy", &floppy)) {
        return false;
    }
    node->never_writes = !writes;
    if (!name_check_fat(o, node, writes, at)) {
        return false;
    }
    if (o->strict && !writes && !node->read_only && !node->auto_read_only) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at,
            "vvfat is read-only: rw=on, read-only=on or auto-read-only=on is missing");
    }
    node->file = arena_printf(o->legacy->arena, "fat:%s%s%s%s%s%s%s%s",
        bits && strcmp(bits->value, "0") != 0 ? bits->value : "",
        bits && strcmp(bits->value, "0") != 0 ? ":" : "", floppy ? "floppy:" : "",
        label ? "label=" : "", label ? label->value : "", label ? ":" : "", writes ? "rw:" : "",
        folder ? folder->value : "");
    node->known = true;
    node->facts = (FileFacts){ .kind = FILE_REGULAR, .format = "raw" };
    return true;
}

/* The name that `driver` reads below: its own `filename`, or what a drive's file= said. */
static bool take_filename(Opener *o, const char *prefix, const ImageDriver *driver,
    LegacyNode *node, const char *name, Span at)
{
    if (driver->flags & DRIVER_FILE) {
        if (!name || !*name) {
            return legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at,
                "the block driver `%s` needs a file name", driver->name);
        }
        if (!name_look(o, node, name, at)) {
            return false;
        }
        return check_aio(o, prefix, node, at) && check_locking(o, prefix, node) &&
            opener_check_object(o, opener_get(o, prefix, "pr-manager"), "pr-manager");
    }
    if (name && !name_is_for(driver, name)) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` is no name for `%s`: %s", name,
            driver->name, driver->url);
    }
    if (name && g_str_has_prefix(name, "fat:")) {
        name_take_fat(node, name);
        return name_check_fat(o, node, !node->never_writes, at);
    }
    if (strcmp(driver->name, "vvfat") == 0) {
        return take_folder(o, prefix, node, at);
    }
    node->file = name ? name : driver->url;
    node->known = true;
    node->facts = (FileFacts){ .kind = FILE_REGULAR, .format = "raw" };
    if (driver->flags & DRIVER_READ_ONLY) {
        node->read_only = true;
    }
    return true;
}

static LegacyNode *open_protocol(Opener *o, const char *prefix, const ImageDriver *driver,
    const char *name, Span at, const NodeFlags *flags)
{
    LegacyNode *node = ARENA_NEW(o->legacy->arena, LegacyNode);
    const Opt *filename = opener_get(o, prefix, "filename");

    if (filename && name) {
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, filename->key_at,
            "`file` and `%s` both say what the file is", filename->key);
        return NULL;
    }
    if (filename) {
        name = filename->value;
        at = filename->value_at;
    }
    if (!take_common(o, prefix, node, flags)) {
        return NULL;
    }
    node->driver = node->protocol = driver->name;
    if (!take_filename(o, prefix, driver, node, name, at) ||
        !opener_check_keys(o, prefix, driver) ||
        !register_name(o, node, opener_get(o, prefix, "node-name"))) {
        return NULL;
    }
    return node;
}

/*
 * Takes over what only the bottom knows. One that was made read-only by itself lets nobody above
 * write, though the node above does not say so.
 */
static void rest_on(LegacyNode *node, const LegacyNode *child)
{
    const ImageDriver *driver = driver_find(child->driver);
    bool never = driver && driver->flags & DRIVER_READ_ONLY;

    node->file = child->file;
    node->protocol = child->protocol;
    node->facts = child->facts;
    node->known = child->known;
    node->aio = child->aio;
    node->locking = child->locking;
    node->never_writes = child->never_writes || (child->read_only && !node->read_only && !never);
    node->read_only = node->read_only || (child->read_only && never);
}

/* `backing=NODE`, `backing=` (none), or a node of its own below `backing.`. */
static bool open_backing(Opener *o, const char *prefix, LegacyNode *node)
{
    Opt *reference = opener_get(o, prefix, "backing");
    const char *below = opener_key(o, prefix, "backing.");
    NodeFlags flags = { .read_only = true,
        .auto_read_only = true,
        .direct = node->direct,
        .no_flush = node->no_flush,
        .unmap = node->unmap,
        .aio = node->aio };
    LegacyNode *backing;

    if (reference && *reference->value && reference->type != OPT_NULL) {
        backing = legacy_node_find(o->legacy, reference->value);
        if (!backing) {
            return legacy_refuse(o->legacy, DIAG_LEGACY_NAME, reference->value_at,
                "no node is called `%s`", reference->value);
        }
        backing->backs = node;
    } else if (reference && opener_has_below(o, below)) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, reference->key_at,
            "`%s` says that there is no backing file: keys of one cannot stand beside it",
            reference->key);
    } else if (opener_has_below(o, below)) {
        backing = open_node(o, below, NULL, o->keys->at, &flags);
    } else {
        return true;
    }
    if (!backing) {
        return false;
    }
    if (!driver_has_backing(node->driver)) {
        return legacy_refuse(
            o->legacy, DIAG_LEGACY_VALUE, o->keys->at, "`%s` has no backing files", node->driver);
    }
    node->backing = backing->file;
    node->backing_format = backing->driver;
    return true;
}

/* Below a format is a protocol: that has a driver or a file name, and no file of its own. */
static bool is_unsaid_protocol(Opener *o, const ImageDriver *driver, const char *below)
{
    bool format = !driver || driver->flags & DRIVER_MAGIC || strcmp(driver->name, "raw") == 0;

    return format && !opts_find(o->keys, opener_key(o, below, "driver")) &&
        !opts_find(o->keys, opener_key(o, below, "filename"));
}

/* The node below: a reference to a named one, or one of its own. NULL after reporting. */
static LegacyNode *open_child(Opener *o, const char *prefix, const ImageDriver *driver,
    const char *name, Span at, const NodeFlags *flags)
{
    const char *child = driver && driver->child ? driver->child : "file";
    const char *below = opener_key(o, prefix, arena_printf(o->legacy->arena, "%s.", child));
    const Opt *reference = name ? NULL : opener_get(o, prefix, child);
    LegacyNode *found;

    if (reference && reference->type == OPT_TEXT) {
        found = legacy_node_find(o->legacy, reference->value);
        if (!found) {
            LegacyDrive *drive = legacy_drive_find(o->legacy, reference->value);

            found = drive ? drive->node : NULL;
        }
        if (!found) {
            legacy_refuse(o->legacy, DIAG_LEGACY_NAME, reference->value_at,
                "no node is called `%s`", reference->value);
        }
        return found;
    }
    if (name || (opener_has_below(o, below) && !is_unsaid_protocol(o, driver, below))) {
        return open_node(o, below, name, at, flags);
    }
    legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, o->keys->at,
        !driver         ? "neither a driver nor a file is given"
            : o->strict ? "`file` is missing: `%s` needs a node below it"
                        : "`%s` needs a file (or other node) below it",
        driver ? driver->name : "");
    return NULL;
}

/*
 * `blkdebug:CONFIG:IMAGE` and `blkverify:RAW:IMAGE`: what follows the second colon is the name of
 * the node below. Other names are left alone.
 */
static const char *image_in_name(const ImageDriver *driver, const char *name)
{
    const char *first = name && driver && g_str_has_prefix(name, driver->name) ? strchr(name, ':')
                                                                               : NULL;
    const char *second = first ? strchr(first + 1, ':') : NULL;

    return second && driver->child ? second + 1 : name;
}

/* Whether the node below is one that has a name and may have other users. */
static bool refers_to_node(Opener *o, const char *prefix, const ImageDriver *driver)
{
    const char *child = driver && driver->child ? driver->child : "file";
    const Opt *reference = opts_find(o->keys, opener_key(o, prefix, child));

    return (o->strict || *prefix || strcmp(child, "file") != 0) && reference &&
        reference->type == OPT_TEXT;
}

/* How QEMU calls a filter for tests: by what it filters. */
static const char *name_of_filter(
    Opener *o, const ImageDriver *driver, const char *name, const char *below)
{
    if (strcmp(driver->name, "blkverify") == 0 && name) {
        return name;
    }
    if (strcmp(driver->name, "blkdebug") != 0) {
        return below;
    }
    return name && g_str_has_prefix(name, "blkdebug:")
        ? name
        : arena_printf(o->legacy->arena, "blkdebug::%s", below);
}

static LegacyNode *open_format(Opener *o, const char *prefix, const ImageDriver *driver,
    const char *name, Span at, const NodeFlags *flags)
{
    LegacyNode *node = ARENA_NEW(o->legacy->arena, LegacyNode), *child;
    NodeFlags below;

    if (!take_common(o, prefix, node, flags)) {
        return NULL;
    }
    below = (NodeFlags){ .read_only = node->read_only,
        .auto_read_only = node->auto_read_only,
        .direct = node->direct,
        .no_flush = node->no_flush,
        .unmap = true,
        .aio = node->aio };
    child = open_child(o, prefix, driver, image_in_name(driver, name), at, &below);
    if (!child) {
        return NULL;
    }
    node->at = at;
    rest_on(node, child);
    node->shared = child->shared || refers_to_node(o, prefix, driver);
    if (driver) {
        node->file = name_of_filter(o, driver, name, child->file);
    }
    node->probed = !driver;
    node->driver = driver     ? driver->name
        : child->facts.format ? child->facts.format
                              : legacy_format_by_name(child->file);
    driver = driver ? driver : driver_find(node->driver);
    if (!format_check_filter(o, prefix, driver, name, at)) {
        return NULL;
    }
    if (driver->flags & DRIVER_READ_ONLY) {
        node->read_only = true;
    }
    if (!format_check(o, prefix, node, child, driver) || !open_backing(o, prefix, node) ||
        !opener_check_keys(o, prefix, driver) ||
        !register_name(o, node, opener_get(o, prefix, "node-name"))) {
        return NULL;
    }
    return node;
}

/* A drive has said these of its top node, if only by keeping silent. */
static bool is_settled_by_drive(const Opener *o, const char *key)
{
    static const char *const settled[] = { "read-only", "auto-read-only", "cache.direct",
        "cache.no-flush", NULL };

    return !o->strict && g_strv_contains(settled, key);
}

/* Keys that a `json:{...}` name brings; those written beside it win. */
static bool take_json_name(Opener *o, const char *prefix, const char *name, Span at)
{
    Arena *arena = o->legacy->arena;
    const char *text = name + strlen("json:");
    unsigned length = strlen(text), *places = arena_alloc(arena, (length + 1) * sizeof(*places));
    Word word = { text, length, places };
    Opts *brought = opts_new(o->keys->option, at, arena);
    const char *error;
    Span where;

    for (unsigned i = 0; i <= length; i++) {
        places[i] = at.from;
    }
    if (!*prefix && !o->strict) {
        opts_drop(o->keys, "file"); /* it is this very name, and no reference to a node */
    }
    error = json_flatten(brought, &word, 0, &where);
    if (error) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_FORM, at, "what follows json: %s", error);
    }
    for (unsigned i = 0; i < brought->count; i++) {
        const char *key = opener_key(o, prefix, brought->items[i].key);

        if (!opts_find(o->keys, key) && !is_settled_by_drive(o, key)) {
            opts_add(o->keys, key, brought->items[i].value, at)->type = brought->items[i].type;
        }
    }
    return true;
}

static LegacyNode *open_node(
    Opener *o, const char *prefix, const char *name, Span at, const NodeFlags *flags)
{
    const Opt *said;
    const ImageDriver *driver = NULL;
    LegacyNode *node = NULL;

    if (o->depth >= DEEPEST_NODE) {
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at, "nodes within nodes, without end");
        return NULL;
    }
    if (name && g_str_has_prefix(name, "json:") && o->legacy->as == AS_7_2) {
        if (!take_json_name(o, prefix, name, at)) {
            return NULL;
        }
        name = NULL;
    }
    said = opener_get(o, prefix, "driver");
    if (said) {
        driver = driver_find(said->value);
        if (!driver) {
            legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, said->value_at,
                "`%s` is not a block driver", said->value);
            return NULL;
        }
    } else if (*prefix) {
        const Opt *filename = opener_get(o, prefix, "filename");
        const char *path = name ? name : filename ? filename->value : NULL;

        if (path && (g_str_has_suffix(prefix, "file.") || g_str_has_suffix(prefix, "image."))) {
            driver = name_driver(o, &path, at);
            if (!driver) {
                return NULL;
            }
            if (name) {
                name = path;
            }
        }
    }
    o->depth++;
    node = driver && driver->flags & DRIVER_PROTOCOL
        ? open_protocol(o, prefix, driver, name, at, flags)
        : open_format(o, prefix, driver, name, at, flags);
    o->depth--;
    return node;
}

LegacyNode *nodes_open(Legacy *legacy, Opts *keys, const NodeFlags *flags, bool strict)
{
    Opener o = {
        .legacy = legacy, .keys = keys, .strict = strict, .below_scratch = flags->below_scratch
    };
    const Opt *file = strict ? NULL : opts_get(keys, "file");

    return open_node(&o, "", flags->file, file ? file->value_at : keys->at, flags);
}

bool nodes_blockdev(Legacy *legacy, Opts *keys)
{
    static const NodeFlags flags = { .aio = "threads" };
    LegacyNode *node;

    if (!opts_get(keys, "node-name")) {
        return legacy_refuse(
            legacy, DIAG_LEGACY_NAME, keys->at, "`node-name` is missing: nothing could use it");
    }
    if (!opts_get(keys, "driver")) {
        return legacy_refuse(legacy, DIAG_LEGACY_IMAGE, keys->at, "`driver` is missing");
    }
    node = nodes_open(legacy, keys, &flags, true);
    if (node) {
        node->detect_zeroes = opts_get(keys, "detect-zeroes") ? opts_text(keys, "detect-zeroes")
                                                              : "off";
    }
    return node != NULL;
}

/* Nodes of images: block.c of QEMU 7.2 as it is seen from the command line (DRIVE.md, 5.3 to 5.5). */
#include "config/legacy/nodes.h"

#include <string.h>

#include "config/legacy/drivers.h"
#include "config/legacy/json.h"

enum { DEEPEST_NODE = 16 };

/* The keys of one node: those that begin with the prefix. */
typedef struct Opener {
    Legacy *legacy;
    Opts *keys;
    bool strict;
    bool below_scratch; /* of a snapshot */
    unsigned depth;
} Opener;

static const char *key_name(Opener *o, const char *prefix, const char *key)
{
    return *prefix ? arena_printf(o->legacy->arena, "%s%s", prefix, key) : key;
}

static Opt *key_get(Opener *o, const char *prefix, const char *key)
{
    return opts_get(o->keys, key_name(o, prefix, key));
}

static bool has_keys_below(const Opener *o, const char *prefix)
{
    for (unsigned i = 0; i < o->keys->count; i++) {
        if (g_str_has_prefix(o->keys->items[i].key, prefix)) {
            return true;
        }
    }
    return false;
}

static bool refuse_opt(Opener *o, const Opt *opt, const char *what)
{
    return legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, opt->value_at, "`%s` of `%s` is not %s",
        opt->value, opt->key, what);
}

/* ---- values ---- */

bool nodes_bool(Legacy *legacy, Opts *keys, const char *key, bool *value)
{
    const Opt *opt = opts_get(keys, key);

    if (opt && !opt_bool(opt->value, value)) {
        return legacy_refuse(legacy, DIAG_LEGACY_VALUE, opt->value_at,
            "`%s` of `%s` is neither on nor off", opt->value, opt->key);
    }
    return true;
}

static bool check_strict_type(Opener *o, const Opt *opt, char type);

static bool node_bool(Opener *o, const char *prefix, const char *key, bool *value)
{
    const Opt *opt = key_get(o, prefix, key);

    return (!o->strict || !opt || check_strict_type(o, opt, 'b')) &&
        nodes_bool(o->legacy, o->keys, key_name(o, prefix, key), value);
}

/* A text has another type than a number in JSON; -blockdev takes no suffix either. */
static bool check_strict_type(Opener *o, const Opt *opt, char type)
{
    bool wanted_bool = type == 'b', wanted_number = type == 'n' || type == 'z';
    uint64_t number;
    bool flag;

    if (o->keys->json) {
        if ((wanted_bool && opt->type != OPT_BOOL) || (wanted_number && opt->type != OPT_NUMBER) ||
            (type == 's' && opt->type != OPT_TEXT)) {
            return refuse_opt(o, opt,
                wanted_bool         ? "true or false"
                    : wanted_number ? "a number"
                                    : "a text");
        }
        return true;
    }
    if (wanted_bool && !opt_bool(opt->value, &flag)) {
        return refuse_opt(o, opt, "on or off");
    }
    if (wanted_number && !opt_number(opt->value, &number)) {
        return refuse_opt(o, opt, "an integer (-blockdev takes no suffix)");
    }
    return true;
}

static bool check_value(Opener *o, const Opt *opt, char type)
{
    uint64_t number;
    bool flag;

    if (o->strict) {
        return check_strict_type(o, opt, type);
    }
    if (type == 'b' && !opt_bool(opt->value, &flag)) {
        return refuse_opt(o, opt, "on or off");
    }
    if (type == 'n' && !opt_number(opt->value, &number)) {
        return refuse_opt(o, opt, "a number");
    }
    if (type == 'z' && !opt_size(opt->value, &number)) {
        return refuse_opt(o, opt, "a size below 2^64");
    }
    return true;
}

/* Every key of this node that its driver knows, and no other. */
static bool check_keys(Opener *o, const char *prefix, const ImageDriver *driver)
{
    size_t length = strlen(prefix);
    bool good = true;

    for (unsigned i = 0; i < o->keys->count; i++) {
        Opt *opt = &o->keys->items[i];
        const char *rest = opt->key + length;
        char type;

        if (opt->used || strncmp(opt->key, prefix, length) != 0) {
            continue;
        }
        type = driver_key_type(driver, rest, o->strict);
        opt->used = true;
        if (!type) {
            good = legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, opt->key_at,
                o->strict ? "`%s` is unexpected here: `%s` has no such key"
                          : "`%s` is no option of the block driver `%s`",
                rest, driver->name);
        } else if (!check_value(o, opt, type)) {
            good = false;
        }
    }
    return good;
}

/* An -object that a key names: of type `type`, or of one that begins with it. */
static bool check_object(Opener *o, const Opt *opt, const char *type)
{
    const GPtrArray *objects = o->legacy->objects;

    for (unsigned i = 0; opt && i < objects->len; i++) {
        const Opt *own = opts_find(g_ptr_array_index(objects, i), "qom-type");
        const Opt *id = opts_find(g_ptr_array_index(objects, i), "id");

        if (own && id && g_str_has_prefix(own->value, type) && strcmp(id->value, opt->value) == 0) {
            return true;
        }
    }
    return !opt ||
        legacy_refuse(o->legacy, DIAG_LEGACY_NAME, opt->value_at,
            "there is no -object %s with the id `%s`", type, opt->value);
}

/* ---- file names (5.3) ---- */

/* The part before a `:` that stands before any `/`; 0: none. */
static size_t protocol_length(const char *name)
{
    size_t length = strcspn(name, ":/");

    return name[length] == ':' ? length : 0;
}

static bool is_device_file(const Legacy *legacy, const char *name, FileKind *kind)
{
    FileFacts facts = { 0 };

    if (legacy->files.look(legacy->files.data, name, &facts) &&
        (facts.kind == FILE_CHARACTER || facts.kind == FILE_BLOCK)) {
        *kind = facts.kind;
        return true;
    }
    return g_str_has_prefix(name, "/dev/cdrom");
}

/* In 2011 there were fewer, two that are gone, and `file:` stayed a part of the name. */
static const ImageDriver *driver_in_2011(
    Opener *o, const char *protocol, const ImageDriver *driver, Span at)
{
    static const char *const known[] = { "fat", "nbd", "http", "https", "ftp", "ftps", "rbd",
        "blkdebug", "blkverify", "host_device", "host_cdrom", NULL };
    static const char *const gone[] = { "tftp", "sheepdog", NULL };

    if (g_strv_contains(known, protocol)) {
        return driver;
    }
    legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at,
        g_strv_contains(gone, protocol) ? "`%s` images are gone from QEMU, and lathe has none"
            : strcmp(protocol, "file") == 0
            ? "in 2011, `%s:` was taken for a part of the file's name"
            : "`%s` was no protocol in 2011",
        protocol);
    return NULL;
}

/* The driver that QEMU takes for a name, and the name without a `file:` in front. */
static const ImageDriver *driver_for_name(Opener *o, const char **name, Span at)
{
    size_t length = protocol_length(*name);
    g_autofree char *protocol = g_strndup(*name, length);
    FileKind kind;
    const ImageDriver *driver;

    if (is_device_file(o->legacy, *name, &kind)) {
        return driver_find("host_device");
    }
    if (length == 0) {
        return driver_find("file");
    }
    driver = driver_by_protocol(protocol);
    if (o->legacy->as == AS_2011) {
        return driver_in_2011(o, protocol, driver, at);
    }
    if (!driver) {
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` is not a protocol", protocol);
        diag_hint(o->legacy->diag, "a file name with a colon is written ./%s", *name);
        return NULL;
    }
    if (strcmp(protocol, "file") == 0) {
        *name += length + 1;
        if (protocol_length(*name) > 0) {
            *name = arena_printf(o->legacy->arena, "./%s", *name);
        }
    }
    return driver;
}

static bool look_at_file(Opener *o, LegacyNode *node, const char *name, Span at)
{
    Legacy *l = o->legacy;

    node->file = name;
    node->known = l->files.look(l->files.data, name, &node->facts);
    if (!node->known) {
        return true;
    }
    if (node->facts.kind == FILE_ABSENT) {
        return legacy_refuse(l, DIAG_LEGACY_IMAGE, at, "`%s` is not there", name);
    }
    if (node->facts.kind == FILE_FOLDER) {
        return legacy_refuse(l, DIAG_LEGACY_IMAGE, at, "`%s` is a folder, not a file", name);
    }
    if (strcmp(node->driver, "host_device") == 0 && node->facts.kind == FILE_REGULAR &&
        !g_str_has_prefix(name, "/dev/")) {
        return legacy_refuse(l, DIAG_LEGACY_IMAGE, at,
            "`%s` is neither a character nor a block device, as host_device needs", name);
    }
    return true;
}

/* `fat:[12:|16:|32:][floppy:][rw:]DIR`: without rw, nobody can write. */
static void take_fat_name(LegacyNode *node, const char *name)
{
    node->file = name;
    node->known = true;
    node->facts = (FileFacts){ .kind = FILE_REGULAR, .format = "raw" };
    node->never_writes = !strstr(name, ":rw:");
}

static bool check_fat(Opener *o, const LegacyNode *node, bool writes, Span at)
{
    return !writes || !node->read_only ||
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at,
            "a folder as vvfat cannot be written to (rw) in a read-only drive");
}

/* ---- nodes ---- */

static LegacyNode *open_node(
    Opener *o, const char *prefix, const char *name, Span at, const NodeFlags *flags);

/* What every node may say of itself. */
static bool take_common(Opener *o, const char *prefix, LegacyNode *node, const NodeFlags *flags)
{
    static const char *const zeroes[] = { "off", "on", "unmap", NULL };
    const Opt *discard = key_get(o, prefix, "discard"),
              *detect = key_get(o, prefix, "detect-zeroes");
    const Opt *name = key_get(o, prefix, "node-name");
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
    if (!node_bool(o, prefix, "read-only", &node->read_only) ||
        !node_bool(o, prefix, "auto-read-only", &node->auto_read_only) ||
        !node_bool(o, prefix, "force-share", &shared) ||
        !node_bool(o, prefix, "cache.direct", &node->direct) ||
        !node_bool(o, prefix, "cache.no-flush", &node->no_flush)) {
        return false;
    }
    if (shared && !node->read_only && !o->below_scratch) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, o->keys->at,
            "force-share=on is for read-only images alone");
    }
    if (detect && !g_strv_contains(zeroes, detect->value)) {
        return refuse_opt(o, detect, "off, on or unmap");
    }
    if (discard) {
        bool on = strcmp(discard->value, "on") == 0, off = strcmp(discard->value, "off") == 0;

        node->unmap = strcmp(discard->value, "unmap") == 0 || on;
        if ((o->strict && (on || off)) ||
            (!node->unmap && !off && strcmp(discard->value, "ignore") != 0)) {
            return refuse_opt(o, discard, "ignore or unmap");
        }
    }
    if (o->strict && detect && strcmp(detect->value, "unmap") == 0 && !node->unmap) {
        return refuse_opt(o, detect, "allowed without discard=unmap");
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
    const Opt *aio = key_get(o, prefix, "aio");

    if (aio) {
        node->aio = aio->value;
        at = aio->value_at;
        if (!g_strv_contains(words, aio->value)) {
            return refuse_opt(o, aio, "threads, native or io_uring");
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
    const Opt *locking = key_get(o, prefix, "locking");
    static const char *const words[] = { "on", "off", "auto", NULL };

    if (locking && !g_strv_contains(words, locking->value)) {
        return refuse_opt(o, locking, "on, off or auto");
    }
    node->locking = !locking || strcmp(locking->value, "off") != 0;
    return true;
}

/* Protocols know their own names: `nbd:...`, `fat:...`; `null-co://` is all there is of it. */
static bool is_name_for(const ImageDriver *driver, const char *name)
{
    g_autofree char *protocol = g_strndup(name, protocol_length(name));

    return driver_by_protocol(protocol) == driver &&
        (!g_str_has_prefix(driver->name, "null-") || strcmp(name, driver->url) == 0);
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
        if (!look_at_file(o, node, name, at)) {
            return false;
        }
        return check_aio(o, prefix, node, at) && check_locking(o, prefix, node) &&
            check_object(o, key_get(o, prefix, "pr-manager"), "pr-manager");
    }
    if (name && !is_name_for(driver, name)) {
        return legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` is no name for `%s`: %s", name,
            driver->name, driver->url);
    }
    if (name && g_str_has_prefix(name, "fat:")) {
        take_fat_name(node, name);
        return check_fat(o, node, !node->never_writes, at);
    }
    if (strcmp(driver->name, "vvfat") == 0) {
        bool writes = false;

        if (!node_bool(o, prefix, "rw", &writes)) {
            return false;
        }
        node->never_writes = !writes;
        if (!check_fat(o, node, writes, at)) {
            return false;
        }
        if (o->strict && !writes && !node->read_only && !node->auto_read_only) {
            return legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at,
                "vvfat is read-only: rw=on, read-only=on or auto-read-only=on is missing");
        }
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
    const Opt *filename = key_get(o, prefix, "filename");

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
    if (!take_filename(o, prefix, driver, node, name, at) || !check_keys(o, prefix, driver) ||
        !register_name(o, node, key_get(o, prefix, "node-name"))) {
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
    const Opt *offset = key_get(o, prefix, "offset"), *size = key_get(o, prefix, "size");
    uint64_t from = 0, length = 0, all = node->facts.size;

    if (strcmp(node->driver, "raw") != 0 || (!offset && !size)) {
        return true;
    }
    if ((offset && !check_value(o, offset, 'z')) || (size && !check_value(o, size, 'z'))) {
        return false;
    }
    (void)(offset && opt_size(offset->value, &from));
    (void)(size && opt_size(size->value, &length));
    if (length % 512) {
        return refuse_opt(o, size, "a multiple of 512");
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
    const Opt *entry = key_get(o, prefix, "l2-cache-entry-size"),
              *interval = key_get(o, prefix, "cache-clean-interval");
    uint64_t number;

    if (entry &&
        (!opt_size(entry->value, &number) || number < 512 || number > 2 << 20 ||
            (number & (number - 1)))) {
        return refuse_opt(o, entry, "a power of two between 512 and the size of a cluster");
    }
    if (interval && (!opt_number(interval->value, &number) || number > G_MAXUINT32)) {
        return refuse_opt(o, interval, "a number of seconds below 2^32");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(templates); i++) {
        const Opt *check = key_get(o, prefix, templates[i]);

        if (check && !g_strv_contains(checks, check->value)) {
            return refuse_opt(o, check, "none, constant, cached or all");
        }
    }
    return true;
}

static bool check_qcow2_caches(Opener *o, const char *prefix)
{
    const Opt *all = key_get(o, prefix, "cache-size"),
              *tables = key_get(o, prefix, "l2-cache-size");
    const Opt *counts = key_get(o, prefix, "refcount-cache-size");
    const Opt *parts[] = { tables, counts };
    uint64_t most = 0, part = 0;

    for (unsigned i = 0; i < 3; i++) {
        const Opt *opt = i < 2 ? parts[i] : all;

        if (opt && !check_value(o, opt, 'z')) {
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
            return refuse_opt(o, parts[i], "within cache-size");
        }
    }
    return check_qcow2_numbers(o, prefix);
}

/* `backing=NODE`, `backing=` (none), or a node of its own below `backing.`. */
static bool open_backing(Opener *o, const char *prefix, LegacyNode *node)
{
    Opt *reference = key_get(o, prefix, "backing");
    const char *below = key_name(o, prefix, "backing.");
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
    } else if (has_keys_below(o, below)) {
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

    return format && !opts_find(o->keys, key_name(o, below, "driver")) &&
        !opts_find(o->keys, key_name(o, below, "filename"));
}

/* The node below: a reference to a named one, or one of its own. NULL after reporting. */
static LegacyNode *open_child(Opener *o, const char *prefix, const ImageDriver *driver,
    const char *name, Span at, const NodeFlags *flags)
{
    const char *child = driver && driver->child ? driver->child : "file";
    const char *below = key_name(o, prefix, arena_printf(o->legacy->arena, "%s.", child));
    const Opt *reference = name ? NULL : key_get(o, prefix, child);
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
    if (name || (has_keys_below(o, below) && !is_unsaid_protocol(o, driver, below))) {
        return open_node(o, below, name, at, flags);
    }
    legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, o->keys->at,
        !driver         ? "neither a driver nor a file is given"
            : o->strict ? "`file` is missing: `%s` needs a node below it"
                        : "`%s` needs a file (or other node) below it",
        driver ? driver->name : "");
    return NULL;
}

/* What only an image with the right header may be asked. */
static bool check_header(Opener *o, const char *prefix, const LegacyNode *node)
{
    const Opt *encryption = opts_find(o->keys, key_name(o, prefix, "encrypt.format"));
    bool data_file = opts_find(o->keys, key_name(o, prefix, "data-file")) ||
        has_keys_below(o, key_name(o, prefix, "data-file."));

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
        named = named || has_keys_below(o, key_name(o, prefix, keys[i]));
    }
    return named ||
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, o->keys->at,
            "`blkverify` needs a second image to compare with (raw.file.filename)");
}

static bool check_format(Opener *o, const char *prefix, LegacyNode *node, const LegacyNode *below,
    const ImageDriver *driver, Span at)
{
    if (driver->needs && !key_get(o, prefix, driver->needs) &&
        !has_keys_below(
            o, key_name(o, prefix, arena_printf(o->legacy->arena, "%s.", driver->needs)))) {
        return legacy_refuse(
            o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` needs `%s`", driver->name, driver->needs);
    }
    if (strcmp(driver->name, "compress") == 0 && strcmp(below->driver, below->protocol) == 0) {
        return legacy_refuse(
            o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` cannot compress", below->driver);
    }
    if ((strcmp(driver->name, "qcow2") == 0 && !check_qcow2_caches(o, prefix)) ||
        (strcmp(driver->name, "throttle") == 0 &&
            !check_object(o, key_get(o, prefix, "throttle-group"), "throttle-group"))) {
        return false;
    }
    return check_header(o, prefix, node) && check_writable(o, node, at) &&
        check_content(o, node, at) && check_window(o, prefix, node) &&
        open_backing(o, prefix, node);
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
static bool check_test_filter(
    Opener *o, const char *prefix, const ImageDriver *driver, const char *name, Span at)
{
    if (strcmp(driver->name, "blkverify") == 0) {
        return check_blkverify(o, prefix, name);
    }
    return !name || !g_str_has_prefix(name, "blkdebug:") || check_blkdebug(o, name, at);
}

/* Whether the node below is one that has a name and may have other users. */
static bool refers_to_node(Opener *o, const char *prefix, const ImageDriver *driver)
{
    const char *child = driver && driver->child ? driver->child : "file";
    const Opt *reference = opts_find(o->keys, key_name(o, prefix, child));

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
    if (!check_test_filter(o, prefix, driver, name, at)) {
        return NULL;
    }
    if (driver->flags & DRIVER_READ_ONLY) {
        node->read_only = true;
    }
    if (!check_format(o, prefix, node, child, driver, at) || !check_keys(o, prefix, driver) ||
        !register_name(o, node, key_get(o, prefix, "node-name"))) {
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
        const char *key = key_name(o, prefix, brought->items[i].key);

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
    said = key_get(o, prefix, "driver");
    if (said) {
        driver = driver_find(said->value);
        if (!driver) {
            legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, said->value_at,
                "`%s` is not a block driver", said->value);
            return NULL;
        }
    } else if (*prefix) {
        const Opt *filename = key_get(o, prefix, "filename");
        const char *path = name ? name : filename ? filename->value : NULL;

        if (path && (g_str_has_suffix(prefix, "file.") || g_str_has_suffix(prefix, "image."))) {
            driver = driver_for_name(o, &path, at);
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

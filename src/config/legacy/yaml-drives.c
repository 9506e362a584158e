/* `drives`: each with its image, its habits and its place, and a judgement of how exact that is. */
#include "config/legacy/yaml-impl.h"

#include <string.h>

#include "config/legacy/drives.h"
#include "config/legacy/throttle.h"

/* ---- images that are not files ---- */

bool yaml_is_local(const LegacyNode *node)
{
    return strcmp(node->protocol, "file") == 0 || strcmp(node->protocol, "host_device") == 0;
}

/* `nbd:HOST:PORT:exportname=NAME` and `nbd:unix:PATH:exportname=NAME`, as URLs. */
static const char *nbd_url(Arena *arena, const char *name)
{
    static const char export[] = ":exportname=";
    const char *rest = name + strlen("nbd:"), *found = strstr(rest, export);
    int length = found ? (int)(found - rest) : (int)strlen(rest);
    const char *volume = found ? found + strlen(export) : "";

    if (g_str_has_prefix(rest, "unix:")) {
        return arena_printf(arena, "nbd+unix:///%s?socket=%.*s", volume, length - 5, rest + 5);
    }
    return arena_printf(arena, "nbd://%.*s/%s", length, rest, volume);
}

/* What lathe opens by a URL; NULL: nothing of this kind. */
const char *yaml_url(Arena *arena, const LegacyNode *node)
{
    static const char *const known[] = { "nbd", "http", "https", "ssh", "iscsi", NULL };

    if (!g_strv_contains(known, node->protocol)) {
        return NULL;
    }
    if (strstr(node->file, "://")) {
        return node->file;
    }
    return strcmp(node->protocol, "nbd") == 0 && strlen(node->file) > 4 ? nbd_url(arena, node->file)
                                                                        : NULL;
}

bool yaml_is_folder(const LegacyNode *node)
{
    return strcmp(node->protocol, "vvfat") == 0;
}

/* QEMU finds its words anywhere, and the folder behind the last colon. */
static void write_folder(YamlWriter *w, const LegacyNode *node)
{
    static const char *const words[] = { ":12:", ":16:", ":32:", ":floppy:", ":rw:" };
    const char *label = strstr(node->file, ":label=");
    const char *folder = strrchr(node->file, ':') + 1;
    g_autofree char *full = w->folder ? g_canonicalize_filename(folder, w->folder) : NULL;
    GString *name = g_string_new("fat:");

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        g_string_append(name, strstr(node->file, words[i]) ? words[i] + 1 : "");
    }
    if (label) {
        g_string_append_len(name, label + 1, strcspn(label + 1, ":") + 1);
    }
    g_string_append(name, full ? full : folder);
    yaml_text(w, 2, "file", name->str);
    g_string_free(name, true);
}

/* ---- cache and device ---- */

static void write_cache(YamlWriter *w, const LegacyDrive *drive)
{
    bool writeback = drive->front && drive->front->write_cache >= 0 ? drive->front->write_cache
                                                                    : drive->writeback;
    const LegacyNode *node = drive->node;

    for (const CacheWord *mode = drives_cache_words; mode->word; mode++) {
        if (mode->writeback == writeback && mode->direct == node->direct &&
            mode->no_flush == node->no_flush) {
            if (mode > drives_cache_words) {
                yaml_line(w, 2, "cache", mode->word);
            }
            return;
        }
    }
    yaml_line(w, 2, "cache",
        arena_printf(w->l->arena, "{ writeback: %s, direct: %s, no-flush: %s }",
            writeback ? "true" : "false", node->direct ? "true" : "false",
            node->no_flush ? "true" : "false"));
}

/* QEMU's devices in front of drives, and lathe's. */
static const struct {
    const char *qemu, *lathe;
} front_types[] = {
    { "virtio-blk-device", "virtio-blk" },
    { "cfi.pflash01", "flash-image" },
    { "cfi.pflash02", "flash-image" },
};

static const char *lathe_front(const char *type)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(front_types); i++) {
        if (strcmp(front_types[i].qemu, type) == 0) {
            return front_types[i].lathe;
        }
    }
    return type;
}

/* Transports and flashes have a number in both worlds. */
const char *yaml_slot(YamlWriter *w, const LegacyDrive *drive)
{
    static const char transport[] = "virtio-mmio-bus.";

    if (drive->interface == IF_PFLASH) {
        return arena_printf(w->l->arena, "flash.%d", drive->unit);
    }
    if (g_str_has_prefix(drive->front->bus ? drive->front->bus : "", transport)) {
        return arena_printf(w->l->arena, "virtio.%s", drive->front->bus + strlen(transport));
    }
    return NULL;
}

/* The device in front, on a board that is there. */
static void judge_front(YamlWriter *w, const LegacyDrive *drive, const char *path)
{
    const LegacyFront *front = drive->front;
    const char *type = front && front->type ? lathe_front(front->type) : NULL;
    bool virtio = type && strcmp(type, "virtio-blk") == 0;

    if (!front) {
        legacy_note(w->l, CLOSE, drive->at, path,
            "nothing uses this drive in QEMU: here, it is the board's usual disk");
    } else if (!type || !yaml_has_device(type)) {
        legacy_note(w->l, CLOSE, drive->at, path, "in place of `%s`, it is the board's usual disk",
            front->model      ? front->model
                : front->type ? front->type
                              : "a part of the board");
    } else if (virtio && front->bus && strcmp(front->bus, "virtio-bus") == 0) {
        legacy_note(w->l, CLOSE, drive->at, path,
            "`%s` becomes virtio-blk on a transport of the board: no PCI", front->model);
    } else {
        legacy_note(w->l, EXACT, drive->at, path, NULL);
    }
}

static void write_front(YamlWriter *w, const LegacyDrive *drive, const char *path)
{
    const LegacyFront *front = drive->front;
    const char *type = front && front->type ? lathe_front(front->type) : NULL;
    const char *slot;

    if (!w->board) {
        if (type) {
            yaml_line(w, 2, "device", arena_printf(w->l->arena, "{ type: %s }", type));
        }
        return;
    }
    if (!type || !yaml_has_device(type)) {
        return;
    }
    if (strcmp(type, "virtio-blk") != 0) {
        yaml_line(w, 2, "device", arena_printf(w->l->arena, "{ type: %s }", type));
    }
    slot = yaml_slot(w, drive);
    if (slot) {
        yaml_line(w, 2, "slot", slot);
    }
}

/* What QEMU changes without a word (INVENTORY.md, 4.1), and what has no place in the language. */
static void judge_drive(YamlWriter *w, const LegacyDrive *drive, const char *path)
{
    Legacy *l = w->l;
    const LegacyNode *node = drive->node;
    bool said_cache = drive->options && opts_find(drive->options, "cache");

    if (node->probed && !yaml_is_folder(node)) {
        legacy_note(l, CLOSE, drive->at, path,
            node->known ? "QEMU would look what `%s` is: today it is %s"
                        : "QEMU would look what `%s` is: by its name, it is %s",
            node->file, node->driver);
    }
    if (drive->snapshot && said_cache) {
        legacy_note(l, CLOSE, drive->at, path,
            l->as == AS_2011 ? "in 2011, snapshot made the cache `unsafe` whatever it said"
                             : "in QEMU, the scratch file of a snapshot is `unsafe` whatever the "
                               "cache mode says");
    }
    if (l->as == AS_2011 && !said_cache) {
        legacy_note(l, CLOSE, drive->at, path, "in 2011, no cache= meant writethrough");
    }
    if (!yaml_is_local(node) && !yaml_is_folder(node) && !yaml_url(l->arena, node)) {
        legacy_note(l, LOST, drive->at, path, "lathe has no drives by `%s`, or not without a URL",
            node->protocol);
    }
    if (node->backing) {
        legacy_note(l, LOST, drive->at, path, "the image's own backing file counts, not `%s`",
            node->backing);
    }
    if (drive->cdrom && drive->options && opts_find(drive->options, "readonly")) {
        legacy_note(l, CLOSE, drive->at, path, "a CD-ROM is read-only whatever `readonly` says");
    }
}

/* ---- keys of a drive that are not always there ---- */

/* "1048576B" for bytes, "100" for requests; with a burst, a map. */
static void write_limit(
    YamlWriter *w, const char *key, const LegacyThrottle *t, unsigned kind, unsigned way)
{
    static const char *const units[] = { "B", "" };
    const char *unit = units[kind];
    Arena *arena = w->l->arena;
    const char *rate = arena_printf(arena, "%" G_GUINT64_FORMAT "%s", t->limit[kind][way], unit);

    if (!t->limit[kind][way]) {
        return;
    }
    if (!t->burst[kind][way]) {
        yaml_line(w, 3, key, rate);
        return;
    }
    yaml_line(w, 3, key,
        arena_printf(arena,
            "{ rate: %s, burst: %" G_GUINT64_FORMAT "%s, burst-length: %" G_GUINT64_FORMAT "s }",
            rate, t->burst[kind][way], unit, t->length[kind][way]));
}

static void write_throttle(YamlWriter *w, const LegacyDrive *drive)
{
    static const char *const keys[2][3] = { { "bps-total", "bps-read", "bps-write" },
        { "iops-total", "iops-read", "iops-write" } };
    const LegacyThrottle *t = &drive->throttle;

    if (!throttle_is_on(t)) {
        return;
    }
    yaml_line(w, 2, "throttle", NULL);
    if (strcmp(t->group, drive->id) != 0) {
        yaml_text(w, 3, "group", yaml_lower_name(w, t->group));
    }
    for (unsigned i = 0; i < 6; i++) {
        write_limit(w, keys[i / 3][i % 3], t, i / 3, i % 3);
    }
    if (t->iops_size) {
        yaml_line(w, 3, "request-size",
            arena_printf(w->l->arena, "%" G_GUINT64_FORMAT "B", t->iops_size));
    }
}

static void write_on_error(YamlWriter *w, const LegacyDrive *drive)
{
    const LegacyFront *front = drive->front;
    const char *write = front && front->werror ? front->werror : drive->werror;
    const char *read = front && front->rerror ? front->rerror : drive->rerror;

    if (!write && !read) {
        return;
    }
    yaml_line(w, 2, "on-error", NULL);
    yaml_text(w, 3, "read", read);
    yaml_text(w, 3, "write", write);
}

/* QEMU's two caches of tables are one here. */
static void write_metadata_cache(YamlWriter *w, const LegacyNode *node)
{
    static const char *const keys[] = { "cache-size", "l2-cache-size", "refcount-cache-size" };
    uint64_t sum = 0;

    if (strcmp(node->driver, "qcow2") != 0 || !node->options) {
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(keys) && (i == 0 || !opts_find(node->options, keys[0]));
         i++) {
        const Opt *opt = opts_find(node->options, keys[i]);
        uint64_t size;

        sum += opt && opt_size(opt->value, &size) ? size : 0;
    }
    if (sum > 0) {
        yaml_line(w, 2, "metadata-cache", arena_printf(w->l->arena, "%" G_GUINT64_FORMAT "B", sum));
    }
}

static void write_habits(YamlWriter *w, const LegacyDrive *drive)
{
    const char *zeroes = drive->detect_zeroes;

    if (drives_read_only(drive) ||
        (yaml_is_folder(drive->node) && drive->node->never_writes && !drive->snapshot)) {
        yaml_line(w, 2, "read-only", "true");
    }
    if (!drive->unmap) {
        yaml_line(w, 2, "discard", "ignore");
    }
    if (strcmp(zeroes, "off") != 0) {
        yaml_line(w, 2, "detect-zeroes", strcmp(zeroes, "on") == 0 ? "zero" : zeroes);
    }
    if (drive->copy_on_read) {
        yaml_line(w, 2, "copy-on-read", "true");
    }
    write_metadata_cache(w, drive->node);
    write_on_error(w, drive);
    write_throttle(w, drive);
}

/* ", offset: 512B, size: 1024B" of a raw disk that is a part of its file; or nothing. */
static const char *part_of(YamlWriter *w, const LegacyNode *node)
{
    static const char *const keys[] = { "offset", "size" };
    const char *part = "";

    for (unsigned i = 0; strcmp(node->driver, "raw") == 0 && i < G_N_ELEMENTS(keys); i++) {
        const Opt *opt = node->options ? opts_find(node->options, keys[i]) : NULL;
        uint64_t value;

        if (opt && opt_size(opt->value, &value) && value > 0) {
            part = arena_printf(
                w->l->arena, "%s, %s: %" G_GUINT64_FORMAT "B", part, keys[i], value);
        }
    }
    return part;
}

static void write_part(YamlWriter *w, const LegacyNode *node, const char *part)
{
    g_autofree char *full = w->folder ? g_canonicalize_filename(node->file, w->folder)
                                      : g_strdup(node->file);
    g_autofree char *quoted = yaml_scalar(full);

    yaml_line(
        w, 2, "block", arena_printf(w->l->arena, "{ driver: raw%s, file: %s }", part, quoted));
}

/* A file and its format, or a graph of nodes: over a network, or of a part of a file. */
static void write_source(YamlWriter *w, const LegacyNode *node)
{
    bool plain = strcmp(node->driver, node->protocol) == 0;
    const char *part = part_of(w, node);
    const char *url = yaml_is_local(node) ? NULL : yaml_url(w->l->arena, node);
    g_autofree char *quoted = url ? yaml_scalar(url) : NULL;
    const char *below;

    if (!url && *part && !yaml_is_folder(node)) {
        write_part(w, node, part);
        return;
    }
    if (!url) {
        if (yaml_is_folder(node)) {
            write_folder(w, node);
        } else {
            yaml_path(w, 2, "file", node->file);
        }
        yaml_text(w, 2, "format", plain ? "raw" : node->driver);
        return;
    }
    below = arena_printf(w->l->arena, "{ driver: %s, file: %s }",
        strcmp(node->protocol, "https") == 0 ? "http" : node->protocol, quoted);
    yaml_line(w, 2, "block",
        plain
            ? below
            : arena_printf(w->l->arena, "{ driver: %s%s, child: %s }", node->driver, part, below));
}

/* IDE disks have a serial though nobody said one: QM00001. */
static const char *serial_of(const LegacyDrive *drive)
{
    const LegacyFront *front = drive->front;
    const char *serial = front && front->options ? front->serial : drive->serial;
    bool said = !front || !front->options || opts_find(front->options, "serial");

    return serial && (said || !g_str_has_prefix(serial, "QM")) ? serial : NULL;
}

static void write_drive(YamlWriter *w, const LegacyDrive *drive)
{
    Legacy *l = w->l;
    const LegacyNode *node = drive->node;
    const char *name = yaml_own_name(w, *drive->id ? drive->id : node->name ? node->name : "drive");
    const char *path = arena_printf(l->arena, "drives.%s", name);
    const char *serial = serial_of(drive);
    unsigned from = l->notes->len;

    g_ptr_array_add(w->drives, (gpointer)drive);
    g_ptr_array_add(w->drive_names, (gpointer)name);
    judge_drive(w, drive, path);
    if (w->board) {
        judge_front(w, drive, path);
    } else {
        legacy_note(l, EXACT, drive->at, path, NULL);
    }
    yaml_notes(w, 1, path, from);
    yaml_line(w, 1, name, NULL);
    write_source(w, node);
    if (drive->snapshot) {
        yaml_line(w, 2, "overlay", "ephemeral");
    }
    write_cache(w, drive);
    if (strcmp(drive->aio, "threads") != 0) {
        yaml_text(w, 2, "aio", drive->aio);
    }
    yaml_text(w, 2, "serial", serial && strlen(serial) <= 20 ? serial : NULL);
    write_habits(w, drive);
    write_front(w, drive, path);
}

/* An empty drive is a place for a medium: lathe has none. One that nobody asked for is passed over. */
void yaml_drives(YamlWriter *w)
{
    bool any = false;
    unsigned from = w->l->notes->len;

    for (unsigned i = 0; i < w->l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(w->l->drives, i);

        if (!drive->node && !drive->automatic) {
            legacy_note(
                w->l, LOST, drive->at, "drives", "an empty drive: lathe's drives have a medium");
        }
        any = any || drive->node;
    }
    yaml_notes(w, 0, "drives", from);
    if (!any) {
        return;
    }
    yaml_line(w, 0, "drives", NULL);
    for (unsigned i = 0; i < w->l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(w->l->drives, i);

        if (drive->node) {
            write_drive(w, drive);
        }
    }
}

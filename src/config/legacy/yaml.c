/* Writes the machine file, section by section, and judges each value while doing so. */
#include "config/legacy/yaml.h"

#include <gio/gio.h>
#include <string.h>

#include "config/format.h"
#include "config/legacy/devices.h"
#include "config/legacy/drives.h"
#include "config/legacy/networks.h"
#include "config/legacy/throttle.h"
#include "config/library.h"
#include "config/print.h"
#include "config/scalar.h"

enum { WIDEST_COMMENT = 92, LONGEST_OPTION = 48 };

typedef struct Writer {
    Legacy *l;
    GString *out;
    unsigned said; /* notes that the reading of the options left */
    const char *name;
    const char *board;               /* "riscv-virt@1"; NULL: none */
    GPtrArray *drives, *drive_names; /* LegacyDrive and what it is called here */
    GHashTable *names;               /* of drives and networks that are taken */
    const char *folder;              /* that relative paths begin at; NULL: that of the file */
} Writer;

/* ---- boards ---- */

static const struct {
    const char *archs, *machine, *board;
} lathe_boards[] = {
    { "riscv64", "virt", "riscv-virt" },
    { "aarch64", "virt", "arm-virt" },
};

static bool has_resource(const char *folder, const char *name, const char *ending)
{
    g_autofree char *path = g_strdup_printf("/lathe/%s/%s%s", folder, name, ending);

    return g_resources_get_info(path, 0, NULL, NULL, NULL);
}

static bool has_device_type(const char *type)
{
    return has_resource("schemas/devices", type, ".v1.yaml");
}

const char *legacy_lathe_board(const Legacy *l)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(lathe_boards); i++) {
        if (strcmp(lathe_boards[i].archs, l->arch) == 0 &&
            strcmp(lathe_boards[i].machine, l->board->names) == 0 &&
            has_resource("machines", lathe_boards[i].board, ".yaml")) {
            return lathe_boards[i].board;
        }
    }
    return NULL;
}

/* ---- text ---- */

/* A scalar as YAML writes it, and in which `${` names no parameter. */
static char *scalar(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "${", -1);
    g_autofree char *plain = g_strjoinv("$${", parts);
    Node node = { .kind = NODE_STRING, .scalar.text = plain };

    return print_scalar_yaml(&node);
}

static void put_line(Writer *w, unsigned depth, const char *key, const char *value)
{
    g_string_append_printf(
        w->out, "%*s%s:%s%s\n", depth * 2, "", key, value ? " " : "", value ? value : "");
}

static void put_text(Writer *w, unsigned depth, const char *key, const char *text)
{
    g_autofree char *value = text ? scalar(text) : NULL;

    if (value) {
        put_line(w, depth, key, value);
    }
}

static void put_path(Writer *w, unsigned depth, const char *key, const char *path)
{
    g_autofree char *full = path && w->folder ? g_canonicalize_filename(path, w->folder)
                                              : g_strdup(path);

    put_text(w, depth, key, full);
}

/* One line: what YAML takes for the end of one becomes a blank. */
static char *unbroken(const char *text)
{
    GString *line = g_string_new(NULL);

    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        bool breaks = c < 0x20 || c == 0x85 || c == 0x2028 || c == 0x2029;

        g_string_append_unichar(line, breaks ? ' ' : c);
    }
    return g_string_free(line, false);
}

/* Words of a comment, in lines. */
static void put_comment(Writer *w, unsigned depth, const char *words)
{
    g_autofree char *line = unbroken(words);
    const char *text = line;
    size_t length = strlen(text);

    while (length > 0) {
        size_t take = MIN(length, WIDEST_COMMENT - depth * 2);

        if (take < length) {
            const char *blank = g_strrstr_len(text, take, " ");

            take = blank && blank > text ? (size_t)(blank - text) : strcspn(text, " ");
        }
        g_string_append_printf(w->out, "%*s# %.*s\n", depth * 2, "", (int)take, text);
        text += take + strspn(text + take, " ");
        length = strlen(text);
    }
}

static void put_note(Writer *w, unsigned depth, const LegacyNote *note)
{
    bool cut = g_utf8_strlen(note->option, -1) > LONGEST_OPTION;
    g_autofree char *option = cut ? g_utf8_substring(note->option, 0, LONGEST_OPTION)
                                  : g_strdup(note->option);
    g_autofree char *text = note->text
        ? g_strdup_printf(
              "%s: %s%s: %s", fidelity_names[note->fidelity], option, cut ? "..." : "", note->text)
        : NULL;

    if (text) {
        put_comment(w, depth, text);
    }
}

/* Notes of a path: those from before, and those since note number `from`. */
static void put_notes(Writer *w, unsigned depth, const char *path, unsigned from)
{
    for (unsigned i = 0; i < w->l->notes->len; i++) {
        const LegacyNote *note = &g_array_index(w->l->notes, LegacyNote, i);

        if ((i < w->said || i >= from) && strcmp(note->path, path) == 0) {
            put_note(w, depth, note);
        }
    }
}

/* A name as lathe's schema wants it. */
static const char *lower_name(Writer *w, const char *wish)
{
    g_autoptr(GString) name = g_string_new(NULL);

    for (; *wish; wish++) {
        char c = g_ascii_tolower(*wish);

        if (name->len == 0 && !g_ascii_isalpha(c)) {
            g_string_append_c(name, 'd');
        }
        g_string_append_c(name, g_ascii_isalnum(c) ? c : '-');
    }
    return name->len ? arena_text(w->l->arena, name->str, name->len) : "drive";
}

/* `on`, `null`, `y`: no names, for one reader of YAML or another. */
static bool is_ambiguous(const char *name)
{
    Node node = { .scalar.text = name };

    return scalar_read(&node).verdict != SCALAR_CLEAR || node.kind != NODE_STRING;
}

/* The same, and nobody else has it. */
static const char *own_name(Writer *w, const char *wish)
{
    const char *name = lower_name(w, wish), *given;

    if (is_ambiguous(name)) {
        name = arena_printf(w->l->arena, "d-%s", name);
    }
    given = name;

    for (unsigned i = 2; !g_hash_table_add(w->names, (gpointer)given); i++) {
        given = arena_printf(w->l->arena, "%s-%u", name, i);
    }
    return given;
}

/* ---- images that are not files ---- */

static bool is_local(const LegacyNode *node)
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
static const char *url_of(Arena *arena, const LegacyNode *node)
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

/* ---- the machine ---- */

static const char *list_of_boards(Writer *w)
{
    g_auto(GStrv) files = g_resources_enumerate_children("/lathe/machines", 0, NULL);
    GString *list = g_string_new(NULL);
    const char *text;

    for (unsigned i = 0; files && files[i]; i++) {
        g_string_append_printf(
            list, "%s%.*s", i ? ", " : "", (int)strcspn(files[i], "."), files[i]);
    }
    text = arena_text(w->l->arena, list->str, list->len);
    g_string_free(list, true);
    return text;
}

static void write_board(Writer *w)
{
    Legacy *l = w->l;
    unsigned from = l->notes->len;
    bool versioned = strchr(l->machine, '-') != NULL;

    if (!w->board) {
        legacy_note(l, LOST, l->machine_at, "board",
            "there is no board like QEMU's `%s` yet; there are: %s", l->machine, list_of_boards(w));
        put_notes(w, 0, "board", from);
        return;
    }
    if (versioned) {
        legacy_note(l, CLOSE, l->machine_at, "board",
            "the addresses are the same; what %s has of its version's quirks is not kept",
            l->machine);
    } else {
        legacy_note(l, EXACT, l->machine_at, "board", NULL);
    }
    put_notes(w, 0, "board", from);
    put_line(w, 0, "board", arena_printf(l->arena, "%s@1", w->board));
}

/* Whether the board's file lists the model. */
static bool board_has_model(Writer *w, const char *model)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Library) library = library_create(NULL, arena, diag);
    g_autofree char *file = g_strdup_printf("machines/%s.yaml", w->board);
    const Node *models = node_at(library_load(library, file), "cpus.models");

    for (unsigned i = 0; models && models->kind == NODE_LIST && i < models->list.count; i++) {
        if (g_strcmp0(node_text(models->list.items[i]), model) == 0) {
            return true;
        }
    }
    return false;
}

static void write_cpus(Writer *w)
{
    Legacy *l = w->l;
    unsigned from = l->notes->len;
    g_autofree char *model = l->cpu_model ? g_strndup(l->cpu_model, strcspn(l->cpu_model, ","))
                                          : NULL;
    bool known = model && w->board && board_has_model(w, model);

    if (model && !known) {
        legacy_note(l, w->board ? CLOSE : LOST, l->cpu_at, "cpus",
            w->board ? "the board has its own default instead" : "without a board, it has no CPUs");
    } else if (model && l->cpu_model[strlen(model)]) {
        legacy_note(l, CLOSE, l->cpu_at, "cpus", "features of the model are left out");
    } else if (model) {
        legacy_note(l, EXACT, l->cpu_at, "cpus", NULL);
    }
    put_notes(w, 0, "cpus", from);
    if (known || l->cpus > 1) {
        put_line(w, 0, "cpus", NULL);
        put_text(w, 1, "model", known ? model : NULL);
        if (l->cpus > 1) {
            put_line(w, 1, "count", arena_printf(l->arena, "%u", l->cpus));
        }
    }
}

static const char *size_text(Arena *arena, uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    unsigned i = 0;

    while (i < 4 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        i++;
    }
    return arena_printf(arena, "%" G_GUINT64_FORMAT "%s", bytes, units[i]);
}

static void write_memory(Writer *w)
{
    Legacy *l = w->l;
    unsigned from = l->notes->len;

    put_notes(w, 0, "memory", from);
    if (l->memory || w->board) {
        put_line(w, 0, "memory", size_text(l->arena, l->memory ? l->memory : 128 << 20));
    }
}

static void write_boot(Writer *w)
{
    Legacy *l = w->l;
    unsigned from = l->notes->len;
    bool firmware = l->bios && strcmp(l->bios, "none") != 0 && strcmp(l->bios, "default") != 0;

    if (l->bios && strcmp(l->bios, "none") == 0) {
        legacy_note(l, EXACT, l->bios_at, "boot", NULL);
    } else if (l->bios) {
        legacy_note(l, firmware ? EXACT : LOST, l->bios_at, "boot",
            firmware ? NULL : "lathe brings no firmware along: name a file");
    }
    put_notes(w, 0, "boot", from);
    if (!l->kernel && !l->initrd && !l->append && !l->dtb && !firmware) {
        return;
    }
    put_line(w, 0, "boot", NULL);
    put_path(w, 1, "firmware", firmware ? l->bios : NULL);
    put_path(w, 1, "kernel", l->kernel);
    put_path(w, 1, "initrd", l->initrd);
    put_text(w, 1, "cmdline", l->append);
    put_path(w, 1, "fdt", l->dtb);
}

/* ---- drives ---- */

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

static void write_cache(Writer *w, const LegacyDrive *drive)
{
    bool writeback = drive->front && drive->front->write_cache >= 0 ? drive->front->write_cache
                                                                    : drive->writeback;
    const LegacyNode *node = drive->node;

    for (unsigned i = 0; i < G_N_ELEMENTS(cache_words); i++) {
        if (cache_words[i].writeback == writeback && cache_words[i].direct == node->direct &&
            cache_words[i].no_flush == node->no_flush) {
            if (i > 0) {
                put_line(w, 2, "cache", cache_words[i].word);
            }
            return;
        }
    }
    put_line(w, 2, "cache",
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
static const char *slot_of(Writer *w, const LegacyDrive *drive)
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
static void judge_front(Writer *w, const LegacyDrive *drive, const char *path)
{
    const LegacyFront *front = drive->front;
    const char *type = front && front->type ? lathe_front(front->type) : NULL;
    bool virtio = type && strcmp(type, "virtio-blk") == 0;

    if (!front) {
        legacy_note(w->l, CLOSE, drive->at, path,
            "nothing uses this drive in QEMU: here, it is the board's usual disk");
    } else if (!type || !has_device_type(type)) {
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

static void write_front(Writer *w, const LegacyDrive *drive, const char *path)
{
    const LegacyFront *front = drive->front;
    const char *type = front && front->type ? lathe_front(front->type) : NULL;
    const char *slot;

    if (!w->board) {
        if (type) {
            put_line(w, 2, "device", arena_printf(w->l->arena, "{ type: %s }", type));
        }
        return;
    }
    if (!type || !has_device_type(type)) {
        return;
    }
    if (strcmp(type, "virtio-blk") != 0) {
        put_line(w, 2, "device", arena_printf(w->l->arena, "{ type: %s }", type));
    }
    slot = slot_of(w, drive);
    if (slot) {
        put_line(w, 2, "slot", slot);
    }
}

/* What QEMU changes without a word (INVENTORY.md, 4.1), and what has no place in the language. */
static void judge_drive(Writer *w, const LegacyDrive *drive, const char *path)
{
    Legacy *l = w->l;
    const LegacyNode *node = drive->node;
    bool said_cache = drive->options && opts_find(drive->options, "cache");

    if (node->probed) {
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
    if (!is_local(node) && !url_of(l->arena, node)) {
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
    Writer *w, const char *key, const LegacyThrottle *t, unsigned kind, unsigned way)
{
    static const char *const units[] = { "B", "" };
    const char *unit = units[kind];
    Arena *arena = w->l->arena;
    const char *rate = arena_printf(arena, "%" G_GUINT64_FORMAT "%s", t->limit[kind][way], unit);

    if (!t->limit[kind][way]) {
        return;
    }
    if (!t->burst[kind][way]) {
        put_line(w, 3, key, rate);
        return;
    }
    put_line(w, 3, key,
        arena_printf(arena,
            "{ rate: %s, burst: %" G_GUINT64_FORMAT "%s, burst-length: %" G_GUINT64_FORMAT "s }",
            rate, t->burst[kind][way], unit, t->length[kind][way]));
}

static void write_throttle(Writer *w, const LegacyDrive *drive)
{
    static const char *const keys[2][3] = { { "bps-total", "bps-read", "bps-write" },
        { "iops-total", "iops-read", "iops-write" } };
    const LegacyThrottle *t = &drive->throttle;

    if (!throttle_is_on(t)) {
        return;
    }
    put_line(w, 2, "throttle", NULL);
    if (strcmp(t->group, drive->id) != 0) {
        put_text(w, 3, "group", lower_name(w, t->group));
    }
    for (unsigned i = 0; i < 6; i++) {
        write_limit(w, keys[i / 3][i % 3], t, i / 3, i % 3);
    }
    if (t->iops_size) {
        put_line(w, 3, "request-size",
            arena_printf(w->l->arena, "%" G_GUINT64_FORMAT "B", t->iops_size));
    }
}

static void write_on_error(Writer *w, const LegacyDrive *drive)
{
    const LegacyFront *front = drive->front;
    const char *write = front && front->werror ? front->werror : drive->werror;
    const char *read = front && front->rerror ? front->rerror : drive->rerror;

    if (!write && !read) {
        return;
    }
    put_line(w, 2, "on-error", NULL);
    put_text(w, 3, "read", read);
    put_text(w, 3, "write", write);
}

static void write_habits(Writer *w, const LegacyDrive *drive)
{
    const char *zeroes = drive->detect_zeroes;

    if (drives_read_only(drive)) {
        put_line(w, 2, "read-only", "true");
    }
    if (!drive->unmap) {
        put_line(w, 2, "discard", "ignore");
    }
    if (strcmp(zeroes, "off") != 0) {
        put_line(w, 2, "detect-zeroes", strcmp(zeroes, "on") == 0 ? "zero" : zeroes);
    }
    if (drive->copy_on_read) {
        put_line(w, 2, "copy-on-read", "true");
    }
    write_on_error(w, drive);
    write_throttle(w, drive);
}

/* A file and its format, or a graph of nodes for what comes over a network. */
static void write_source(Writer *w, const LegacyNode *node)
{
    bool plain = strcmp(node->driver, node->protocol) == 0;
    const char *url = is_local(node) ? NULL : url_of(w->l->arena, node);
    g_autofree char *quoted = url ? scalar(url) : NULL;
    const char *below;

    if (!url) {
        put_path(w, 2, "file", node->file);
        put_text(w, 2, "format", plain ? "raw" : node->driver);
        return;
    }
    below = arena_printf(w->l->arena, "{ driver: %s, file: %s }",
        strcmp(node->protocol, "https") == 0 ? "http" : node->protocol, quoted);
    put_line(w, 2, "block",
        plain ? below
              : arena_printf(w->l->arena, "{ driver: %s, child: %s }", node->driver, below));
}

static void write_drive(Writer *w, const LegacyDrive *drive)
{
    Legacy *l = w->l;
    const LegacyNode *node = drive->node;
    const char *name = own_name(w, *drive->id ? drive->id : node->name ? node->name : "drive");
    const char *path = arena_printf(l->arena, "drives.%s", name);
    const char *serial = drive->front && drive->front->options ? drive->front->serial
                                                               : drive->serial;
    unsigned from = l->notes->len;

    g_ptr_array_add(w->drives, (gpointer)drive);
    g_ptr_array_add(w->drive_names, (gpointer)name);
    judge_drive(w, drive, path);
    if (w->board) {
        judge_front(w, drive, path);
    } else {
        legacy_note(l, EXACT, drive->at, path, NULL);
    }
    put_notes(w, 1, path, from);
    put_line(w, 1, name, NULL);
    write_source(w, node);
    if (drive->snapshot) {
        put_line(w, 2, "overlay", "ephemeral");
    }
    write_cache(w, drive);
    if (strcmp(drive->aio, "threads") != 0) {
        put_text(w, 2, "aio", drive->aio);
    }
    put_text(w, 2, "serial", serial && strlen(serial) <= 20 ? serial : NULL);
    write_habits(w, drive);
    write_front(w, drive, path);
}

/* An empty drive is a place for a medium: lathe has none. One that nobody asked for is passed over. */
static void write_drives(Writer *w)
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
    put_notes(w, 0, "drives", from);
    if (!any) {
        return;
    }
    put_line(w, 0, "drives", NULL);
    for (unsigned i = 0; i < w->l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(w->l->drives, i);

        if (drive->node) {
            write_drive(w, drive);
        }
    }
}

/* ---- networks ---- */

static void write_forwards(Writer *w, const LegacyNet *net, const char *path)
{
    bool any = false;

    for (unsigned i = 0; net->backend && i < net->backend->count; i++) {
        const Opt *opt = &net->backend->items[i];
        unsigned host, guest;
        bool udp;

        if (strcmp(opt->key, "hostfwd") != 0) {
            continue;
        }
        if (!networks_forward(opt->value, &host, &guest, &udp) || udp) {
            legacy_note(w->l, LOST, opt->value_at, path, "only ports of TCP are forwarded");
            continue;
        }
        if (!any) {
            put_line(w, 2, "forward", NULL);
            any = true;
        }
        put_line(w, 3, arena_printf(w->l->arena, "port-%u", guest),
            host ? arena_printf(w->l->arena, "{ guest: %u, host: %u }", guest, host)
                 : arena_printf(w->l->arena, "{ guest: %u }", guest));
    }
}

static bool is_virtio_net(const char *model)
{
    return model && (strcmp(model, "virtio") == 0 || g_str_has_prefix(model, "virtio-net"));
}

static void judge_net(Writer *w, const LegacyNet *net, const char *path, bool known)
{
    static const char *const understood[] = { "type", "id", "hostfwd", "model", "mac", "macaddr",
        "netdev", "ifname", "script", "downscript", "vlan", NULL };

    if (!known) {
        legacy_note(w->l, LOST, net->at, path, "lathe has no networks of type `%s`", net->type);
    } else if (!is_virtio_net(net->model)) {
        legacy_note(w->l, CLOSE, net->at, path, "the card is virtio-net in place of `%s`",
            net->model ? net->model : "the board's own");
    } else {
        legacy_note(w->l, EXACT, net->at, path, NULL);
    }
    for (unsigned i = 0; net->backend && i < net->backend->count; i++) {
        const Opt *opt = &net->backend->items[i];

        if (!g_strv_contains(understood, opt->key)) {
            legacy_note(w->l, LOST, opt->key_at, path, "lathe's networks have no `%s`", opt->key);
        }
    }
}

static void write_network(Writer *w, const LegacyNet *net)
{
    static const char *const types[] = { "user", "tap", "none", NULL };
    bool known = g_strv_contains(types, net->type);
    const Opt *id = net->backend ? opts_find(net->backend, "id") : NULL;
    const char *name = own_name(w, id ? id->value : net->id ? net->id : "net0");
    const char *path = arena_printf(w->l->arena, "net.%s", name);
    unsigned from = w->l->notes->len;
    g_autofree char *mac = net->mac ? g_ascii_strdown(net->mac, -1) : NULL;

    judge_net(w, net, path, known);
    put_notes(w, 1, path, from);
    put_line(w, 1, name, NULL);
    put_text(w, 2, "type", known ? net->type : "none");
    if (mac && strlen(mac) == 17) {
        put_line(w, 2, "mac", arena_printf(w->l->arena, "\"%s\"", mac));
    }
    write_forwards(w, net, path);
}

static void write_networks(Writer *w)
{
    if (w->l->networks->len == 0) {
        return;
    }
    g_hash_table_remove_all(w->names);
    put_line(w, 0, "net", NULL);
    for (unsigned i = 0; i < w->l->networks->len; i++) {
        write_network(w, g_ptr_array_index(w->l->networks, i));
    }
}

/* ---- other devices ---- */

static const struct {
    const char *qemu, *lathe, *name;
} device_types[] = {
    { "virtio-rng", "virtio-rng", "rng" },
    { "virtio-balloon", "virtio-balloon", "balloon" },
};

/* The lathe device for one of QEMU; NULL: none. */
static const char *lathe_device(const char *driver, const char **name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(device_types); i++) {
        if (g_str_has_prefix(driver, device_types[i].qemu) &&
            has_device_type(device_types[i].lathe)) {
            *name = device_types[i].name;
            return device_types[i].lathe;
        }
    }
    return NULL;
}

static void write_device(Writer *w, const Opts *opts, GString *list)
{
    const char *driver = opts_find(opts, "driver")->value, *name = driver;
    const char *type = w->board ? lathe_device(driver, &name) : NULL;
    const Opt *id = opts_find(opts, "id");

    if (!type) {
        legacy_note(w->l, LOST, opts->at, "devices", "lathe has no `%s` here", driver);
        return;
    }
    legacy_note(w->l, g_str_has_suffix(driver, "-device") ? EXACT : CLOSE, opts->at, "devices",
        g_str_has_suffix(driver, "-device") ? NULL : "it sits on a transport of the board: no PCI");
    name = own_name(w, id ? id->value : name);
    g_string_append_printf(list, "  %s: { type: %s }\n", name, type);
}

static void write_devices(Writer *w)
{
    g_autoptr(GString) list = g_string_new(NULL);
    unsigned from = w->l->notes->len;

    g_hash_table_remove_all(w->names);
    for (unsigned i = 0; i < w->l->others->len; i++) {
        write_device(w, g_ptr_array_index(w->l->others, i), list);
    }
    put_notes(w, 0, "devices", from);
    if (list->len) {
        g_string_append_printf(w->out, "devices:\n%s", list->str);
    }
}

/* ---- the rest ---- */

static void write_clock(Writer *w)
{
    put_notes(w, 0, "clock", w->l->notes->len);
    if (w->l->icount || w->l->clock_start) {
        put_line(w, 0, "clock", NULL);
        put_text(w, 1, "mode", w->l->icount ? "virtual" : NULL);
        put_text(w, 1, "start", w->l->clock_start);
    }
}

static void write_gdb(Writer *w)
{
    if (w->l->gdb && strcmp(w->l->gdb, "none") != 0) {
        put_notes(w, 0, "gdb", w->l->notes->len);
        put_line(w, 0, "gdb",
            w->l->gdb_wait ? "{ listen: gdb.sock, wait: true }" : "{ listen: gdb.sock }");
    }
}

/* ---- what only QEMU has a word for: for the way back ---- */

static LegacySaid *said_at(const Legacy *l, Span at)
{
    for (unsigned i = 0; i < l->said->len; i++) {
        LegacySaid *said = &g_array_index(l->said, LegacySaid, i);

        if (said->at.from == at.from && said->at.to == at.to) {
            return said;
        }
    }
    return NULL;
}

static bool is_option(const LegacySaid *said, const char *name)
{
    return strcmp(said->word + strspn(said->word, "-"), name) == 0;
}

/* A -drive whose image a file, a format and the drive's own keys describe. */
static bool is_told(const Legacy *l, const LegacyDrive *drive)
{
    const LegacySaid *said = drive->options ? said_at(l, drive->options->at) : NULL;

    return drive->options && drive->node && opts_find(drive->options, "file") &&
        (is_local(drive->node) || url_of(l->arena, drive->node)) &&
        strcmp(drive->node->driver, drive->node->protocol) != 0 &&
        !(said && is_option(said, "readconfig"));
}

/* Keys of -drive that have a word of their own in a drive. */
static bool has_word(const char *key)
{
    static const char *const words[] = { "", "file", "driver", "format", "cache", "aio", "discard",
        "snapshot", "detect-zeroes", "copy-on-read", "werror", "rerror", "serial", NULL };

    return g_strv_contains(words, key) || g_str_has_prefix(key, "cache.") ||
        (g_str_has_prefix(key, "throttling.") && strcmp(key, "throttling.group") != 0);
}

/* "if=virtio,index=0": where it is, and what is left of its image's options. */
static char *rest_of_drive(const LegacyDrive *drive)
{
    GString *rest = g_string_new(NULL);

    for (unsigned i = 0; i < drive->options->count; i++) {
        const Opt *opt = &drive->options->items[i];
        g_auto(GStrv) parts = g_strsplit(opt->value, ",", -1);
        g_autofree char *value = g_strjoinv(",,", parts);

        if (!has_word(opt->key)) {
            g_string_append_printf(rest, "%s%s=%s", rest->len ? "," : "", opt->key, value);
        }
    }
    return g_string_free(rest, false);
}

/* `-set drive.ID.KEY=VALUE` is in the drive's own keys by now. */
static bool sets_told_drive(const Legacy *l, const LegacySaid *said)
{
    g_auto(GStrv) parts = g_strsplit(said->argument ? said->argument : "", ".", 3);
    const LegacyDrive *drive = g_strv_length(parts) == 3 ? legacy_drive_find(l, parts[1]) : NULL;

    return is_option(said, "set") && strcmp(parts[0], "drive") == 0 && drive && is_told(l, drive);
}

static void tell(Writer *w)
{
    static const char *const told[] = { "M", "machine", "m", "smp", "kernel", "initrd", "append",
        "dtb", "name", "snapshot", NULL };
    Legacy *l = w->l;

    for (unsigned i = 0; i < l->said->len; i++) {
        LegacySaid *said = &g_array_index(l->said, LegacySaid, i);

        said->told = g_strv_contains(told, said->word + strspn(said->word, "-")) ||
            (w->board && is_option(said, "cpu")) ||
            (is_option(said, "bios") && strcmp(said->argument, "none") != 0 &&
                strcmp(said->argument, "default") != 0) ||
            sets_told_drive(l, said);
    }
    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(l->drives, i);
        LegacySaid *said = is_told(l, drive) ? said_at(l, drive->options->at) : NULL;

        if (said) {
            said->told = true;
        }
    }
}

/* Whether a drive says by its slot where QEMU had it. */
static bool is_placed(Writer *w, const LegacyDrive *drive)
{
    return drive->options && drive->front &&
        (drive->interface == IF_PFLASH ||
            (drive->named && slot_of(w, drive) &&
                strcmp(drive->front->type, "virtio-blk-device") == 0));
}

static bool needs_qemu(Writer *w)
{
    if (w->l->no_defaults || w->l->globals->len) {
        return true; /* they decide which drives a machine has by itself */
    }
    for (unsigned i = 0; i < w->l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(w->l->drives, i);

        if (!drive->automatic && !(is_told(w->l, drive) && is_placed(w, drive))) {
            return true;
        }
    }
    return !w->board;
}

static const char *machine_text(Writer *w)
{
    const Opts *opts = w->l->machine_merged;
    const Opt *type = opts_find(opts, "type");
    GString *text = g_string_new(type ? type->value : NULL);
    const char *copy;

    for (unsigned i = 0; i < opts->count; i++) {
        if (strcmp(opts->items[i].key, "type") != 0) {
            g_string_append_printf(
                text, "%s%s=%s", text->len ? "," : "", opts->items[i].key, opts->items[i].value);
        }
    }
    copy = arena_text(w->l->arena, text->str, text->len);
    g_string_free(text, true);
    return copy;
}

static void write_arguments(Writer *w)
{
    bool any = false;

    for (unsigned i = 0; i < w->l->said->len; i++) {
        const LegacySaid *said = &g_array_index(w->l->said, LegacySaid, i);
        const char *words[] = { said->word, said->argument };

        for (unsigned j = 0; j < 2 && !said->told && words[j]; j++) {
            g_autofree char *word = scalar(words[j]);

            if (!any) {
                put_line(w, 1, "arguments", NULL);
            }
            any = true;
            g_string_append_printf(w->out, "    - %s\n", word);
        }
    }
}

static void write_for_qemu(Writer *w)
{
    const Legacy *l = w->l;

    if (!needs_qemu(w)) {
        return;
    }
    tell(w);
    put_comment(w, 0, "What has no other word here; lathe translate to-qemu reads it.");
    put_line(w, 0, "x-qemu", NULL);
    put_text(w, 1, "program", l->program);
    put_text(w, 1, "machine", machine_text(w));
    if (w->drive_names->len) {
        put_line(w, 1, "drives", NULL);
    }
    for (unsigned i = 0; i < w->drive_names->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(w->drives, i);
        g_autofree char *rest = is_told(l, drive) ? rest_of_drive(drive) : NULL;
        g_autofree char *value = rest ? scalar(rest) : g_strdup("null");

        put_line(w, 2, g_ptr_array_index(w->drive_names, i), value);
    }
    write_arguments(w);
}

static void write_head(Writer *w)
{
    Legacy *l = w->l;
    const char *name = own_name(w, l->name ? l->name : w->name);

    g_hash_table_remove_all(w->names);
    put_comment(w, 0,
        arena_printf(l->arena, "Translated from a command line of %s (%s).", l->program,
            l->as == AS_2011 ? "as in 2011" : "as in QEMU 7.2"));
    put_line(w, 0, "lathe", "machine/v1");
    put_notes(w, 0, "", l->notes->len);
    put_notes(w, 0, "name", l->notes->len);
    put_text(w, 0, "name", name);
}

char *legacy_to_yaml(Legacy *l, const char *name, const char *folder)
{
    Writer w = { .l = l,
        .out = g_string_new(NULL),
        .said = l->notes->len,
        .name = name,
        .folder = folder,
        .board = legacy_lathe_board(l),
        .names = g_hash_table_new(g_str_hash, g_str_equal),
        .drives = g_ptr_array_new(),
        .drive_names = g_ptr_array_new() };
    g_autofree char *raw = NULL;

    write_head(&w);
    write_board(&w);
    write_cpus(&w);
    write_memory(&w);
    write_boot(&w);
    write_drives(&w);
    write_networks(&w);
    write_devices(&w);
    write_clock(&w);
    write_gdb(&w);
    write_for_qemu(&w);
    g_ptr_array_unref(w.drives);
    g_ptr_array_unref(w.drive_names);
    g_hash_table_unref(w.names);
    raw = g_string_free(w.out, false);
    return format_text(raw);
}

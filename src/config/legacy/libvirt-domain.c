/* Machine file → domain XML, from a tree that need not be valid: what is not there is left out. */
#include <string.h>

#include "config/legacy/drives.h"
#include "config/legacy/libvirt.h"
#include "config/units.h"

typedef struct Writer {
    const Node *root, *kept; /* x-libvirt; NULL: none */
    GString *out;
    QemuRemark remark;
    void *data;
    unsigned virtio_disks;
} Writer;

static const struct {
    const char *board, *arch, *machine;
} boards[] = {
    { "riscv-virt", "riscv64", "virt" },
    { "arm-virt", "aarch64", "virt" },
};

/* Keys of the file that a domain has no word for. */
static const struct {
    const char *key, *fidelity, *text;
} unsaid[] = {
    { "tests", "lost", "a domain has no tests" },
    { "shares", "lost", "needs a 9p or virtiofs server of the host" },
    { "seed", "lost", "libvirt makes no first-boot data" },
    { "profiles", "lost", "a domain is one machine" },
    { "params", "lost", "a domain is one machine" },
    { "extends", "lost", "what this file starts from is not looked at" },
    { "entropy", "lost", "QEMU's random numbers come from the host" },
    { "clock", "lost", "libvirt has no counting of instructions" },
    { "gdb", "lost", "write it under qemu:commandline" },
};

/* ---- XML ---- */

/* `$${` of the machine file is `${`. Free it. */
static char *plain_text(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text ? text : "", "$${", -1);

    return g_strjoinv("${", parts);
}

/* A scalar of any kind, as written; NULL: not there. Free it. */
static char *text_at(const Node *node, const char *key)
{
    const Node *found = node ? node_get(node, key) : NULL;

    return found && found->kind != NODE_MAP && found->kind != NODE_LIST && found->kind != NODE_NULL
        ? plain_text(found->scalar.text)
        : NULL;
}

/* libvirt wants whole paths; those of a machine file begin where it is. Free it. */
static char *path_at(const Writer *w, const Node *node, const char *key)
{
    g_autofree char *path = text_at(node, key);
    g_autofree char *beside = g_path_get_dirname(w->root->mark.file ? w->root->mark.file : ".");
    g_autofree char *folder = g_canonicalize_filename(beside, NULL);

    return path ? g_canonicalize_filename(path, folder) : NULL;
}

static void put_attribute(Writer *w, const char *name, const char *value)
{
    g_autofree char *escaped = value ? g_markup_escape_text(value, -1) : NULL;

    if (value) {
        g_string_append_printf(w->out, " %s='%s'", name, escaped);
    }
}

/* `<name>text</name>`; nothing at all for NULL. */
static void put_element(Writer *w, unsigned depth, const char *name, const char *text)
{
    g_autofree char *escaped = text ? g_markup_escape_text(text, -1) : NULL;

    if (text) {
        g_string_append_printf(w->out, "%*s<%s>%s</%s>\n", depth * 2, "", name, escaped, name);
    }
}

/* Elements that were kept as they are. */
static void put_kept(Writer *w, unsigned depth, const Node *map, const char *key)
{
    const Node *list = map ? node_get(map, key) : NULL;

    for (unsigned i = 0; list && list->kind == NODE_LIST && i < list->list.count; i++) {
        g_autofree char *xml = plain_text(node_text(list->list.items[i]));

        g_string_append_printf(w->out, "%*s%s\n", depth * 2, "", xml);
    }
}

/* All of a map as attributes. */
static void put_attributes(Writer *w, const Node *map)
{
    for (unsigned i = 0; map && map->kind == NODE_MAP && i < map->map.count; i++) {
        g_autofree char *value = text_at(map, map->map.entries[i].key);

        put_attribute(w, map->map.entries[i].key, value);
    }
}

static bool is_true(const Node *map, const char *key)
{
    const Node *node = node_get(map, key);

    return node && node_is_true(node);
}

/* ---- the machine ---- */

/* "riscv64", "virt": as it was in the domain, or what the board is called in QEMU. */
static void put_type(Writer *w)
{
    g_autofree char *arch = text_at(w->kept, "arch"), *machine = text_at(w->kept, "machine");
    const Node *board = node_get(w->root, "board");
    g_autofree char *name = text_at(board && board->kind == NODE_MAP ? board : w->root,
        board && board->kind == NODE_MAP ? "use" : "board");

    for (unsigned i = 0; name && !arch && i < G_N_ELEMENTS(boards); i++) {
        if (strncmp(name, boards[i].board, strcspn(name, "@")) == 0) {
            arch = g_strdup(boards[i].arch);
            machine = g_strdup(boards[i].machine);
        }
    }
    if (!arch && !w->kept) {
        w->remark(w->data, "lost", "board", "QEMU has no such machine: a PC is written");
        arch = g_strdup("x86_64");
    }
    g_string_append(w->out, "    <type");
    put_attribute(w, "arch", arch);
    put_attribute(w, "machine", machine);
    g_string_append(w->out, ">hvm</type>\n");
}

static bool keeps(const Writer *w, const char *key, const char *element)
{
    const Node *list = w->kept ? node_get(w->kept, key) : NULL;

    for (unsigned i = 0; list && list->kind == NODE_LIST && i < list->list.count; i++) {
        const char *xml = node_text(list->list.items[i]);

        if (xml && *xml == '<' && g_str_has_prefix(xml + 1, element)) {
            return true;
        }
    }
    return false;
}

static void put_os(Writer *w)
{
    static const char *const direct[][2] = { { "kernel", "kernel" }, { "initrd", "initrd" },
        { "cmdline", "cmdline" }, { "fdt", "dtb" } };
    const Node *boot = node_get(w->root, "boot");
    g_autofree char *firmware = path_at(w, boot, "firmware");

    g_string_append(w->out, "  <os>\n");
    put_type(w);
    if (firmware && !keeps(w, "os", "loader")) {
        put_element(w, 2, "loader", firmware);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(direct); i++) {
        g_autofree char *value = strcmp(direct[i][0], "cmdline") == 0
            ? text_at(boot, direct[i][0])
            : path_at(w, boot, direct[i][0]);

        put_element(w, 2, direct[i][1], value);
    }
    put_kept(w, 2, w->kept, "os");
    g_string_append(w->out, "  </os>\n");
}

static void put_cpus(Writer *w)
{
    const Node *cpus = node_get(w->root, "cpus");
    g_autofree char *model = text_at(cpus, "model"), *count = text_at(cpus, "count");

    put_element(w, 1, "vcpu", count ? count : "1");
    if (model && !keeps(w, "domain", "cpu")) {
        g_string_append(w->out, "  <cpu mode='custom' match='exact'>\n");
        put_element(w, 2, "model", model);
        g_string_append(w->out, "  </cpu>\n");
    }
}

static void put_memory(Writer *w)
{
    g_autofree char *memory = text_at(w->root, "memory");
    uint64_t bytes = 0;

    if (memory && units_parse(UNIT_BYTES, memory, &bytes)) {
        g_string_append_printf(
            w->out, "  <memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>\n", bytes / 1024);
    } else {
        w->remark(w->data, "lost", "memory", "a domain needs an amount: 128 MiB are written");
        g_string_append(w->out, "  <memory unit='KiB'>131072</memory>\n");
    }
}

/* ---- disks ---- */

static void put_limit(Writer *w, const char *kind, const char *way, const Node *limit)
{
    static const char *const parts[][2] = { { "rate", "" }, { "burst", "_max" },
        { "burst-length", "_max_length" } };

    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *said = limit->kind == NODE_MAP ? text_at(limit, parts[i][0])
            : i == 0                                    ? g_strdup(limit->scalar.text)
                                                        : NULL;
        g_autofree char *name = g_strdup_printf("%s_%s_sec%s", way, kind, parts[i][1]);
        g_autofree char *number = NULL;
        uint64_t value;

        if (said && units_parse(UNIT_BYTES, said, &value)) {
            number = g_strdup_printf("%" G_GUINT64_FORMAT, value);
        } else if (said && units_parse(UNIT_TIME, said, &value)) {
            number = g_strdup_printf("%" G_GUINT64_FORMAT, value / 1000000000);
        }
        put_element(w, 4, name, number ? number : said);
    }
}

static void put_limits(Writer *w, const Node *throttle)
{
    static const char *const kinds[][2] = { { "bps", "bytes" }, { "iops", "iops" } };
    static const char *const ways[] = { "total", "read", "write" };
    g_autofree char *group = text_at(throttle, "group"), *size = text_at(throttle, "request-size");
    uint64_t bytes;

    if (!throttle) {
        return;
    }
    g_string_append(w->out, "      <iotune>\n");
    for (unsigned i = 0; i < 6; i++) {
        g_autofree char *key = g_strdup_printf("%s-%s", kinds[i / 3][0], ways[i % 3]);
        const Node *limit = node_get(throttle, key);

        if (limit) {
            put_limit(w, kinds[i / 3][1], ways[i % 3], limit);
        }
    }
    if (size && units_parse(UNIT_BYTES, size, &bytes)) {
        g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, bytes);

        put_element(w, 4, "size_iops_sec", number);
    }
    put_element(w, 4, "group_name", group);
    g_string_append(w->out, "      </iotune>\n");
}

/* The word for a cache mode: libvirt has no bits. */
static char *cache_word(Writer *w, const Node *cache)
{
    if (!cache || cache->kind != NODE_MAP) {
        return cache ? plain_text(cache->scalar.text) : NULL;
    }
    for (const CacheWord *mode = drives_cache_words; mode->word; mode++) {
        const Node *writeback = node_get(cache, "writeback");

        if (mode->writeback == (!writeback || node_is_true(writeback)) &&
            mode->direct == is_true(cache, "direct") &&
            mode->no_flush == is_true(cache, "no-flush")) {
            return g_strdup(mode->word);
        }
    }
    w->remark(w->data, "lost", "cache", "libvirt has no word for these bits");
    return NULL;
}

static void put_driver(Writer *w, const Node *drive, const char *format, const Node *kept)
{
    g_autofree char *cache = cache_word(w, node_get(drive, "cache"));
    g_autofree char *aio = text_at(drive, "aio"), *discard = text_at(drive, "discard");
    g_autofree char *zeroes = text_at(drive, "detect-zeroes");
    const Node *policy = node_get(drive, "on-error");
    g_autofree char *read = text_at(policy, "read"), *write = text_at(policy, "write");
    bool unmap = !discard || strcmp(discard, "unmap") == 0;

    g_string_append(w->out, "      <driver name='qemu'");
    put_attribute(w, "type", format ? format : "raw");
    put_attribute(w, "cache", cache);
    put_attribute(w, "error_policy", write && strcmp(write, "enospc") == 0 ? "enospace" : write);
    put_attribute(w, "rerror_policy", read);
    put_attribute(w, "io", aio);
    put_attribute(w, "discard", unmap ? "unmap" : NULL);
    put_attribute(w, "detect_zeroes", zeroes && strcmp(zeroes, "zero") == 0 ? "on" : zeroes);
    put_attribute(w, "copy_on_read", is_true(drive, "copy-on-read") ? "on" : NULL);
    put_attributes(w, node_get(kept, "driver"));
    g_string_append(w->out, "/>\n");
}

/* `nbd://HOST:PORT/NAME` and `nbd+unix:///NAME?socket=PATH` as a source with a host. */
static void put_network_source(Writer *w, const char *url, const Node *kept)
{
    const char *rest = strstr(url, "://") + 3, *slash = strchr(rest, '/');
    g_autofree char *protocol = g_strndup(url, strcspn(url, "+:"));
    g_autofree char *host = g_strndup(rest, slash ? (size_t)(slash - rest) : strlen(rest));
    g_autofree char *name = g_strdup(slash ? slash + 1 : "");
    char *query = strstr(name, "?socket="), *port = strrchr(host, ':');

    g_string_append(w->out, "      <source");
    put_attribute(w, "protocol", protocol);
    if (query) {
        *query = '\0';
    }
    put_attribute(w, "name", *name ? name : NULL);
    put_attributes(w, node_get(kept, "source"));
    g_string_append(w->out, ">\n        <host");
    if (query) {
        put_attribute(w, "transport", "unix");
        put_attribute(w, "socket", query + strlen("?socket="));
    } else {
        if (port) {
            *port++ = '\0';
        }
        put_attribute(w, "name", host);
        put_attribute(w, "port", port);
    }
    g_string_append(w->out, "/>\n");
    put_kept(w, 4, kept, "in-source");
    g_string_append(w->out, "      </source>\n");
}

static void put_file_source(Writer *w, const char *file, const char *type, const Node *kept)
{
    bool more = node_get(kept, "in-source") != NULL;

    g_string_append(w->out, "      <source");
    put_attribute(w, strcmp(type, "block") == 0 ? "dev" : "file", file);
    put_attributes(w, node_get(kept, "source"));
    g_string_append(w->out, more ? ">\n" : "/>\n");
    if (more) {
        put_kept(w, 4, kept, "in-source");
        g_string_append(w->out, "      </source>\n");
    }
}

static void put_target(Writer *w, const Node *kept)
{
    const Node *target = node_get(kept, "target");

    g_string_append(w->out, "      <target");
    if (target) {
        put_attributes(w, target);
    } else {
        g_autofree char *name = g_strdup_printf("vd%c", 'a' + w->virtio_disks++ % 26);

        put_attribute(w, "dev", name);
        put_attribute(w, "bus", "virtio");
    }
    g_string_append(w->out, "/>\n");
}

static const char *type_of(const char *url, const char *file, const char *kept)
{
    return url                                    ? "network"
        : kept                                    ? kept
        : file && g_str_has_prefix(file, "/dev/") ? "block"
                                                  : "file";
}

static void put_disk(Writer *w, const char *name, const Node *drive)
{
    const Node *kept = w->kept ? node_get(node_get(w->kept, "disks"), name) : NULL;
    const Node *block = node_get(drive, "block"), *below = block ? node_get(block, "child") : NULL;
    g_autofree char *inside = text_at(kept, "in"), *device = text_at(kept, "device");
    g_autofree char *url = text_at(below ? below : block, "file"),
                    *file = path_at(w, drive, "file");
    g_autofree char *format = block ? (below ? text_at(block, "driver") : g_strdup("raw"))
                                    : text_at(drive, "format");
    g_autofree char *old_type = text_at(kept, "type"), *overlay = text_at(drive, "overlay");
    g_autofree char *serial = text_at(drive, "serial");
    const char *type = type_of(url && strstr(url, "://") ? url : NULL, file, old_type);

    if (inside) {
        return; /* the loader's own: among what is kept of <os> */
    }
    g_string_append(w->out, "    <disk");
    put_attribute(w, "type", type);
    put_attribute(w, "device", device ? device : "disk");
    g_string_append(w->out, ">\n");
    put_driver(w, drive, format, kept);
    if (strcmp(type, "network") == 0) {
        put_network_source(w, url, kept);
    } else if (file) {
        put_file_source(w, file, type, kept);
    }
    put_target(w, kept);
    put_limits(w, node_get(drive, "throttle"));
    put_element(w, 3, "serial", serial);
    g_string_append(w->out, is_true(drive, "read-only") ? "      <readonly/>\n" : "");
    g_string_append(w->out, g_strcmp0(overlay, "ephemeral") == 0 ? "      <transient/>\n" : "");
    put_kept(w, 3, kept, "more");
    g_string_append(w->out, "    </disk>\n");
}

/* Those that lathe has, then empty ones: they are nothing but a place. */
static void put_disks(Writer *w)
{
    const Node *drives = node_get(w->root, "drives");
    const Node *places = w->kept ? node_get(w->kept, "disks") : NULL;

    for (unsigned i = 0; drives && drives->kind == NODE_MAP && i < drives->map.count; i++) {
        put_disk(w, drives->map.entries[i].key, drives->map.entries[i].value);
    }
    for (unsigned i = 0; places && places->kind == NODE_MAP && i < places->map.count; i++) {
        const Node *kept = places->map.entries[i].value;
        g_autofree char *device = text_at(kept, "device"), *inside = text_at(kept, "in");

        if (inside || (drives && node_get(drives, places->map.entries[i].key)) ||
            (g_strcmp0(device, "cdrom") != 0 && g_strcmp0(device, "floppy") != 0)) {
            continue;
        }
        g_string_append_printf(w->out, "    <disk type='file' device='%s'>\n", device);
        put_target(w, kept);
        g_string_append(w->out, strcmp(device, "cdrom") == 0 ? "      <readonly/>\n" : "");
        put_kept(w, 3, kept, "more");
        g_string_append(w->out, "    </disk>\n");
    }
}

/* ---- networks, consoles ---- */

static void put_interfaces(Writer *w)
{
    const Node *nets = node_get(w->root, "net");

    for (unsigned i = 0; nets && nets->kind == NODE_MAP && i < nets->map.count; i++) {
        const char *name = nets->map.entries[i].key;
        const Node *net = nets->map.entries[i].value;
        const Node *kept = w->kept ? node_get(node_get(w->kept, "interfaces"), name) : NULL;
        g_autofree char *type = text_at(net, "type"), *old = text_at(kept, "type");
        g_autofree char *mac = text_at(net, "mac");

        if (node_get(net, "forward")) {
            w->remark(w->data, "lost", name, "a domain forwards no ports of a user network");
        }
        if (!old && g_strcmp0(type, "tap") == 0) {
            old = g_strdup("ethernet");
        }
        g_string_append_printf(w->out, "    <interface type='%s'>\n", old ? old : "user");
        if (mac) {
            g_string_append_printf(w->out, "      <mac address='%s'/>\n", mac);
        }
        g_string_append(w->out, kept ? "" : "      <model type='virtio'/>\n");
        put_kept(w, 3, kept, "more");
        g_string_append(w->out, "    </interface>\n");
    }
}

/* A machine of lathe has one console, on the terminal. */
static void put_others(Writer *w)
{
    const Node *devices = node_get(w->root, "devices");
    bool balloon = false;

    if (!w->kept) {
        g_string_append(w->out, "    <console type='pty'/>\n");
    }
    put_kept(w, 2, w->kept, "devices");
    for (unsigned i = 0; !w->kept && devices && devices->kind == NODE_MAP && i < devices->map.count;
         i++) {
        g_autofree char *type = text_at(devices->map.entries[i].value, "type");

        if (g_strcmp0(type, "virtio-rng") == 0) {
            g_string_append(w->out,
                "    <rng model='virtio'>\n      <backend model='random'>/dev/urandom</backend>\n"
                "    </rng>\n");
        } else if (g_strcmp0(type, "virtio-balloon") == 0) {
            balloon = true;
        } else {
            w->remark(w->data, "lost", devices->map.entries[i].key,
                "libvirt has no element for this device");
        }
    }
    if (!w->kept) {
        g_string_append_printf(
            w->out, "    <memballoon model='%s'/>\n", balloon ? "virtio" : "none");
    }
}

char *libvirt_domain(const Node *machine, QemuRemark remark, void *data)
{
    Writer w = { .root = machine,
        .kept = node_get(machine, "x-libvirt"),
        .out = g_string_new(NULL),
        .remark = remark,
        .data = data };
    g_autofree char *type = text_at(w.kept, "type"), *old_name = text_at(w.kept, "name");
    g_autofree char *name = text_at(machine, "name");

    g_string_append_printf(w.out, "<domain type='%s'>\n", type ? type : "qemu");
    put_element(&w, 1, "name", old_name ? old_name : name ? name : "lathe");
    put_memory(&w);
    put_cpus(&w);
    put_os(&w);
    put_kept(&w, 1, w.kept, "domain");
    g_string_append(w.out, "  <devices>\n");
    put_disks(&w);
    put_interfaces(&w);
    put_others(&w);
    g_string_append(w.out, "  </devices>\n</domain>\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(unsaid); i++) {
        if (node_get(machine, unsaid[i].key)) {
            remark(data, unsaid[i].fidelity, unsaid[i].key, unsaid[i].text);
        }
    }
    return g_string_free(w.out, false);
}

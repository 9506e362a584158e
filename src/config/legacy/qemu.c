/* Writes a command line from a tree that need not be valid: what is not there is left out. */
#include "config/legacy/qemu.h"

#include <string.h>

#include "config/legacy/words.h"
#include "config/legacy/yaml.h"
#include "config/units.h"

typedef struct Writer {
    const Node *root, *extra; /* x-qemu; NULL: none */
    GPtrArray *arguments;
    QemuRemark remark;
    void *data;
} Writer;

static const struct {
    const char *board, *program, *machine, *device;
} boards[] = {
    { "riscv-virt", "qemu-system-riscv64", "virt", "virtio-blk-device" },
    { "arm-virt", "qemu-system-aarch64", "virt", "virtio-blk-device" },
};

/* Keys that have no counterpart, or none in one option. */
static const struct {
    const char *key, *fidelity, *text;
} unsaid[] = {
    { "tests", "lost", "QEMU has no tests" },
    { "shares", "lost", "needs a 9p or virtiofs server of the host" },
    { "seed", "lost", "QEMU makes no first-boot data" },
    { "artifacts", "lost", "QEMU has no tests" },
    { "matrix", "lost", "a command line is one machine" },
    { "profiles", "lost", "a command line is one machine" },
    { "params", "lost", "a command line is one machine" },
    { "extends", "lost", "what this file starts from is not looked at" },
    { "entropy", "lost", "QEMU's random numbers come from the host" },
};

static void add(Writer *w, const char *option, const char *argument)
{
    g_ptr_array_add(w->arguments, g_strdup(option));
    if (argument) {
        g_ptr_array_add(w->arguments, g_strdup(argument));
    }
}

/* A scalar of any kind, as written; NULL: not there. */
static const char *text_at(const Node *node, const char *key)
{
    const Node *found = node ? node_get(node, key) : NULL;

    return found && found->kind != NODE_MAP && found->kind != NODE_LIST ? found->scalar.text : NULL;
}

/* `,key=value`, commas of the value doubled. */
static void put(GString *option, const char *key, const char *value)
{
    g_string_append_printf(option, "%s%s=", option->len ? "," : "", key);
    for (; *value; value++) {
        if (*value == ',') {
            g_string_append_c(option, ',');
        }
        g_string_append_c(option, *value);
    }
}

/* ---- the machine ---- */

static const char *board_name(const Writer *w, size_t *length)
{
    const Node *board = node_get(w->root, "board");
    const char *name = board && board->kind == NODE_MAP ? text_at(board, "use")
                                                        : text_at(w->root, "board");

    *length = name ? strcspn(name, "@") : 0;
    return name;
}

/* What is chosen of arm-virt's options, or is its default; a choice that is none is left out. */
static void append_arm_options(Writer *w, GString *machine)
{
    const Node *options = node_at(w->root, "board.options");
    const char *levels = options ? text_at(options, "levels") : NULL;
    const char *gic = options ? text_at(options, "gic") : NULL;

    for (unsigned bits = 1; levels && legacy_level_words[bits]; bits++) {
        if (strcmp(legacy_level_words[bits], levels) == 0) {
            g_string_append_printf(machine, "%s%s", bits & 1 ? ",virtualization=on" : "",
                bits & 2 ? ",secure=on" : "");
        }
    }
    g_string_append(machine, g_strcmp0(gic, "v2") == 0 ? ",gic-version=2" : ",gic-version=3");
    g_string_append(machine, g_strcmp0(gic, "v3-no-its") == 0 ? ",its=off" : "");
}

static void add_machine(Writer *w)
{
    const char *program = text_at(w->extra, "program"), *machine = text_at(w->extra, "machine");
    size_t length;
    const char *board = board_name(w, &length);

    for (unsigned i = 0; board && !program && i < G_N_ELEMENTS(boards); i++) {
        if (strlen(boards[i].board) == length && strncmp(boards[i].board, board, length) == 0) {
            program = boards[i].program;
            machine = boards[i].machine;
        }
    }
    if (!program) {
        w->remark(w->data, "lost", "board", "QEMU has no such machine: a PC is written");
    }
    add(w, program ? program : "qemu-system-x86_64", NULL);
    if (machine && *machine) {
        g_autoptr(GString) text = g_string_new(machine);

        if (board && length == strlen("arm-virt") && g_str_has_prefix(board, "arm-virt")) {
            append_arm_options(w, text);
        }
        add(w, "-M", text->str);
    }
}

static void add_size(Writer *w)
{
    const char *memory = text_at(w->root, "memory");
    uint64_t bytes;

    if (memory && units_parse(UNIT_BYTES, memory, &bytes)) {
        g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "K", bytes / 1024);

        add(w, "-m", text);
    }
}

static void add_plain(Writer *w)
{
    static const struct {
        const char *path, *option;
    } plain[] = { { "cpus.model", "-cpu" }, { "cpus.count", "-smp" }, { "boot.firmware", "-bios" },
        { "boot.kernel", "-kernel" }, { "boot.initrd", "-initrd" }, { "boot.cmdline", "-append" },
        { "boot.fdt", "-dtb" }, { "name", "-name" } };

    for (unsigned i = 0; i < G_N_ELEMENTS(plain); i++) {
        const Node *node = node_at(w->root, plain[i].path);

        if (node && node->kind != NODE_MAP && node->kind != NODE_LIST) {
            g_autofree char *text = g_strdup(node->scalar.text);
            char *dollar = strstr(text, "$${");

            if (dollar) {
                memmove(dollar, dollar + 1, strlen(dollar));
            }
            add(w, plain[i].option, text);
        }
    }
    add_size(w);
    if (g_strcmp0(text_at(node_get(w->root, "clock"), "mode"), "virtual") == 0) {
        add(w, "-icount", "shift=auto");
        w->remark(w->data, "close", "clock.mode", "-icount: the rate is QEMU's own");
    }
}

/* ---- drives ---- */

static void put_cache(GString *option, const Node *drive)
{
    static const char *const keys[] = { "writeback", "direct", "no-flush" };
    const Node *cache = node_get(drive, "cache");

    if (cache && cache->kind == NODE_STRING) {
        put(option, "cache", cache->scalar.text);
    }
    for (unsigned i = 0; cache && cache->kind == NODE_MAP && i < 3; i++) {
        const Node *bit = node_get(cache, keys[i]);
        g_autofree char *key = g_strdup_printf("cache.%s", keys[i]);

        if (bit) {
            put(option, key, node_is_true(bit) ? "on" : "off");
        }
    }
}

/* "10MiB", 100, or { rate, burst, burst-length }. */
static void put_limit(GString *option, const char *key, const Node *limit)
{
    static const char *const parts[][2] = { { "rate", "" }, { "burst", "-max" },
        { "burst-length", "-max-length" } };

    for (unsigned i = 0; i < 3; i++) {
        const char *text = limit->kind == NODE_MAP ? text_at(limit, parts[i][0])
            : i == 0                               ? limit->scalar.text
                                                   : NULL;
        g_autofree char *full = g_strdup_printf("throttling.%s%s", key, parts[i][1]);
        g_autofree char *number = NULL;
        uint64_t value;

        if (!text) {
            continue;
        }
        if (units_parse(UNIT_BYTES, text, &value)) {
            number = g_strdup_printf("%" G_GUINT64_FORMAT, value);
        } else if (units_parse(UNIT_TIME, text, &value)) {
            number = g_strdup_printf("%" G_GUINT64_FORMAT, value / 1000000000);
        }
        put(option, full, number ? number : text);
    }
}

static void put_throttle(GString *option, const Node *throttle)
{
    static const char *const keys[] = { "bps-total", "bps-read", "bps-write", "iops-total",
        "iops-read", "iops-write" };
    const char *group = text_at(throttle, "group");

    for (unsigned i = 0; throttle && i < G_N_ELEMENTS(keys); i++) {
        const Node *limit = node_get(throttle, keys[i]);

        if (limit) {
            put_limit(option, keys[i], limit);
        }
    }
    if (throttle && node_get(throttle, "request-size")) {
        put_limit(option, "iops-size", node_get(throttle, "request-size"));
    }
    if (group) {
        put(option, "throttling.group", group);
    }
}

static void put_size(GString *option, const char *key, const char *text)
{
    uint64_t value;

    if (units_parse(UNIT_BYTES, text, &value)) {
        g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, value);

        put(option, key, number);
    }
}

static void put_habits(GString *option, const Node *drive)
{
    static const struct {
        const char *key, *value, *qemu;
    } habits[] = { { "read-only", "true", "read-only=on" },
        { "copy-on-read", "true", "copy-on-read=on" }, { "overlay", "ephemeral", "snapshot=on" },
        { "detect-zeroes", "zero", "detect-zeroes=on" },
        { "detect-zeroes", "unmap", "detect-zeroes=unmap" } };
    const char *aio = text_at(drive, "aio"), *discard = text_at(drive, "discard");
    const Node *policy = node_get(drive, "on-error");

    for (unsigned i = 0; i < G_N_ELEMENTS(habits); i++) {
        const Node *node = node_get(drive, habits[i].key);
        bool said = node &&
            (node->kind == NODE_BOOL ? node_is_true(node)
                                     : g_strcmp0(node->scalar.text, habits[i].value) == 0);

        if (said) {
            g_string_append_printf(option, ",%s", habits[i].qemu);
        }
    }
    if (aio) {
        put(option, "aio", aio);
    }
    if (!discard || strcmp(discard, "unmap") == 0) {
        put(option, "discard", "unmap");
    }
    if (text_at(drive, "metadata-cache")) {
        put_size(option, "cache-size", text_at(drive, "metadata-cache"));
    }
    if (text_at(policy, "read")) {
        put(option, "rerror", text_at(policy, "read"));
    }
    if (text_at(policy, "write")) {
        put(option, "werror", text_at(policy, "write"));
    }
    put_throttle(option, node_get(drive, "throttle"));
}

static bool is_format(const char *driver)
{
    static const char *const formats[] = { "raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc",
        "vhdx", "parallels", "bochs", "cloop", "dmg", "luks", NULL };

    return driver && g_strv_contains(formats, driver);
}

/* A drive's `block`, or what `blocks` has by that name; NULL: there is none. */
static const Node *block_of(const Writer *w, const Node *drive)
{
    const Node *block = node_get(drive, "block"), *blocks = node_get(w->root, "blocks");

    if (block && block->kind != NODE_MAP && blocks && text_at(drive, "block")) {
        return node_get(blocks, text_at(drive, "block"));
    }
    return block;
}

/* One option has a file or an address, and one format upon it: `{ driver: qcow2, child: { driver: nbd, file: URL } }`. */
static void put_block(Writer *w, GString *option, const Node *block)
{
    static const char *const parts[] = { "offset", "size" };
    const Node *child = node_get(block, "child");
    const char *driver = text_at(block, "driver"), *below = text_at(child, "driver");
    const char *file = text_at(child ? child : block, "file");

    if (!file || (child && (!is_format(driver) || is_format(below)))) {
        w->remark(w->data, "lost", "drives", "a graph of blocks is more than one -drive can say");
        return;
    }
    put(option, "file", file);
    put(option, "format", is_format(driver) ? driver : "raw");
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (text_at(block, parts[i])) {
            put_size(option, parts[i], text_at(block, parts[i]));
        }
    }
}

static void put_source(Writer *w, GString *option, const Node *drive)
{
    const char *file = text_at(drive, "file"), *format = text_at(drive, "format");

    if (node_get(drive, "block")) {
        put_block(w, option, block_of(w, drive));
        return;
    }
    if (file) {
        put(option, "file", file);
    }
    if (format) {
        put(option, "format", format);
    }
}

/* On a transport, a flash, or wherever virtio goes. */
static void add_front(Writer *w, GString *option, const char *name, const Node *drive)
{
    const char *slot = text_at(drive, "slot"), *serial = text_at(drive, "serial");
    g_autoptr(GString) device = g_string_new("virtio-blk-device");

    if (slot && g_str_has_prefix(slot, "flash.")) {
        put(option, "if", "pflash");
        put(option, "unit", slot + strlen("flash."));
        add(w, "-drive", option->str);
        return;
    }
    put(option, "if", "none");
    put(option, "id", name);
    put(device, "drive", name);
    if (slot && g_str_has_prefix(slot, "virtio.")) {
        g_autofree char *bus = g_strdup_printf("virtio-mmio-bus.%s", slot + strlen("virtio."));

        put(device, "bus", bus);
    }
    if (serial) {
        put(device, "serial", serial);
    }
    add(w, "-drive", option->str);
    add(w, "-device", device->str);
}

static void add_drive(Writer *w, const char *name, const Node *drive)
{
    const Node *known = w->extra ? node_get(node_get(w->extra, "drives"), name) : NULL;
    g_autoptr(GString) option = g_string_new(NULL);

    if (known && known->kind == NODE_NULL) {
        return; /* among the arguments, as it was */
    }
    put_source(w, option, drive);
    put_cache(option, drive);
    put_habits(option, drive);
    if (!known) {
        add_front(w, option, name, drive);
        return;
    }
    g_string_append_printf(option, "%s%s", *known->scalar.text ? "," : "", known->scalar.text);
    add(w, "-drive", option->str);
}

static void add_drives(Writer *w)
{
    const Node *drives = node_get(w->root, "drives");

    for (unsigned i = 0; drives && drives->kind == NODE_MAP && i < drives->map.count; i++) {
        add_drive(w, drives->map.entries[i].key, drives->map.entries[i].value);
    }
}

/* ---- networks, devices ---- */

static void add_network(Writer *w, const char *name, const Node *net)
{
    const char *type = text_at(net, "type"), *mac = text_at(net, "mac");
    const Node *forward = node_get(net, "forward");
    g_autofree char *device = g_strdup_printf(
        "virtio-net-device,netdev=%s%s%s", name, mac ? ",mac=" : "", mac ? mac : "");
    g_autoptr(GString) backend = g_string_new(type ? type : "user");

    if (type && strcmp(type, "none") == 0) {
        w->remark(w->data, "close", "net", "a card with nothing behind it is left out");
        return;
    }
    put(backend, "id", name);
    for (unsigned i = 0; forward && i < forward->map.count; i++) {
        const Node *port = forward->map.entries[i].value;
        const char *host = text_at(port, "host"), *guest = text_at(port, "guest");
        g_autofree char *text = g_strdup_printf(
            "tcp::%s-:%s", host ? host : "0", guest ? guest : "0");

        put(backend, "hostfwd", text);
    }
    add(w, "-netdev", backend->str);
    add(w, "-device", device);
}

static void add_networks(Writer *w)
{
    const Node *nets = node_get(w->root, "net");

    for (unsigned i = 0; nets && nets->kind == NODE_MAP && i < nets->map.count; i++) {
        add_network(w, nets->map.entries[i].key, nets->map.entries[i].value);
    }
}

static void add_devices(Writer *w)
{
    const Node *devices = node_get(w->root, "devices");

    for (unsigned i = 0; devices && devices->kind == NODE_MAP && i < devices->map.count; i++) {
        const char *type = text_at(devices->map.entries[i].value, "type");
        g_autofree char *device = g_strdup_printf(
            "%s-device,id=%s", type ? type : "", devices->map.entries[i].key);

        add(w, "-device", device);
    }
}

static void add_kept(Writer *w)
{
    const Node *kept = node_get(w->extra, "arguments");

    for (unsigned i = 0; kept && kept->kind == NODE_LIST && i < kept->list.count; i++) {
        const Node *item = kept->list.items[i];

        if (item->kind != NODE_MAP && item->kind != NODE_LIST) {
            add(w, item->scalar.text, NULL);
        }
    }
}

static void add_gdb(Writer *w)
{
    const Node *gdb = node_get(w->root, "gdb");

    if (gdb && text_at(gdb, "listen")) {
        g_autofree char *where = g_strdup_printf(
            "unix:%s,server=on,wait=off", text_at(gdb, "listen"));

        add(w, "-gdb", where);
        if (node_is_true(node_get(gdb, "wait"))) {
            add(w, "-S", NULL);
        }
    }
}

char *qemu_command(const Node *machine, QemuRemark remark, void *data)
{
    Writer w = { .root = machine,
        .extra = node_get(machine, "x-qemu"),
        .arguments = g_ptr_array_new_with_free_func(g_free),
        .remark = remark,
        .data = data };
    char *text;

    add_machine(&w);
    add_plain(&w);
    add_drives(&w);
    if (w.extra) {
        add_kept(&w);
    } else {
        add(&w, "-nographic", NULL);
        add_networks(&w);
        add_devices(&w);
        add_gdb(&w);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(unsaid); i++) {
        if (node_get(machine, unsaid[i].key)) {
            remark(data, unsaid[i].fidelity, unsaid[i].key, unsaid[i].text);
        }
    }
    text = words_quote((char *const *)w.arguments->pdata, w.arguments->len);
    g_ptr_array_unref(w.arguments);
    return text;
}

/* What each option of a command line says, kept in order; judged later. */
#include <stdio.h>
#include <string.h>

#include "config/legacy/json.h"
#include "config/legacy/options.h"

/* ---- groups: -device, -netdev, -object ... ---- */

static const struct {
    const char *option, *implied;
    bool needs_id;
    size_t list; /* where it goes in Legacy */
} groups[] = {
    { "drive", NULL, false, offsetof(Legacy, drive_options) },
    { "blockdev", "driver", false, offsetof(Legacy, blockdevs) },
    { "device", "driver", false, offsetof(Legacy, devices) },
    { "object", "qom-type", true, offsetof(Legacy, objects) },
    { "netdev", "type", false, offsetof(Legacy, netdevs) },
    { "net", "type", false, offsetof(Legacy, nets) },
    { "nic", "type", false, offsetof(Legacy, nets) },
    { "chardev", "backend", true, offsetof(Legacy, chardevs) },
    { "global", NULL, false, offsetof(Legacy, globals) },
};

GPtrArray *group_list(Legacy *l, const char *group)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (strcmp(groups[i].option, group) == 0) {
            return G_STRUCT_MEMBER(GPtrArray *, l, groups[i].list);
        }
    }
    return NULL;
}

static const Opt *first_id(const Opts *opts)
{
    for (unsigned i = 0; i < opts->count; i++) {
        if (strcmp(opts->items[i].key, "id") == 0) {
            return &opts->items[i];
        }
    }
    return NULL;
}

static const Opts *with_id(const GPtrArray *list, const char *id)
{
    for (unsigned i = 0; i < list->len; i++) {
        const Opt *other = first_id(g_ptr_array_index(list, i));

        if (other && strcmp(other->value, id) == 0) {
            return g_ptr_array_index(list, i);
        }
    }
    return NULL;
}

bool add_group(Legacy *l, const char *group, Opts *opts)
{
    GPtrArray *list = group_list(l, group);
    const Opt *id = strcmp(group, "blockdev") == 0 ? NULL : first_id(opts);

    if (id && !opt_is_id(id->value)) {
        return legacy_refuse(l, DIAG_LEGACY_NAME, id->value_at,
            "`%s` is no id: a letter, then letters, digits, `-`, `.`, `_`", id->value);
    }
    if (id && with_id(list, id->value)) {
        return legacy_refuse(
            l, DIAG_LEGACY_NAME, id->value_at, "two of -%s have the id `%s`", group, id->value);
    }
    g_ptr_array_add(list, opts);
    return true;
}

static Opts *parse_group(Legacy *l, const QemuOption *o, const Word *argument, const char *implied)
{
    const char *option = arena_printf(l->arena, "-%s", o->name);
    bool takes_json = strcmp(o->name, "blockdev") == 0 || strcmp(o->name, "device") == 0 ||
        strcmp(o->name, "netdev") == 0 || strcmp(o->name, "object") == 0;
    Opts *opts;
    const char *error;
    Span at;

    if (!takes_json || argument->text[0] != '{') {
        return opts_parse(option, argument, implied, l->arena);
    }
    opts = opts_new(option, word_span(argument, 0, argument->length), l->arena);
    opts->json = true;
    error = json_flatten(opts, argument, 0, &at);
    if (error) {
        legacy_refuse(l, DIAG_LEGACY_FORM, at, "the argument of %s %s", option, error);
        return NULL;
    }
    return opts;
}

bool take_group(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    const char *implied = NULL;
    bool needs_id = false;
    Opts *opts;

    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (strcmp(groups[i].option, o->name) == 0) {
            implied = groups[i].implied;
            needs_id = groups[i].needs_id;
        }
    }
    opts = parse_group(l, o, argument, implied);
    if (!opts) {
        return false;
    }
    opts->at = at;
    if (needs_id && !first_id(opts)) {
        return legacy_refuse(l, DIAG_LEGACY_NAME, at, "`id` is missing");
    }
    return add_group(l, o->name, opts);
}

/* ---- drives ---- */

enum { LONGEST_KEY_OF_2011 = 127, LONGEST_VALUE_OF_2011 = 1023 };

/*
 * In 2011 an id was whatever stood behind `id=`, at the start or behind a comma, be that one half
 * of a doubled one; keys and values were cut to the size of a buffer (1.6, 1.8).
 */
static void read_as_in_2011(Legacy *l, Opts *opts, const Word *argument)
{
    const char *found = g_str_has_prefix(argument->text, "id=") ? argument->text
                                                                : strstr(argument->text, ",id=");

    opts_drop(opts, "id");
    for (unsigned i = 0; i < opts->count; i++) {
        Opt *opt = &opts->items[i];

        if (strlen(opt->key) > LONGEST_KEY_OF_2011 || strlen(opt->value) > LONGEST_VALUE_OF_2011) {
            legacy_note(l, CLOSE, opt->key_at, "", "in 2011, this was cut short");
        }
        opt->key = arena_text(l->arena, opt->key, MIN(strlen(opt->key), LONGEST_KEY_OF_2011));
        opt->value = arena_text(
            l->arena, opt->value, MIN(strlen(opt->value), LONGEST_VALUE_OF_2011));
    }
    if (found) {
        found += *found == ',';
        opts_add(opts, "id", arena_text(l->arena, found + 3, strcspn(found + 3, ",")), opts->at);
    }
}

bool take_drive(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    Opts *opts = opts_parse("-drive", argument, NULL, l->arena);

    opts->at = at;
    if (l->as == AS_2011) {
        read_as_in_2011(l, opts, argument);
    }
    return add_group(l, "drive", opts);
}

bool add_shorthand(Legacy *l, const char *name, const Word *file, Span at)
{
    static const struct {
        const char *option;
        const char *keys[3][2];
    } shorthands[] = {
        { "hda", { { "index", "0" }, { "media", "disk" } } },
        { "hdb", { { "index", "1" }, { "media", "disk" } } },
        { "hdc", { { "index", "2" }, { "media", "disk" } } },
        { "hdd", { { "index", "3" }, { "media", "disk" } } },
        { "cdrom", { { "index", "2" }, { "media", "cdrom" } } },
        { "fda", { { "if", "floppy" }, { "index", "0" } } },
        { "fdb", { { "if", "floppy" }, { "index", "1" } } },
        { "sd", { { "if", "sd" } } },
        { "mtdblock", { { "if", "mtd" } } },
        { "pflash", { { "if", "pflash" } } },
    };
    Opts *opts = opts_new(arena_printf(l->arena, "-%s", name), at, l->arena);

    opts_add(opts, "file", file->text, word_span(file, 0, file->length));
    for (unsigned i = 0; i < G_N_ELEMENTS(shorthands); i++) {
        for (unsigned j = 0; j < 3 && strcmp(shorthands[i].option, name) == 0; j++) {
            if (shorthands[i].keys[j][0]) {
                opts_add(opts, shorthands[i].keys[j][0], shorthands[i].keys[j][1], at);
            }
        }
    }
    if (l->as == AS_2011 && strcmp(name, "sd") == 0) {
        opts_add(opts, "index", "0", at);
    }
    return add_group(l, "drive", opts);
}

bool take_shorthand(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    return add_shorthand(l, o->name, argument, at);
}

bool take_geometry(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    legacy_note(l, LOST, at, "", "the guest guesses the geometry");
    return true;
}

/* ---- the machine ---- */

bool take_machine(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    Opts *opts = opts_parse("-machine", argument, "type", l->arena);

    for (unsigned i = 0; i < opts->count; i++) {
        Opt *opt = opts_add(
            l->machine_merged, opts->items[i].key, opts->items[i].value, opts->items[i].key_at);

        opt->value_at = opts->items[i].value_at;
    }
    l->machine_merged->at = at;
    return true;
}

/* What could be plugged in later is more than what is there. */
static bool check_more_memory(Legacy *l, Opts *opts)
{
    const Opt *slots = opts_get(opts, "slots"), *most = opts_get(opts, "maxmem");
    uint64_t size;

    if (l->as == AS_2011 || (!slots && !most)) {
        return true;
    }
    if (!most) {
        return legacy_refuse(
            l, DIAG_LEGACY_VALUE, slots->key_at, "`slots` needs `maxmem` beside it");
    }
    return (opt_size(most->value, &size) && size >= l->memory) ||
        legacy_refuse(l, DIAG_LEGACY_VALUE, most->value_at,
            "`%s` of `maxmem` is not a size of at least that of the memory", most->value);
}

bool take_memory(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    Opts *opts = opts_parse("-m", argument, "size", l->arena);
    const Opt *size = opts_get(opts, "size");
    const char *text = size ? size->value : "";
    bool plain = *text && g_ascii_isdigit(text[strlen(text) - 1]);

    if (size && !opt_size(text, &l->memory)) {
        return legacy_refuse(
            l, DIAG_LEGACY_VALUE, size->value_at, "`%s` is not an amount of memory", text);
    }
    if (plain && l->memory < (uint64_t)1 << 43) {
        l->memory <<= 20; /* without a suffix, it is MiB */
    }
    l->memory_text = text;
    l->memory_at = at;
    if (!check_more_memory(l, opts)) {
        return false;
    }
    if (opts_get(opts, "slots") || opts_get(opts, "maxmem")) {
        legacy_note(l, LOST, at, "memory", "lathe has no memory that is plugged in later");
    } else {
        legacy_note(l, EXACT, at, "memory", NULL);
    }
    return true;
}

/* What -smp says; 0: nothing. The last of the levels is left to be worked out. */
typedef enum Level { SOCKETS, DIES, CLUSTERS, CORES, THREADS, LEVEL_COUNT } Level;

static const char *const level_names[LEVEL_COUNT] = { "sockets", "dies", "clusters", "cores",
    "threads" };

/* QEMU's own arithmetic: cores first, then sockets, then threads are worked out. */
static uint64_t count_cpus(uint64_t levels[LEVEL_COUNT], uint64_t wanted)
{
    static const Level worked_out[] = { CORES, SOCKETS, THREADS };
    uint64_t product = 1;

    for (unsigned i = 0; wanted && i < G_N_ELEMENTS(worked_out); i++) {
        uint64_t others = 1;

        for (unsigned j = 0; j < LEVEL_COUNT; j++) {
            others *= j == worked_out[i] || !levels[j] ? 1 : levels[j];
        }
        if (!levels[worked_out[i]]) {
            levels[worked_out[i]] = wanted / others;
            break;
        }
    }
    for (unsigned i = 0; i < LEVEL_COUNT; i++) {
        product = MIN(product * MAX(levels[i], 1), 1 << 20);
    }
    return product;
}

static bool take_level(Legacy *l, Opts *opts, const char *key, uint64_t *value)
{
    const Opt *opt = opts_get(opts, key);

    bool zero = strcmp(key, "cpus") == 0; /* as if it were not there */

    if (!opt || (opt_number(opt->value, value) && (*value > 0 || zero) && *value <= 4096)) {
        return true;
    }
    return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->value_at,
        "`%s` of `%s` is not a number between 1 and 4096", opt->value, key);
}

bool take_smp(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    Opts *opts = opts_parse("-smp", argument, "cpus", l->arena);
    uint64_t levels[LEVEL_COUNT] = { 0 }, cpus = 0, most = 0, product;
    bool shaped = false;

    if (!take_level(l, opts, "cpus", &cpus) || !take_level(l, opts, "maxcpus", &most)) {
        return false;
    }
    for (unsigned i = 0; i < LEVEL_COUNT; i++) {
        if (!take_level(l, opts, level_names[i], &levels[i])) {
            return false;
        }
        shaped = shaped || levels[i];
    }
    most = most ? most : cpus;
    product = count_cpus(levels, most);
    if (most && product != most) {
        return legacy_refuse(l, DIAG_LEGACY_VALUE, at,
            "sockets, cores and threads make %" G_GUINT64_FORMAT " CPUs, not %" G_GUINT64_FORMAT,
            product, most);
    }
    if (most && cpus > most) {
        return legacy_refuse(l, DIAG_LEGACY_VALUE, at, "`maxcpus` is less than `cpus`");
    }
    l->cpus = cpus ? cpus : product;
    l->cpus_at = at;
    if (shaped) {
        legacy_note(l, CLOSE, at, "cpus",
            "%u CPUs, side by side: sockets, cores and threads are not told apart", l->cpus);
    } else {
        legacy_note(l, EXACT, at, "cpus", NULL);
    }
    return true;
}

/* Drives are letters from a to p, each once. */
static bool is_boot_order(const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at < 'a' || *at > 'p' || strchr(at + 1, *at)) {
            return false;
        }
    }
    return true;
}

bool take_boot(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    static const char *const keys[] = { "order", "once", "menu", "splash", "splash-time",
        "reboot-timeout", "strict", NULL };
    Opts *opts = opts_parse("-boot", argument, "order", l->arena);

    for (unsigned i = 0; i < opts->count; i++) {
        const Opt *opt = &opts->items[i];
        bool order = strcmp(opt->key, "order") == 0 || strcmp(opt->key, "once") == 0;

        if (!g_strv_contains(keys, opt->key)) {
            return legacy_refuse(
                l, DIAG_LEGACY_VALUE, opt->key_at, "`%s` is no key of -boot", opt->key);
        }
        if (order && l->as == AS_7_2 && !is_boot_order(opt->value)) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->value_at,
                "`%s` is no order of drives: letters from a to p, each once", opt->value);
        }
    }
    legacy_note(l, LOST, at, "", "the firmware or kernel decides what is started");
    return true;
}

bool take_text(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    const struct {
        const char *option, *path;
        const char **value;
    } texts[] = { { "cpu", "cpus", &l->cpu_model }, { "kernel", "boot", &l->kernel },
        { "initrd", "boot", &l->initrd }, { "append", "boot", &l->append },
        { "dtb", "boot", &l->dtb }, { "bios", "boot", &l->bios } };

    if (strcmp(o->name, "icount") == 0) {
        l->icount = true;
        legacy_note(l, CLOSE, at, "clock",
            "guest time follows instructions; the rate is lathe's own unless clock.rate says one");
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (strcmp(texts[i].option, o->name) == 0) {
            *texts[i].value = argument->text;
        }
    }
    if (strcmp(o->name, "cpu") == 0) {
        l->cpu_at = at; /* the board knows whether it has that model: emitted with it */
    } else if (strcmp(o->name, "bios") == 0) {
        l->bios_at = at;
    } else {
        legacy_note(l, EXACT, at, "boot", NULL);
    }
    return true;
}

bool take_name(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    Opts *opts = opts_parse("-name", argument, "guest", l->arena);

    l->name = opts_text(opts, "guest");
    legacy_note(l, EXACT, at, "name", NULL);
    return true;
}

/* "2006-6-17T16:1:21" in full, or the start of a day. */
static bool clock_start(Legacy *l, const char *base)
{
    int year, month, day, hour = 0, minute = 0, second = 0;

    if (sscanf(base, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) < 3) {
        return false;
    }
    g_autoptr(GDateTime) time = g_date_time_new_utc(year, month, day, hour, minute, second);

    l->clock_start = time ? arena_printf(l->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
                                day, hour, minute, second)
                          : NULL;
    return time != NULL;
}

bool take_rtc(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    Opts *opts = opts_parse("-rtc", argument, NULL, l->arena);
    const char *base = opts_text(opts, "base");

    if (!base || strcmp(base, "utc") == 0) {
        legacy_note(l, EXACT, at, "clock", NULL);
    } else if (strcmp(base, "localtime") == 0) {
        legacy_note(l, LOST, at, "clock", "lathe's clocks are in UTC");
    } else if (clock_start(l, base)) {
        legacy_note(l, EXACT, at, "clock", NULL);
    } else {
        legacy_note(l, LOST, at, "clock", "there is no such day or time");
    }
    return true;
}

/* ---- flags ---- */

bool take_flag(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    if (strcmp(o->name, "snapshot") == 0) {
        l->snapshot = true;
    } else if (strcmp(o->name, "nodefaults") == 0) {
        l->no_defaults = true;
    } else if (strcmp(o->name, "usb") == 0) {
        opts_add(l->machine_merged, "usb", "on", at);
        legacy_note(l, LOST, at, "", "lathe has no USB");
        return true;
    } else if (strcmp(o->name, "S") == 0) {
        l->gdb_wait = true;
        if (!l->gdb) {
            legacy_note(l, CLOSE, at, "", "without a monitor, only gdb could let it go on");
        }
        return true;
    } else if (strcmp(o->name, "s") == 0) {
        l->gdb = "tcp::1234";
        legacy_note(l, CLOSE, at, "gdb", "lathe's gdb socket is a path");
        return true;
    }
    legacy_note(l, EXACT, at, "", NULL);
    return true;
}

/* It brings a USB bus along. */
bool take_usbdevice(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    if (l->as == AS_7_2 && strchr(argument->text, ':')) {
        legacy_refuse(l, DIAG_LEGACY_VALUE, word_span(argument, 0, argument->length),
            "`%s`: devices of -usbdevice have no parameters any more", argument->text);
        diag_hint(l->diag, "-device usb-storage,drive=ID is a disk");
        return false;
    }
    opts_add(l->machine_merged, "usb", "on", at);
    legacy_note(l, LOST, at, "", "lathe has no USB");
    return true;
}

bool take_gdb(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    l->gdb = argument->text;
    legacy_note(l, CLOSE, at, "gdb", "lathe's gdb socket is a path");
    return true;
}

bool take_serial(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    static const char *const terminal[] = { "stdio", "mon:stdio", "chardev:stdio", NULL };
    static const char *const nothing[] = { "none", "null", NULL };
    bool serial = strcmp(o->name, "serial") == 0;

    if (serial) {
        Opts *opts = opts_new("-serial", at, l->arena);

        opts_add(opts, "chardev", argument->text, at);
        g_ptr_array_add(l->serials, opts);
    }
    if (serial && g_strv_contains(terminal, argument->text)) {
        legacy_note(l, EXACT, at, "", NULL);
    } else if (g_strv_contains(nothing, argument->text)) {
        legacy_note(
            l, serial ? CLOSE : EXACT, at, "", serial ? "the console stays on the terminal" : NULL);
    } else {
        legacy_note(l, LOST, at, "",
            serial ? "the first serial port is the terminal; others go nowhere"
                   : "lathe has nothing of this kind");
    }
    return true;
}

bool take_help(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    return legacy_refuse(
        l, DIAG_LEGACY_OPTION, at, "`-%s` prints something and ends: there is no machine", o->name);
}

/* ---- -set, -global ---- */

bool take_set(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    g_auto(GStrv) parts = g_strsplit(argument->text, ".", 3);
    char *equals = g_strv_length(parts) == 3 ? strchr(parts[2], '=') : NULL;
    GPtrArray *list;
    Opts *opts;

    if (!equals) {
        return legacy_refuse(l, DIAG_LEGACY_FORM, at, "-set takes GROUP.ID.KEY=VALUE");
    }
    list = group_list(l, parts[0]);
    opts = list ? (Opts *)with_id(list, parts[1]) : NULL;
    if (!opts) {
        return legacy_refuse(l, DIAG_LEGACY_NAME, at,
            list ? "there is no -%s with the id `%s` before this" : "there is no group `%s`",
            parts[0], parts[1]);
    }
    *equals = '\0';
    opts_add(opts, arena_text(l->arena, parts[2], strlen(parts[2])),
        arena_text(l->arena, equals + 1, strlen(equals + 1)), at);
    return true;
}

bool take_global(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    Opts *opts = opts_parse("-global", argument, NULL, l->arena);
    const char *dot = strchr(argument->text, '.'), *equals = strchr(argument->text, '=');

    if (dot && equals && dot < equals) {
        opts = opts_new("-global", at, l->arena);
        opts_add(opts, "driver", arena_text(l->arena, argument->text, dot - argument->text), at);
        opts_add(opts, "property", arena_text(l->arena, dot + 1, equals - dot - 1), at);
        opts_add(opts, "value", equals + 1, at);
    }
    if (!opts_find(opts, "driver") || !opts_find(opts, "property") || !opts_find(opts, "value")) {
        return legacy_refuse(l, DIAG_LEGACY_FORM, at, "-global takes DRIVER.PROPERTY=VALUE");
    }
    opts->at = at;
    g_ptr_array_add(l->globals, opts);
    legacy_note(l, LOST, at, "", "devices of the board keep their own properties");
    return true;
}

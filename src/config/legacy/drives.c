/* blockdev.c of QEMU 7.2 and of 2011, as DRIVE.md describes them. */
#include "config/legacy/drives.h"

#include <string.h>

#include "config/legacy/nodes.h"
#include "config/legacy/throttle.h"

enum { LONGEST_SERIAL = 20 };

/* ---- keys and their types ---- */

/* Where the old key's value goes (4): the first of several counts. */
static const struct {
    const char *alias, *key;
} aliases[] = {
    { "readonly", "read-only" },
    { "iops", "throttling.iops-total" },
    { "iops_rd", "throttling.iops-read" },
    { "iops_wr", "throttling.iops-write" },
    { "bps", "throttling.bps-total" },
    { "bps_rd", "throttling.bps-read" },
    { "bps_wr", "throttling.bps-write" },
    { "iops_max", "throttling.iops-total-max" },
    { "iops_rd_max", "throttling.iops-read-max" },
    { "iops_wr_max", "throttling.iops-write-max" },
    { "bps_max", "throttling.bps-total-max" },
    { "bps_rd_max", "throttling.bps-read-max" },
    { "bps_wr_max", "throttling.bps-write-max" },
    { "iops_size", "throttling.iops-size" },
    { "group", "throttling.group" },
};

static const char *const keys_of_2011[] = { "bus", "unit", "if", "index", "cyls", "heads", "secs",
    "trans", "media", "snapshot", "file", "cache", "aio", "format", "serial", "rerror", "werror",
    "addr", "readonly", "id", NULL };

bool drives_is_old_key(const char *key)
{
    static const char *const removed[] = { "serial", "addr", "cyls", "heads", "secs", "trans",
        "boot", NULL };

    return g_strv_contains(removed, key);
}

/* Makes each alias its modern key; several of one alias become the first of them. */
static bool rename_aliases(Legacy *l, Opts *opts)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(aliases); i++) {
        Opt *first = NULL;

        for (unsigned j = 0; j < opts->count; j++) {
            Opt *opt = &opts->items[j];

            if (strcmp(opt->key, aliases[i].alias) != 0) {
                continue;
            }
            if (!first && opts_find(opts, aliases[i].key)) {
                return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->key_at,
                    "`%s` is another name of `%s`, which is given too", opt->key, aliases[i].key);
            }
            if (first) {
                opt->value = first->value;
            }
            first = first ? first : opt;
            opt->key = aliases[i].key;
        }
    }
    return true;
}

/* Only digits, and more than 64 bits of them: in 2011, that was the largest number. */
static bool too_big(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool take_number(Legacy *l, Opts *opts, const char *key, int *value, bool *given)
{
    const Opt *opt = opts_get(opts, key);
    uint64_t number = G_MAXUINT64;

    if (given) {
        *given = opt != NULL;
    }
    if (!opt) {
        return true;
    }
    if (!opt_number(opt->value, &number) && !(l->as == AS_2011 && too_big(opt->value))) {
        return legacy_refuse(
            l, DIAG_LEGACY_VALUE, opt->value_at, "`%s` of `%s` is not a number", opt->value, key);
    }
    *value = (int)number; /* as QEMU keeps it (1.9) */
    return true;
}

static bool take_word(
    Legacy *l, Opts *opts, const char *key, const char *const *words, const char **value)
{
    const Opt *opt = opts_get(opts, key);
    g_autofree char *list = NULL;

    if (!opt) {
        return true;
    }
    *value = opt->value;
    if (g_strv_contains(words, opt->value)) {
        return true;
    }
    list = g_strjoinv(", ", (char **)words);
    legacy_refuse(l, DIAG_LEGACY_VALUE, opt->value_at, "`%s` is no value of `%s`", opt->value, key);
    diag_hint(l->diag, "one of %s", list);
    return false;
}

/* ---- cache (5.1) ---- */

const CacheWord drives_cache_words[] = {
    { "writeback", true, false, false },
    { "none", true, true, false },
    { "writethrough", false, false, false },
    { "directsync", false, true, false },
    { "unsafe", true, false, true },
    { "off", true, true, false },
    { NULL },
};

const CacheWord *drives_cache_word(const char *word)
{
    for (const CacheWord *at = drives_cache_words; at->word; at++) {
        if (strcmp(at->word, word) == 0) {
            return at;
        }
    }
    return NULL;
}

static bool take_cache(Legacy *l, Opts *opts, LegacyDrive *drive, NodeFlags *flags)
{
    const Opt *cache = opts_find(opts, "cache");

    drive->writeback = l->as == AS_7_2;
    if (cache) {
        const CacheWord *mode = drives_cache_word(cache->value);

        if (!mode) {
            legacy_refuse(
                l, DIAG_LEGACY_VALUE, cache->value_at, "`%s` is no cache mode", cache->value);
            diag_hint(l->diag, "one of writeback, none, writethrough, directsync, unsafe");
            return false;
        }
        if (opts_times(opts, "cache") > 1) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, cache->key_at, "`cache` is given twice");
        }
        drive->writeback = mode->writeback;
        flags->direct = mode->direct;
        flags->no_flush = mode->no_flush;
        opts_get(opts, "cache");
    }
    return nodes_bool(l, opts, "cache.writeback", &drive->writeback);
}

/* ---- address (6) ---- */

/* In 2011 a machine had SCSI or IDE. */
DriveInterface drives_standard(const Legacy *l)
{
    static const char *const with_scsi[] = { "versatile", "realview", "vexpress-a9", "SS-", "SPARC",
        "LX", "Voyager", "magnum", "pica61", "pseries" };

    for (unsigned i = 0; l->as == AS_2011 && i < G_N_ELEMENTS(with_scsi); i++) {
        if (g_str_has_prefix(l->machine, with_scsi[i])) {
            return IF_SCSI;
        }
    }
    return l->as == AS_2011 ? IF_IDE : l->board->standard;
}

int drives_width(const Legacy *l, DriveInterface interface)
{
    if (l->as == AS_7_2 && l->board->flags & ONE_UNIT && interface == l->board->standard) {
        return 1;
    }
    return interface == IF_IDE ? 2 : interface == IF_SCSI ? 7 : 0;
}

LegacyDrive *drives_at(const Legacy *l, DriveInterface interface, int bus, int unit)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (drive->interface == interface && drive->bus == bus && drive->unit == unit &&
            *drive->id) {
            return drive;
        }
    }
    return NULL;
}

static void take_first_free_unit(const Legacy *l, LegacyDrive *drive, int width)
{
    drive->unit = 0;
    while (drives_at(l, drive->interface, drive->bus, drive->unit)) {
        drive->unit++;
        if (width && drive->unit >= width) {
            drive->unit -= width;
            drive->bus++;
        }
    }
}

static bool place(Legacy *l, LegacyDrive *drive, bool has_unit)
{
    int width = drives_width(l, drive->interface);

    if (drive->index != -1) {
        if (drive->bus != 0 || has_unit) {
            return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
                "`index` says bus and unit already: it cannot stand beside them");
        }
        drive->bus = width ? drive->index / width : 0;
        drive->unit = width ? drive->index % width : drive->index;
    } else if (!has_unit) {
        take_first_free_unit(l, drive, width);
    }
    if (width && drive->unit >= width) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
            "unit %d is too big: a bus of `%s` has units 0 to %d", drive->unit,
            interface_names[drive->interface], width - 1);
    }
    if (drives_at(l, drive->interface, drive->bus, drive->unit)) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
            "there is a drive at bus %d, unit %d of `%s` already", drive->bus, drive->unit,
            interface_names[drive->interface]);
    }
    return true;
}

static const char *automatic_id(const Legacy *l, const LegacyDrive *drive)
{
    bool named_media = drive->interface == IF_IDE || drive->interface == IF_SCSI;
    const char *media = !named_media ? "" : drive->cdrom ? "-cd" : "-hd";
    const char *name = interface_names[drive->interface];

    if (drives_width(l, drive->interface)) {
        return arena_printf(l->arena, "%s%d%s%d", name, drive->bus, media, drive->unit);
    }
    return arena_printf(l->arena, "%s%s%d", name, media, drive->unit);
}

static bool take_address(Legacy *l, Opts *opts, LegacyDrive *drive)
{
    const Opt *media = opts_get(opts, "media"), *type = opts_get(opts, "if");
    bool has_unit = false, has_index;

    drive->index = -1;
    if (!take_number(l, opts, "bus", &drive->bus, NULL) ||
        !take_number(l, opts, "unit", &drive->unit, &has_unit) ||
        !take_number(l, opts, "index", &drive->index, &has_index)) {
        return false;
    }
    has_unit = has_unit && drive->unit != -1;
    if (media) {
        drive->cdrom = strcmp(media->value, "cdrom") == 0;
        if (!drive->cdrom && strcmp(media->value, "disk") != 0) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, media->value_at,
                "`%s` is no medium: disk or cdrom", media->value);
        }
    }
    drive->interface = drives_standard(l);
    if (type) {
        unsigned i = 0;

        while (i < INTERFACE_COUNT && strcmp(interface_names[i], type->value) != 0) {
            i++;
        }
        if (i == INTERFACE_COUNT) {
            legacy_refuse(l, DIAG_LEGACY_VALUE, type->value_at, "`%s` is no interface of drives",
                type->value);
            diag_hint(l->diag, "one of none, ide, scsi, floppy, pflash, mtd, sd, virtio, xen");
            return false;
        }
        drive->interface = i;
    }
    return place(l, drive, has_unit);
}

/* ---- errors of the guest's requests ---- */

static bool take_error_policy(
    Legacy *l, Opts *opts, LegacyDrive *drive, const char *key, const char **value)
{
    static const char *const write[] = { "enospc", "stop", "report", "ignore", NULL };
    static const char *const read[] = { "report", "stop", "ignore", NULL };
    const Opt *opt = opts_find(opts, key);
    DriveInterface interface = drive->interface;

    if (!opt) {
        return true;
    }
    if (interface != IF_IDE && interface != IF_SCSI && interface != IF_VIRTIO &&
        interface != IF_NONE) {
        return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->key_at, "`%s` is not for drives with if=%s",
            key, interface_names[interface]);
    }
    return take_word(l, opts, key, *key == 'w' ? write : read, value);
}

/* ---- the medium ---- */

static bool take_format(Legacy *l, Opts *opts)
{
    Opt *format = opts_find(opts, "format");

    if (!format) {
        return true;
    }
    if (strcmp(format->value, "?") == 0 || strcmp(format->value, "help") == 0) {
        return legacy_refuse(l, DIAG_LEGACY_VALUE, format->value_at,
            "this asks for the list of formats: there is nothing to translate");
    }
    if (opts_find(opts, "driver")) {
        return legacy_refuse(l, DIAG_LEGACY_VALUE, format->key_at,
            "`driver` and `format` are the same: only one can be given");
    }
    for (unsigned i = 0; i < opts->count; i++) {
        if (strcmp(opts->items[i].key, "format") == 0) {
            opts->items[i].key = "driver";
        }
    }
    return true;
}

/* What belongs to the drive and not to its image. */
static bool take_backend_keys(Legacy *l, Opts *opts, LegacyDrive *drive)
{
    static const char *const aio_words[][4] = {
        [AS_7_2] = { "threads", "native", "io_uring" },
        [AS_2011] = { "threads", "native" },
    };
    static const char *const zeroes[] = { "off", "on", "unmap", NULL };
    bool flag;

    drive->snapshot = l->snapshot;
    drive->aio = "threads";
    drive->detect_zeroes = "off";
    return nodes_bool(l, opts, "snapshot", &drive->snapshot) &&
        nodes_bool(l, opts, "stats-account-invalid", &flag) &&
        nodes_bool(l, opts, "stats-account-failed", &flag) &&
        take_word(l, opts, "aio", aio_words[l->as], &drive->aio) && throttle_read(l, opts, drive) &&
        take_word(l, opts, "detect-zeroes", zeroes, &drive->detect_zeroes);
}

static bool take_stats_intervals(Legacy *l, Opts *opts)
{
    unsigned count = 0;

    while (opts_find(opts, arena_printf(l->arena, "stats-intervals.%u", count))) {
        count++;
    }
    for (unsigned i = 0; i < opts->count; i++) {
        Opt *opt = &opts->items[i];
        uint64_t seconds, number;

        if (!g_str_has_prefix(opt->key, "stats-intervals.")) {
            continue;
        }
        opt->used = true;
        if (!opt_number(opt->key + strlen("stats-intervals."), &number) || number >= count) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->key_at,
                "`%s`: these are counted from 0, without gaps", opt->key);
        }
        if (!opt_number(opt->value, &seconds) || seconds == 0 || seconds > G_MAXUINT32) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->value_at,
                "`%s` is not a number of seconds between 1 and 4294967295", opt->value);
        }
    }
    return true;
}

static bool open_medium(Legacy *l, Opts *opts, LegacyDrive *drive, NodeFlags *flags)
{
    const Opt *file = opts_get(opts, "file");
    bool cached = opts_find(opts, "cache") != NULL;

    flags->file = file && *file->value ? file->value : NULL;
    if (!flags->file && (l->as == AS_2011 || (!opts_unused(opts, 0) && !cached))) {
        return true; /* in 2011, the rest was kept for a medium to come */
    }
    flags->read_only = drive->read_only;
    flags->below_scratch = drive->snapshot;
    flags->aio = drive->aio;
    if (l->as == AS_2011 && strcmp(drive->aio, "native") == 0 && !flags->direct) {
        flags->aio = drive->aio = "threads";
        legacy_note(
            l, CLOSE, drive->at, "", "in 2011, aio=native without a direct cache mode was threads");
    }
    if (drive->snapshot && l->as == AS_2011) {
        flags->direct = false;
        drive->writeback = flags->no_flush = true;
    }
    drive->node = nodes_open(l, opts, flags, false);
    if (drive->node) {
        drive->unmap = opts_find(opts, "discard") && drive->node->unmap;
        drive->aio = drive->node->aio;
    }
    return drive->node != NULL;
}

/* ---- keys of 2011 (4) ---- */

static bool check_keys_of_2011(Legacy *l, const Opts *opts)
{
    bool flag;

    for (unsigned i = 0; i < opts->count; i++) {
        const Opt *opt = &opts->items[i];

        if (*opt->key && !g_strv_contains(keys_of_2011, opt->key)) {
            return legacy_refuse(
                l, DIAG_LEGACY_VALUE, opt->key_at, "`%s` was no key of -drive in 2011", opt->key);
        }
        if ((strcmp(opt->key, "snapshot") == 0 || strcmp(opt->key, "readonly") == 0) &&
            (!opt_bool(opt->value, &flag) ||
                (strcmp(opt->value, "on") && strcmp(opt->value, "off")))) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->value_at,
                "`%s` of `%s` is neither on nor off", opt->value, opt->key);
        }
    }
    return true;
}

static bool check_geometry(Legacy *l, Opts *opts, const LegacyDrive *drive)
{
    static const struct {
        const char *key;
        int most;
    } limits[] = { { "cyls", 16383 }, { "heads", 16 }, { "secs", 63 } };
    int values[3] = { 0 };
    static const char *const translations[] = { "none", "lba", "auto", NULL };
    const char *translation = NULL;

    for (unsigned i = 0; i < 3; i++) {
        if (!take_number(l, opts, limits[i].key, &values[i], NULL)) {
            return false;
        }
    }
    if (!take_word(l, opts, "trans", translations, &translation)) {
        return false;
    }
    if (!values[0] && !values[1] && !values[2]) {
        return !translation ||
            legacy_refuse(l, DIAG_LEGACY_VALUE, drive->at, "`trans` needs cyls, heads and secs");
    }
    for (unsigned i = 0; i < 3; i++) {
        if (values[i] < 1 || (drive->interface == IF_IDE && values[i] > limits[i].most)) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, drive->at, "`%s` is not between 1 and %d",
                limits[i].key, limits[i].most);
        }
    }
    return !drive->cdrom ||
        legacy_refuse(l, DIAG_LEGACY_VALUE, drive->at, "a CD-ROM has no cyls, heads and secs");
}

static bool take_keys_of_2011(Legacy *l, Opts *opts, LegacyDrive *drive)
{
    static const DriveInterface writable_only[] = { IF_IDE, IF_PFLASH, IF_MTD, IF_SD, IF_XEN };

    if (l->as == AS_7_2) {
        return true;
    }
    if (!check_geometry(l, opts, drive)) {
        return false;
    }
    drive->serial = opts_text(opts, "serial");
    if (drive->serial && strlen(drive->serial) > LONGEST_SERIAL) {
        legacy_note(
            l, CLOSE, drive->at, "", "in 2011, a serial ended after %d characters", LONGEST_SERIAL);
        drive->serial = arena_text(l->arena, drive->serial, LONGEST_SERIAL);
    }
    drive->address = opts_text(opts, "addr");
    if (drive->address && drive->interface != IF_VIRTIO) {
        return legacy_refuse(l, DIAG_LEGACY_VALUE, drive->at, "`addr` is for if=virtio alone");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(writable_only); i++) {
        if (drive->read_only && !drive->cdrom && drive->interface == writable_only[i]) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, drive->at,
                "a drive with if=%s cannot be read-only", interface_names[drive->interface]);
        }
    }
    return true;
}

/* ---- a drive ---- */

bool drives_read_only(const LegacyDrive *drive)
{
    return drive->node && !drive->snapshot ? drive->node->read_only : drive->read_only;
}

static bool register_drive(Legacy *l, LegacyDrive *drive, const Opt *id)
{
    drive->named = id != NULL;
    drive->id = id ? id->value : automatic_id(l, drive);
    if (legacy_drive_find(l, drive->id)) {
        return legacy_refuse(
            l, DIAG_LEGACY_NAME, drive->at, "there is a drive with the id `%s` already", drive->id);
    }
    if (legacy_node_find(l, drive->id)) {
        return legacy_refuse(l, DIAG_LEGACY_NAME, drive->at,
            "the id `%s` of the drive is already the name of a node", drive->id);
    }
    g_ptr_array_add(l->drives, drive);
    return true;
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

static bool read_drive(Legacy *l, Opts *opts)
{
    LegacyDrive *drive = ARENA_NEW(l->arena, LegacyDrive);
    const Opt *id = first_id(opts);
    NodeFlags flags = { .auto_read_only = true };

    opts_get(opts, "id");
    drive->options = opts;
    drive->at = opts->at;
    if ((l->as == AS_2011 && !check_keys_of_2011(l, opts)) || !rename_aliases(l, opts) ||
        !take_cache(l, opts, drive, &flags) ||
        !nodes_bool(l, opts, "read-only", &drive->read_only) ||
        !nodes_bool(l, opts, "copy-on-read", &drive->copy_on_read) ||
        !take_address(l, opts, drive)) {
        return false;
    }
    opts_drop(opts, "read-only");
    drive->read_only = drive->read_only || drive->cdrom;
    drive->copy_on_read = drive->copy_on_read && !drive->read_only;
    if (!take_keys_of_2011(l, opts, drive) ||
        !take_error_policy(l, opts, drive, "werror", &drive->werror) ||
        !take_error_policy(l, opts, drive, "rerror", &drive->rerror) ||
        !take_backend_keys(l, opts, drive) || !take_stats_intervals(l, opts) ||
        !take_format(l, opts) || !open_medium(l, opts, drive, &flags)) {
        return false;
    }
    return register_drive(l, drive, id);
}

/* ---- drives that nobody asked for (8) ---- */

static bool names_a_device(const Legacy *l, const char *const *names)
{
    for (unsigned i = 0; i < l->devices->len; i++) {
        const char *driver = opts_text(g_ptr_array_index(l->devices, i), "driver");

        if (driver && g_strv_contains(names, driver)) {
            return true;
        }
    }
    for (unsigned i = 0; i < l->globals->len; i++) {
        const char *driver = opts_text(g_ptr_array_index(l->globals, i), "driver");

        if (driver && g_strv_contains(names, driver)) {
            return true;
        }
    }
    return false;
}

static bool add_default(Legacy *l, DriveInterface interface, int index, bool cdrom)
{
    int width = drives_width(l, interface);
    LegacyDrive *drive = ARENA_NEW(l->arena, LegacyDrive);

    drive->interface = interface;
    drive->index = index;
    drive->bus = width ? index / width : 0;
    drive->unit = width ? index % width : index;
    drive->cdrom = drive->read_only = cdrom;
    drive->automatic = true;
    drive->writeback = true;
    drive->aio = "threads";
    drive->detect_zeroes = "off";
    drive->id = automatic_id(l, drive);
    if (drives_at(l, interface, drive->bus, drive->unit)) {
        return true;
    }
    if (legacy_drive_find(l, drive->id)) {
        return legacy_refuse(l, DIAG_LEGACY_NAME, legacy_drive_find(l, drive->id)->at,
            "the machine has an empty drive of its own with the id `%s`: -nodefaults leaves it out",
            drive->id);
    }
    g_ptr_array_add(l->drives, drive);
    return true;
}

static bool add_defaults(Legacy *l)
{
    static const char *const cd_drivers[][5] = {
        [AS_7_2] = { "ide-cd", "ide-hd", "scsi-cd", "scsi-hd" },
        [AS_2011] = { "ide-cd", "ide-hd", "ide-drive", "scsi-cd" },
    };
    static const char *const floppy_drivers[][3] = {
        [AS_7_2] = { "isa-fdc", "floppy" },
        [AS_2011] = { "isa-fdc" },
    };
    unsigned flags = l->as == AS_7_2 ? l->board->flags : 0;

    if (l->no_defaults) {
        return true;
    }
    return (flags & NO_CDROM || names_a_device(l, cd_drivers[l->as]) ||
               add_default(l, drives_standard(l), 2, true)) &&
        (flags & NO_FLOPPY || names_a_device(l, floppy_drivers[l->as]) ||
            add_default(l, IF_FLOPPY, 0, false)) &&
        (flags & NO_SD || add_default(l, IF_SD, 0, false));
}

bool drives_read(Legacy *l)
{
    for (unsigned i = 0; i < l->drive_options->len; i++) {
        if (!read_drive(l, g_ptr_array_index(l->drive_options, i))) {
            return false;
        }
    }
    throttle_settle_groups(l);
    return add_defaults(l);
}

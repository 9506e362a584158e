/* Boards and devices claim drives, in QEMU's order. */
#include "config/legacy/attach.h"

#include <string.h>

#include "config/legacy/buses.h"
#include "config/legacy/devices.h"
#include "config/legacy/drives.h"
#include "config/legacy/properties.h"
#include "config/suggest.h"

/* ---- fronts ---- */

static LegacyFront *front_new(Legacy *l, LegacyDrive *drive, const char *type, const char *bus)
{
    LegacyFront *front = ARENA_NEW(l->arena, LegacyFront);

    *front = (LegacyFront){
        .type = type, .bus = bus, .unit = -1, .scsi_id = -1, .lun = -1, .write_cache = -1
    };
    drive->front = front;
    drive->claimed = true;
    return front;
}

static bool check_medium(Legacy *l, const LegacyDrive *drive, bool removable, bool writes)
{
    if (!drive->node && !removable) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
            "the drive `%s` is empty, and its device cannot be", drive->id);
    }
    if (drive->node && drive->node->never_writes && !drives_read_only(drive) && !drive->snapshot) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
            "nobody can write to `%s` (fat:rw: could), and its device wants to", drive->node->file);
    }
    if (writes && drives_read_only(drive)) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
            "the drive `%s` is read-only, and its device has to write", drive->id);
    }
    return true;
}

/* A node without a drive: QEMU shows it without a name. */
static LegacyDrive *anonymous_drive(Legacy *l, LegacyNode *node, Span at)
{
    LegacyDrive *drive = ARENA_NEW(l->arena, LegacyDrive);

    *drive = (LegacyDrive){ .id = "",
        .at = at,
        .node = node,
        .writeback = true,
        .aio = node ? node->aio : "threads",
        .read_only = node && node->read_only,
        .unmap = node && node->unmap,
        .detect_zeroes = node ? node->detect_zeroes : "off" };
    if (node) {
        node->busy = !node->read_only;
    }
    g_ptr_array_add(l->drives, drive);
    return drive;
}

/* ---- the board's own ---- */

static bool attach_ide(Legacy *l, LegacyDrive *drive, unsigned port, bool ahci)
{
    LegacyFront *front;
    Bus *bus = buses_find(l->buses, "IDE", port);
    int unit = ahci ? 0 : drive->unit;

    front = front_new(l, drive, drive->cdrom ? "ide-cd" : "ide-hd", bus->name);
    front->unit = unit;
    front->removable = drive->cdrom;
    front->serial = arena_printf(l->arena, "QM%05u", bus->serial + unit);
    bus->taken |= 1u << unit;
    return check_medium(l, drive, drive->cdrom, !drive->cdrom);
}

static bool claim_ide(Legacy *l, LegacyDrive *drive)
{
    int ports = qemu_board_claims(l->board, "ahci"), units = qemu_board_claims(l->board, "ide");
    int width = drives_width(l, IF_IDE);
    int port = width == 1 ? drive->bus : drive->bus * 2 + drive->unit;

    if (qemu_board_claims(l->board, "microdrive") && drive->bus == 0 && drive->unit == 0 &&
        !drive->cdrom) {
        front_new(l, drive, NULL, NULL);
        return true;
    }
    if (drive->bus < 0 || drive->unit < 0 || port >= MAX(ports, units)) {
        return true;
    }
    return attach_ide(l, drive, ports ? port : drive->bus, ports > 0);
}

static bool claim_scsi(Legacy *l, LegacyDrive *drive)
{
    int buses = buses_of_scsi(l), virtual = qemu_board_claims(l->board, "vscsi");
    const char *name;
    LegacyFront *front;

    if (drive->bus < 0 || drive->unit < 0 || drive->bus >= MAX(buses, virtual)) {
        return true;
    }
    name = virtual ? buses_vscsi_name(l, drive->bus)
                   : arena_printf(l->arena, "scsi.%d", drive->bus);
    front = front_new(l, drive, drive->cdrom ? "scsi-cd" : "scsi-hd", name);
    front->scsi_id = drive->unit;
    front->lun = 0;
    front->removable = drive->cdrom;
    return check_medium(l, drive, drive->cdrom, false);
}

static bool claim_unit(Legacy *l, LegacyDrive *drive)
{
    bool floppy = drive->interface == IF_FLOPPY;
    const char *what = floppy ? "floppy" : "sd";
    int units = qemu_board_claims(l->board, what);
    LegacyFront *front;

    if (!floppy && (int)qemu_board_claims(l->board, "sd-idle") > drive->unit && drive->bus == 0) {
        drive->claimed = true;
        return true;
    }
    if (drive->bus != 0 || drive->unit < 0 || drive->unit >= units) {
        return true;
    }
    front = front_new(l, drive, floppy ? "floppy" : "sd-card", floppy ? "floppy-bus.0" : "sd-bus");
    front->removable = true;
    if (floppy) {
        front->unit = drive->unit;
        return check_medium(l, drive, true, false);
    }
    if (drive->node && drives_read_only(drive)) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, drive->at, "a read-only drive cannot be an SD card");
    }
    if (drive->node && drive->node->known && drive->node->facts.size &&
        (drive->node->facts.size & (drive->node->facts.size - 1))) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, drive->at, "the size of an SD card is a power of two");
    }
    return true;
}

/* Sizes that flash must have, where they are known. */
static const struct {
    const char *arch, *board;
    DriveInterface interface;
    uint64_t smallest, largest;
} flash_sizes[] = {
    { "i386 x86_64", "pc", IF_PFLASH, 4096, 8 << 20 },
    { "arm aarch64", "virt", IF_PFLASH, 64 << 20, 64 << 20 },
    { "riscv32 riscv64", "virt", IF_PFLASH, 32 << 20, 32 << 20 },
    { "mips", "malta", IF_PFLASH, 4 << 20, 4 << 20 },
    { "arm", "musicpal", IF_PFLASH, 8 << 20, 32 << 20 },
    { "ppc", "mpc8544ds", IF_PFLASH, 0, 8 << 20 },
    { "ppc64", "pseries", IF_PFLASH, 8 << 10, 1 << 20 },
};

static bool check_flash_size(Legacy *l, const LegacyDrive *drive)
{
    uint64_t size = drive->node ? drive->node->facts.size : 0;

    for (unsigned i = 0; drive->node && drive->node->known && size && i < G_N_ELEMENTS(flash_sizes);
         i++) {
        if (flash_sizes[i].interface == drive->interface &&
            strstr(l->board->archs, flash_sizes[i].arch) == l->board->archs &&
            g_str_has_prefix(l->machine, flash_sizes[i].board) &&
            (size < flash_sizes[i].smallest || size > flash_sizes[i].largest)) {
            return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
                "this flash has %" G_GUINT64_FORMAT " bytes, the machine's %" G_GUINT64_FORMAT
                " to %" G_GUINT64_FORMAT,
                size, flash_sizes[i].smallest, flash_sizes[i].largest);
        }
    }
    return true;
}

static bool claim_flash(Legacy *l, LegacyDrive *drive)
{
    const char *what = interface_names[drive->interface];
    g_autofree char *device = NULL, *bus = NULL;
    const char *type;

    if (drive->bus != 0 || drive->unit < 0 ||
        !qemu_board_flash(l->board, what, drive->unit, &device, &bus)) {
        return true;
    }
    if (!drive->node) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, drive->at, "the flash `%s` needs an image", drive->id);
    }
    if (strcmp(device, "big") == 0 && drive->node->known && drive->node->facts.size < 128 << 20) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, drive->at, "the image is smaller than the flash of 128 MiB");
    }
    type = strcmp(device, "?") == 0 ? NULL : arena_text(l->arena, device, strlen(device));
    front_new(l, drive, type, type ? arena_text(l->arena, bus, strlen(bus)) : NULL);
    return check_flash_size(l, drive);
}

static bool claim(Legacy *l, LegacyDrive *drive)
{
    switch (drive->interface) {
    case IF_IDE: return claim_ide(l, drive);
    case IF_SCSI: return claim_scsi(l, drive);
    case IF_FLOPPY:
    case IF_SD: return claim_unit(l, drive);
    case IF_PFLASH:
    case IF_MTD: return claim_flash(l, drive);
    case IF_XEN: drive->claimed = qemu_board_claims(l->board, "xen") > 0; return true;
    case IF_NONE: return drives_at(l, IF_PFLASH, 0, 0) || claim_flash(l, drive);
    case IF_VIRTIO:
    default: return true;
    }
}

/* `-machine pflash0=NODE`: a flash on a node of -blockdev. */
static bool claim_machine_flash(Legacy *l, unsigned unit)
{
    const Opt *opt = opts_find(l->machine_merged, unit ? "pflash1" : "pflash0");
    LegacyNode *node = opt ? legacy_node_find(l, opt->value) : NULL;
    g_autofree char *device = NULL, *bus = NULL;
    LegacyDrive *drive;

    if (!opt) {
        return true;
    }
    if (!qemu_board_flash(l->board, "pflash", unit, &device, &bus)) {
        return legacy_refuse(
            l, DIAG_LEGACY_VALUE, opt->key_at, "`%s` has no `%s`", l->machine, opt->key);
    }
    if (!node) {
        return legacy_refuse(
            l, DIAG_LEGACY_NAME, opt->value_at, "no node is called `%s`", opt->value);
    }
    if (drives_at(l, IF_PFLASH, 0, unit)) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, opt->key_at,
            "`%s` and a drive with if=pflash are the same flash", opt->key);
    }
    drive = anonymous_drive(l, node, opt->value_at);
    drive->interface = IF_PFLASH;
    drive->unit = unit;
    front_new(l, drive, arena_text(l->arena, device, strlen(device)),
        arena_text(l->arena, bus, strlen(bus)));
    return check_flash_size(l, drive);
}

/* The first flash of an arm board is -bios or a drive; a PC's second needs its first. */
static bool check_firmware(Legacy *l)
{
    const LegacyDrive *first = drives_at(l, IF_PFLASH, 0, 0),
                      *second = drives_at(l, IF_PFLASH, 0, 1);
    bool pc = strstr(l->board->archs, "x86_64") && qemu_board_claims(l->board, "floppy");

    if (!first && qemu_board_claims(l->board, "needs-flash")) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, l->machine_at, "`%s` needs an image in flash 0", l->machine);
    }
    if (pc && second && !first && !opts_find(l->machine_merged, "pflash0")) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, second->at, "flash 1 (pflash1) needs flash 0 beside it");
    }
    if (first && l->bios && strcmp(l->board->names, "virt") == 0 &&
        strstr(l->board->archs, "arm")) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, first->at,
            "-bios and flash 0 both say what the machine starts with");
    }
    return true;
}

static bool claim_all(Legacy *l)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (!claim(l, drive)) {
            return false;
        }
    }
    return claim_machine_flash(l, 0) && claim_machine_flash(l, 1) && check_firmware(l);
}

static bool check_orphans(Legacy *l)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (drive->claimed || drive->automatic || drive->interface == IF_NONE ||
            drive->interface == IF_VIRTIO) {
            continue;
        }
        if (l->as == AS_2011) {
            legacy_note(l, LOST, drive->at, "",
                "the machine has no place for this drive: in 2011 it was ignored");
            continue;
        }
        return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
            "`%s` has no place for a drive with if=%s at bus %d, unit %d", l->machine,
            interface_names[drive->interface], drive->bus, drive->unit);
    }
    return true;
}

/* ---- -device ---- */

static void suggest_device(Legacy *l, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    qemu_device_names(l->arch, names);
    near = suggest(name, names);
    if (near) {
        diag_hint(l->diag, "did you mean `%s`?", near);
    }
}

/* A drive by its id, or a node by its name: that becomes a drive without an id. */
static LegacyDrive *find_drive(Legacy *l, const Opt *opt)
{
    LegacyDrive *drive = legacy_drive_find(l, opt->value);
    LegacyNode *node = drive ? NULL : legacy_node_find(l, opt->value);

    if (node && node->busy) {
        legacy_refuse(l, DIAG_LEGACY_PLACE, opt->value_at,
            "the node `%s` is in use by another device", node->name);
        return NULL;
    }
    if (node) {
        drive = anonymous_drive(l, node, opt->value_at);
    }
    if (!drive) {
        legacy_refuse(
            l, DIAG_LEGACY_NAME, opt->value_at, "there is no drive or node `%s`", opt->value);
        return NULL;
    }
    if (drive->claimed) {
        legacy_refuse(l, DIAG_LEGACY_PLACE, opt->value_at,
            drive->front && !drive->front->options && !drive->front->model
                ? "the machine uses the drive `%s` already: if=none leaves it to -device"
                : "the drive `%s` is in use by another device",
            opt->value);
        return NULL;
    }
    return drive;
}

static bool take_units(Legacy *l, LegacyFront *front, Bus *bus, Opts *opts)
{
    struct {
        const char *key;
        int *value;
    } numbers[] = { { "unit", &front->unit }, { "scsi-id", &front->scsi_id },
        { "lun", &front->lun } };

    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        const Opt *opt = opts_find(opts, numbers[i].key);
        uint64_t number;

        if (opt && !opt_number(opt->value, &number)) {
            return legacy_refuse(
                l, DIAG_LEGACY_VALUE, opt->value_at, "`%s` is not a number", opt->value);
        }
        if (opt) {
            *numbers[i].value = (int)number;
        }
    }
    if (!bus) {
        return true;
    }
    return buses_take_unit(l, bus, front, opts->at);
}

static void take_front_properties(Legacy *l, LegacyFront *front, const Bus *bus, Opts *opts)
{
    const char *cache = opts_text(opts, "write-cache");
    bool flag;

    front->serial = opts_text(opts, "serial");
    if (!front->serial && bus && bus->serial && g_str_has_prefix(front->type, "ide-")) {
        front->serial = arena_printf(l->arena, "QM%05u", bus->serial + front->unit);
    }
    front->werror = opts_text(opts, "werror");
    front->rerror = opts_text(opts, "rerror");
    if (cache && opt_bool(cache, &flag)) {
        front->write_cache = flag;
    }
    front->id = opts_text(opts, "id");
    front->options = opts;
    if (opts_find(opts, "removable")) {
        (void)opt_bool(opts_text(opts, "removable"), &front->removable);
    }
}

/* Cylinders, heads and sectors come together, and within what the device can say (4). */
static bool check_geometry(Legacy *l, const QemuDevice *device, Opts *opts)
{
    static const char *const keys[] = { "cyls", "heads", "secs" };
    bool ide = strcmp(device->name, "ide-hd") == 0, any = false;
    const uint64_t most[] = { 65535, ide ? 16 : 255, 255 };
    uint64_t values[3] = { 0 };

    for (unsigned i = 0; i < 3; i++) {
        const Opt *opt = opts_find(opts, keys[i]);

        if (opt && !opt_number(opt->value, &values[i])) {
            return legacy_refuse(
                l, DIAG_LEGACY_VALUE, opt->value_at, "`%s` is not a number", opt->value);
        }
        any = any || values[i];
    }
    for (unsigned i = 0; any && i < 3; i++) {
        if (values[i] < 1 || values[i] > most[i]) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, opts->at,
                "`%s` must be between 1 and %" G_GUINT64_FORMAT, keys[i], most[i]);
        }
    }
    return true;
}

static bool attach_drive(Legacy *l, const QemuDevice *device, Bus *bus, Bus *inner, Opts *opts)
{
    const Opt *name = opts_get(opts, "drive");
    LegacyDrive *drive;
    LegacyFront *front;
    bool own_bus = device->inner && strcmp(device->inner, "virtio-blk-device") == 0;

    if (!check_geometry(l, device, opts)) {
        return false;
    }
    if (strcmp(device->name, "nvme") == 0 && !opts_find(opts, "serial")) {
        return legacy_refuse(l, DIAG_LEGACY_VALUE, opts->at, "`nvme` needs a serial");
    }
    if (!name && device->flags & DEVICE_DRIVE_OPTIONAL) {
        return true;
    }
    if (!name && !(device->flags & DEVICE_REMOVABLE)) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, opts->at, "`%s` needs a drive (drive=ID)", device->name);
    }
    drive = name ? find_drive(l, name) : anonymous_drive(l, NULL, opts->at);
    if (!drive) {
        return false;
    }
    front = front_new(l, drive, device->inner ? device->inner : device->name,
        own_bus     ? "virtio-bus"
            : inner ? inner->name
            : bus   ? bus->name
                    : opts_text(opts, "bus"));
    front->model = device->name;
    front->removable = device->flags & DEVICE_REMOVABLE;
    if (!take_units(l, front, inner ? inner : bus, opts)) {
        return false;
    }
    take_front_properties(l, front, inner ? inner : bus, opts);
    return check_medium(l, drive, front->removable, device->flags & DEVICE_WRITES);
}

/* A floppy controller wants DMA too, which the ISA of some boards has not. */
static bool has_isa(const Legacy *l, const QemuDevice *device)
{
    bool dma = qemu_board_claims(l->board, "floppy") && strcmp(l->arch, "sparc64") != 0;

    return dma || (qemu_board_claims(l->board, "isa") && strcmp(device->name, "isa-fdc") != 0);
}

/* The bus that `bus=` names, or the first that has room. NULL when it is one we do not follow. */
static bool find_bus(Legacy *l, const QemuDevice *device, Opts *opts, Bus **bus)
{
    const Opt *said = opts_find(opts, "bus");

    *bus = NULL;
    if (said) {
        *bus = buses_named(l->buses, said->value);
        if (!*bus && buses_follows(device->plugs_into) && !strchr(said->value, '/') &&
            !(strcmp(device->plugs_into, "PCI") == 0 &&
                buses_is_board_pci(l->buses, said->value))) {
            return legacy_refuse(
                l, DIAG_LEGACY_PLACE, said->value_at, "there is no bus `%s`", said->value);
        }
        return !*bus || !buses_follows(device->plugs_into) ||
            strcmp((*bus)->type, device->plugs_into) == 0 ||
            legacy_refuse(l, DIAG_LEGACY_PLACE, said->value_at,
                "`%s` is a bus of type %s, and `%s` goes on one of type %s", said->value,
                (*bus)->type, device->name, device->plugs_into);
    }
    if (strcmp(device->plugs_into, "ISA") == 0 && !has_isa(l, device)) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, opts->at, "`%s` has no ISA bus for `%s`",
            l->machine, device->name);
    }
    if (!buses_follows(device->plugs_into)) {
        return true;
    }
    *bus = buses_free(l->buses, device->plugs_into);
    if (!*bus) {
        return legacy_refuse(l, DIAG_LEGACY_PLACE, opts->at,
            "there is no bus of type `%s` with room for `%s`", device->plugs_into, device->name);
    }
    return true;
}

/* `-global ide-cd.unit=1` is for each -device that does not say it itself. */
static void take_globals(const Legacy *l, const char *device, Opts *opts)
{
    for (unsigned i = 0; i < l->globals->len && !opts->json; i++) {
        const Opts *global = g_ptr_array_index(l->globals, i);
        const char *property = opts_find(global, "property")->value;

        if (strcmp(opts_find(global, "driver")->value, device) == 0 && !opts_find(opts, property)) {
            opts_add(opts, property, opts_find(global, "value")->value, global->at);
        }
    }
}

/* Devices that were split in two: of a disk and of a CD. */
static const char *name_in_7_2(const Legacy *l, Opts *opts, const char *name)
{
    const char *id = l->as == AS_2011 ? opts_text(opts, "drive") : NULL;
    const LegacyDrive *drive = id ? legacy_drive_find(l, id) : NULL;
    bool cdrom = drive && drive->cdrom;

    if (l->as == AS_2011 && strcmp(name, "ide-drive") == 0) {
        return cdrom ? "ide-cd" : "ide-hd";
    }
    return l->as == AS_2011 && strcmp(name, "scsi-disk") == 0 ? cdrom ? "scsi-cd" : "scsi-hd"
                                                              : name;
}

static bool attach_device(Legacy *l, Opts *opts)
{
    const Opt *driver = opts_get(opts, "driver");
    const char *id = opts_text(opts, "id");
    QemuDevice device;
    Bus *bus, *inner = NULL;

    if (!driver) {
        return legacy_refuse(l, DIAG_LEGACY_NAME, opts->at, "a device needs a driver");
    }
    if (!qemu_device_find(l->arch, name_in_7_2(l, opts, driver->value), &device)) {
        legacy_refuse(l, DIAG_LEGACY_NAME, driver->value_at, "`%s` is no device of %s",
            driver->value, l->program);
        suggest_device(l, driver->value);
        return false;
    }
    if (strcmp(device.name, "isa-fdc") == 0) {
        const Opt *old = opts_find(opts, "driveA") ? opts_find(opts, "driveA")
                                                   : opts_find(opts, "driveB");

        if (old && l->as == AS_7_2) {
            legacy_refuse(
                l, DIAG_LEGACY_VALUE, old->key_at, "`%s` is no property of isa-fdc", old->key);
            diag_hint(l->diag, "-device floppy,unit=0,drive=%s", old->value);
            return false;
        }
    }
    take_globals(l, device.name, opts);
    if (!find_bus(l, &device, opts, &bus) || !properties_check(l, &device, opts)) {
        return false;
    }
    if (bus) {
        bus->used++;
    }
    for (unsigned i = 0; i < device.bus_count; i++) {
        Bus *brought = buses_add(l->buses, device.brings, id, i);

        brought->hidden = device.flags & DEVICE_BRIDGE;
        brought->units = device.bus_count == 6 ? 1 : 2; /* a port of AHCI has one */
        inner = device.inner ? brought : inner;
    }
    return !(device.flags & DEVICE_DRIVE) || attach_drive(l, &device, bus, inner, opts);
}

/* if=virtio: `-device virtio-blk`, behind all others (3.9). */
static bool attach_virtio(Legacy *l)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        LegacyDrive *drive = g_ptr_array_index(l->drives, i);
        QemuDevice device;
        LegacyFront *front;
        Bus *bus;
        Opts none = { .at = drive->at, .arena = l->arena };

        if (drive->interface != IF_VIRTIO || !*drive->id || drive->automatic) {
            continue;
        }
        if (drive->claimed) {
            return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
                "the drive `%s` is in use by another device: if=none leaves it to -device",
                drive->id);
        }
        if (!qemu_device_find(l->arch, "virtio-blk", &device)) {
            device = (QemuDevice){
                .name = "virtio-blk-pci", .plugs_into = "PCI", .inner = "virtio-blk-device"
            };
        }
        if (!find_bus(l, &device, &none, &bus)) {
            return false;
        }
        front = front_new(l, drive, "virtio-blk-device",
            device.inner ? "virtio-bus"
                : bus    ? bus->name
                         : NULL);
        front->model = device.name;
        front->serial = drive->serial;
        if (bus) {
            bus->used++;
        }
        if (!check_medium(l, drive, false, false)) {
            return false;
        }
    }
    return true;
}

/* The floppy controller that every PC has lost these in 6.0. */
static bool check_globals(Legacy *l)
{
    for (unsigned i = 0; l->as == AS_7_2 && i < l->globals->len; i++) {
        const Opts *opts = g_ptr_array_index(l->globals, i);
        const char *driver = opts_find(opts, "driver")->value;
        const char *property = opts_find(opts, "property")->value;
        QemuDevice controller;

        if (strcmp(driver, "isa-fdc") == 0 && qemu_device_find(l->arch, driver, &controller) &&
            buses_find(l->buses, "floppy-bus", 0) &&
            (strcmp(property, "driveA") == 0 || strcmp(property, "driveB") == 0)) {
            legacy_refuse(
                l, DIAG_LEGACY_VALUE, opts->at, "`%s` is no property of isa-fdc", property);
            diag_hint(l->diag, "-device floppy,unit=0,drive=%s", opts_find(opts, "value")->value);
            return false;
        }
    }
    return true;
}

/* `-global ide-hd.serial=X` is for every one of them that does not say it itself. */
static void apply_globals(Legacy *l)
{
    for (unsigned i = 0; i < l->globals->len; i++) {
        const Opts *opts = g_ptr_array_index(l->globals, i);
        const char *driver = opts_find(opts, "driver")->value;

        for (unsigned j = 0; j < l->drives->len; j++) {
            const LegacyDrive *drive = g_ptr_array_index(l->drives, j);
            LegacyFront *front = drive->front;

            if (front && front->type &&
                (strcmp(front->type, driver) == 0 || g_strcmp0(front->model, driver) == 0) &&
                strcmp(opts_find(opts, "property")->value, "serial") == 0 &&
                !(front->options && opts_find(front->options, "serial"))) {
                front->serial = opts_find(opts, "value")->value;
            }
        }
    }
}

/* Formats hold their file from the start, raw ones once a device has them. */
static bool holds_file(const Legacy *l, const LegacyDrive *drive)
{
    const LegacyNode *node = drive->node;

    return l->as == AS_7_2 && node && node->locking && !node->shared && node->protocol &&
        strcmp(node->protocol, "file") == 0 && (drive->claimed || strcmp(node->driver, "raw") != 0);
}

static bool writes_file(const LegacyDrive *drive)
{
    return !drive->snapshot && !drive->node->read_only;
}

/* One that writes tolerates nobody else. */
static bool check_locks(Legacy *l)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        for (unsigned j = 0; j < i && holds_file(l, drive); j++) {
            const LegacyDrive *other = g_ptr_array_index(l->drives, j);

            if (holds_file(l, other) && strcmp(other->node->file, drive->node->file) == 0 &&
                (writes_file(drive) || writes_file(other))) {
                return legacy_refuse(l, DIAG_LEGACY_IMAGE, drive->at,
                    "two drives use `%s`, and one of them writes to it", drive->node->file);
            }
        }
    }
    return true;
}

static bool is_used_by_device(const Legacy *l, const LegacyNode *node)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (drive->node == node && drive->claimed) {
            return true;
        }
    }
    return false;
}

/* Beneath a disk that a device uses, no other device may write. */
static bool check_backing(Legacy *l)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(l->drives, i);
        const LegacyNode *node = drive->node;

        if (node && node->backs && !node->read_only && drive->claimed &&
            !(drive->front && drive->front->removable) && is_used_by_device(l, node->backs)) {
            return legacy_refuse(l, DIAG_LEGACY_PLACE, drive->at,
                "`%s` is the backing file of another disk: no device may write to it", node->file);
        }
    }
    return true;
}

bool attach_all(Legacy *l)
{
    l->buses = buses_new(l);
    if (!check_globals(l) || !claim_all(l) || !check_orphans(l)) {
        return false;
    }
    for (unsigned i = 0; i < l->devices->len; i++) {
        if (!attach_device(l, g_ptr_array_index(l->devices, i))) {
            return false;
        }
    }
    if (!attach_virtio(l)) {
        return false;
    }
    apply_globals(l);
    return check_locks(l) && check_backing(l);
}

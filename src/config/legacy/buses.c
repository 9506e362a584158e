/* Names and choices as qdev has them: hw/core/bus.c and qdev-monitor of QEMU 7.2, seen from outside. */
#include "config/legacy/buses.h"

#include <string.h>

#include "config/legacy/drives.h"

enum { SCSI_BUSES_OF_2011 = 4 };

struct Buses {
    Legacy *legacy;
    GPtrArray *all;        /* of Bus *, oldest first */
    GHashTable *automatic; /* type -> how many have been named by their type */
    unsigned next_serial;
};

static const char *const followed[] = { "PCI", "IDE", "SCSI", "virtio-bus", "usb-bus", "floppy-bus",
    "nvme-bus", "virtio-serial-bus", "HDA", "sd-bus", NULL };

bool buses_follows(const char *type)
{
    return g_strv_contains(followed, type);
}

static Bus *add(Buses *b, const char *type, const char *name)
{
    Bus *bus = ARENA_NEW(b->legacy->arena, Bus);

    *bus = (Bus){ .type = type, .name = name };
    if (strcmp(type, "IDE") == 0) {
        bus->units = 2;
        bus->serial = b->next_serial;
        b->next_serial += 2;
    }
    if (strcmp(type, "virtio-bus") == 0) {
        bus->room = 1;
    }
    g_ptr_array_add(b->all, bus);
    return bus;
}

static const char *automatic_name(Buses *b, const char *type)
{
    unsigned number = GPOINTER_TO_UINT(g_hash_table_lookup(b->automatic, type));
    g_autofree char *lower = g_ascii_strdown(type, -1);

    g_hash_table_insert(b->automatic, (gpointer)type, GUINT_TO_POINTER(number + 1));
    return arena_printf(b->legacy->arena, "%s.%u", lower, number);
}

Bus *buses_add(Buses *b, const char *type, const char *id, unsigned number)
{
    const char *name;

    if (id && strcmp(type, "nvme-bus") == 0) {
        name = id;
    } else if (id && strcmp(type, "PCI") == 0) {
        name = id;
    } else if (strcmp(type, "sd-bus") == 0) {
        name = type;
    } else {
        name = id ? arena_printf(b->legacy->arena, "%s.%u", id, number) : automatic_name(b, type);
    }
    return add(b, type, name);
}

unsigned buses_of_scsi(const Legacy *l)
{
    bool pc = qemu_board_claims(l->board, "floppy") && strstr(l->board->archs, "x86_64");

    if (l->no_defaults && qemu_board_claims(l->board, "scsi-default")) {
        return 0;
    }
    return l->as == AS_2011 && pc && *l->board->pci ? SCSI_BUSES_OF_2011
                                                    : qemu_board_claims(l->board, "scsi");
}

static unsigned count_vlans(const Legacy *l)
{
    unsigned count = 0;

    if (l->nets->len == 0 && l->netdevs->len == 0) {
        return !l->no_defaults;
    }
    for (unsigned i = 0; i < l->nets->len; i++) {
        const Opts *net = g_ptr_array_index(l->nets, i);
        const Opt *type = opts_find(net, "type"), *model = opts_find(net, "model");
        bool none = type && strcmp(type->value, "none") == 0;
        bool card = strcmp(net->option, "-nic") == 0 || (type && strcmp(type->value, "nic") == 0);

        count += card && !none &&
            (!model || strcmp(model->value, "spapr-vlan") == 0 ||
                strcmp(model->value, "ibmveth") == 0);
    }
    return count;
}

static unsigned count_serials(const Legacy *l)
{
    unsigned count = 0;

    for (unsigned i = 0; i < l->serials->len; i++) {
        count += strcmp(opts_find(g_ptr_array_index(l->serials, i), "chardev")->value, "none") != 0;
    }
    return l->serials->len ? count : !l->no_defaults;
}

/* Of pseries: numbered on behind its NVRAM, consoles and networks. */
const char *buses_vscsi_name(Legacy *l, int bus)
{
    return arena_printf(
        l->arena, "v-scsi@%08x.0", 0x71000001 + count_serials(l) + count_vlans(l) + bus);
}

/* A controller for each bus that a drive names; boards with one have it always. */
static void add_scsi(Buses *b)
{
    Legacy *l = b->legacy;
    unsigned plain = buses_of_scsi(l), many = qemu_board_claims(l->board, "vscsi");
    int last = plain == 1 ? 0 : -1;

    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (drive->interface == IF_SCSI && drive->bus < (int)MAX(plain, many)) {
            last = MAX(last, drive->bus);
        }
    }
    for (int i = 0; i <= last; i++) {
        if (many) {
            add(b, "SCSI", buses_vscsi_name(l, i));
        } else {
            add(b, "SCSI", automatic_name(b, "SCSI"));
        }
    }
}

static void add_floppy(Buses *b)
{
    const Legacy *l = b->legacy;
    bool always = !(l->board->flags & NO_FLOPPY);

    if (qemu_board_claims(l->board, "floppy") &&
        (always || drives_at(l, IF_FLOPPY, 0, 0) || drives_at(l, IF_FLOPPY, 0, 1))) {
        add(b, "floppy-bus", automatic_name(b, "floppy-bus"));
    }
}

static void add_ide(Buses *b)
{
    const QemuBoard *board = b->legacy->board;
    unsigned channels = (qemu_board_claims(board, "ide") + 1) / 2;
    unsigned ports = qemu_board_claims(board, "ahci") + qemu_board_claims(board, "sata");

    for (unsigned i = 0; i < channels + ports; i++) {
        add(b, "IDE", automatic_name(b, "IDE"))->units = i < channels ? 2 : 1;
    }
}

/* `-M microvm,pcie=on`. */
static bool has_pcie_option(const Legacy *l)
{
    const Opt *pcie = opts_find(l->machine_merged, "pcie");

    return qemu_board_claims(l->board, "pcie-option") && pcie && strcmp(pcie->value, "on") == 0;
}

Buses *buses_new(Legacy *l)
{
    Buses *b = ARENA_NEW(l->arena, Buses);
    const Opt *usb = opts_find(l->machine_merged, "usb");
    bool usb_asked = usb && strcmp(usb->value, "on") == 0;

    *b = (Buses){ .legacy = l, .all = l->bus_list, .automatic = l->bus_names, .next_serial = 1 };
    add_ide(b);
    add_scsi(b);
    add_floppy(b);
    if (qemu_board_claims(l->board, "sd")) {
        add(b, "sd-bus", "sd-bus");
    }
    for (unsigned i = 0; i < l->board->transports; i++) {
        add(b, "virtio-bus", arena_printf(l->arena, "virtio-mmio-bus.%u", i));
    }
    if (*l->board->pci) {
        add(b, "PCI", l->board->pci);
    } else if (has_pcie_option(l)) {
        add(b, "PCI", "pcie.0");
    }
    if (qemu_board_claims(l->board, "usb") ||
        (usb_asked && qemu_board_claims(l->board, "usb-option"))) {
        add(b, "usb-bus", automatic_name(b, "usb-bus"));
    }
    return b;
}

Bus *buses_named(Buses *b, const char *name)
{
    for (unsigned i = b->all->len; i > 0; i--) { /* of two with one name, QEMU finds the newer */
        Bus *bus = g_ptr_array_index(b->all, i - 1);

        if (strcmp(bus->name, name) == 0) {
            return bus;
        }
    }
    return NULL;
}

Bus *buses_find(Buses *b, const char *type, unsigned number)
{
    for (unsigned i = 0; i < b->all->len; i++) {
        Bus *bus = g_ptr_array_index(b->all, i);

        if (strcmp(bus->type, type) == 0 && number-- == 0) {
            return bus;
        }
    }
    return NULL;
}

Bus *buses_free(Buses *b, const char *type)
{
    for (unsigned i = b->all->len; i > 0; i--) {
        Bus *bus = g_ptr_array_index(b->all, i - 1);

        if (!bus->hidden && strcmp(bus->type, type) == 0 && (!bus->room || bus->used < bus->room)) {
            return bus;
        }
    }
    return NULL;
}

bool buses_is_board_pci(const Buses *b, const char *name)
{
    return (*b->legacy->board->pci || qemu_board_claims(b->legacy->board, "pci-full")) &&
        (g_str_has_prefix(name, "pciA") || g_str_has_prefix(name, "pciB") ||
            g_str_has_prefix(name, "pci.") || g_str_has_prefix(name, "pcie."));
}

/* ---- units ---- */

static bool take_fixed_unit(
    Legacy *l, Bus *bus, LegacyFront *front, unsigned units, const char *what, Span at)
{
    if (front->unit == -1) {
        front->unit = bus->taken & 1 ? 1 : 0;
    }
    if (front->unit < 0 || front->unit >= (int)units) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, at, "`%s` has no %s unit %d", bus->name, what, front->unit);
    }
    if (bus->taken >> front->unit & 1) {
        return legacy_refuse(
            l, DIAG_LEGACY_PLACE, at, "%s unit %d of `%s` is in use", what, front->unit, bus->name);
    }
    bus->taken |= 1u << front->unit;
    return true;
}

static void take_scsi_unit(const Bus *bus, LegacyFront *front)
{
    if (front->scsi_id == -1) {
        front->scsi_id = 0;
        while (front->lun <= 0 && front->scsi_id < 31 && bus->taken >> front->scsi_id & 1) {
            front->scsi_id++;
        }
    }
    front->lun = MAX(front->lun, 0);
}

bool buses_take_unit(Legacy *l, Bus *bus, LegacyFront *front, Span at)
{
    if (strcmp(bus->type, "IDE") == 0) {
        return take_fixed_unit(l, bus, front, bus->units, "IDE", at);
    }
    if (strcmp(bus->type, "floppy-bus") == 0) {
        return take_fixed_unit(l, bus, front, 2, "floppy", at);
    }
    if (strcmp(bus->type, "SCSI") == 0) {
        take_scsi_unit(bus, front);
        if (front->scsi_id < 32 && front->lun == 0) {
            bus->taken |= 1u << front->scsi_id;
        }
    }
    return true;
}

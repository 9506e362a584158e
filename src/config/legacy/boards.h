/*
 * The machines of QEMU 7.2 as far as drives go: where each interface's drives end up, and which
 * drives a machine has though nobody asked.
 */
#ifndef CONFIG_LEGACY_BOARDS_H
#define CONFIG_LEGACY_BOARDS_H

#include <glib.h>
#include <stdbool.h>

typedef enum DriveInterface {
    IF_NONE,
    IF_IDE,
    IF_SCSI,
    IF_FLOPPY,
    IF_PFLASH,
    IF_MTD,
    IF_SD,
    IF_VIRTIO,
    IF_XEN,
    INTERFACE_COUNT
} DriveInterface;

extern const char *const interface_names[INTERFACE_COUNT]; /* "none", "ide" ... */

typedef enum QemuBoardFlags {
    NO_CDROM = 1 << 0, /* no empty CD-ROM drive of its own */
    NO_FLOPPY = 1 << 1,
    NO_SD = 1 << 2,
    ONE_UNIT = 1 << 3, /* the default interface has one unit on a bus */
} QemuBoardFlags;

typedef struct QemuBoard {
    const char *archs;       /* "arm aarch64"; "*": all */
    const char *names;       /* "virt"; "pc pc-i440fx": the last one is written with a version */
    const char *since;       /* the oldest version of it; NULL: no versions */
    DriveInterface standard; /* of a drive without if= */
    unsigned flags;
    unsigned transports; /* virtio-mmio ones; devices take the last one first */
    const char *pci;     /* name of the bus that a PCI card goes to; "": none */

    /*
     * The drives that the board takes, with their number or one word for each unit:
     *   ide=4       two channels of two: ide.0, ide.1
     *   ahci=6      a port each: ide.0 ... ide.5
     *   scsi=4      a controller for each bus number: scsi.0 ... scsi.3
     *   scsi-default: those are not there with -nodefaults
     *   vscsi=32    the same, called v-scsi@71000003.0 ...
     *   floppy, sd  units
     *   pflash, mtd DEVICE or DEVICE@BUS for each unit, `-` for none, `?` for a nameless device,
     *               `big` for a flash larger than 64 MiB
     *   none        the same for drives with if=none, when flash 0 is not there
     *   microdrive, sd-idle, xen: taken, by no device that shows
     * and what -device finds besides:
     *   sata=2      IDE buses whose drives are not claimed
     *   usb         a USB bus; usb-option: with -usb
     *   isa         an ISA bus; boards with a floppy controller have one anyhow
     *   pci-full    PCI buses that are found by name alone
     *   pcie-option: a PCI bus with pcie=on
     *   needs-kernel, or -bios; needs-flash: it does not start without
     */
    const char *claims;
} QemuBoard;

/* NULL when the program does not have it. `name` NULL: the program's default. */
const QemuBoard *qemu_board_find(const char *arch, const char *name);

/* How many the claims give for a word such as "ide"; 0: none. */
unsigned qemu_board_claims(const QemuBoard *board, const char *what);

/* The device of unit `unit` in a list such as "mtd", copied to `device` and `bus`; false: none. */
bool qemu_board_flash(
    const QemuBoard *board, const char *what, unsigned unit, char **device, char **bus);

/* The name that QEMU means by NAME: "pc" is "pc-i440fx-7.2". Interned. */
const char *qemu_board_canonical(const QemuBoard *board, const char *name);

/* Whether qemu-system-ARCH exists. */
bool qemu_arch_known(const char *arch);

#endif

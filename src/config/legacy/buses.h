/*
 * Buses of the machine that is described, as far as drives hang on them.
 */
#ifndef CONFIG_LEGACY_BUSES_H
#define CONFIG_LEGACY_BUSES_H

#include "config/legacy/legacy.h"

typedef struct Bus {
    const char *name; /* "ide.0" */
    const char *type; /* "IDE" */
    unsigned room;    /* devices that it takes; 0: no limit */
    unsigned used;
    unsigned units;  /* of an IDE bus: one or two */
    unsigned taken;  /* a bit for each unit in use */
    unsigned serial; /* number in the serial of an IDE bus's first unit; 0: not IDE */
    bool hidden;     /* found by name alone */
} Bus;

typedef struct Buses Buses;

/* Those that the board has, once its drives are known. They live in the arena of `legacy`. */
Buses *buses_new(Legacy *legacy);

/* Adds the `number`th bus of a device with that id (or NULL), and names it as QEMU does. */
Bus *buses_add(Buses *buses, const char *type, const char *id, unsigned number);

Bus *buses_named(Buses *buses, const char *name);

/* The `number`th of that type, as the board has them. */
Bus *buses_find(Buses *buses, const char *type, unsigned number);

/* The one that a device without bus= goes to; NULL: none has room. */
Bus *buses_free(Buses *buses, const char *type);

/* SCSI buses that the board has controllers for; in 2011, PCs had them too. */
unsigned buses_of_scsi(const Legacy *legacy);

/* The name of a pseries' virtual SCSI adapter's bus. */
const char *buses_vscsi_name(Legacy *legacy, int bus);

/* Whether buses of this type are followed: of others, nothing is known. */
bool buses_follows(const char *type);

/* pci.0, pcie.0 ... of boards with several roots. */
bool buses_is_board_pci(const Buses *buses, const char *name);

/* Unit, scsi-id and lun of a device: what was asked for, or the next free one. */
bool buses_take_unit(Legacy *legacy, Bus *bus, LegacyFront *front, Span at);

#endif

/*
 * The block drivers of QEMU 7.2 by name, with the keys that each takes.
 */
#ifndef CONFIG_LEGACY_DRIVERS_H
#define CONFIG_LEGACY_DRIVERS_H

#include <stdbool.h>

typedef enum ImageDriverFlags {
    DRIVER_PROTOCOL = 1 << 0,  /* has no node below it */
    DRIVER_FILE = 1 << 1,      /* opens a file of the host by `filename` */
    DRIVER_READ_ONLY = 1 << 2, /* never writes */
    DRIVER_MAGIC = 1 << 3,     /* refuses what does not begin with its magic */
    DRIVER_BACKING = 1 << 4,
    DRIVER_UNSAID = 1 << 5, /* takes more keys than are listed */
} ImageDriverFlags;

typedef struct ImageDriver {
    const char *name;
    unsigned flags;
    const char *child; /* key of the node below, if it is not `file` */
    const char *url;   /* what it is called without a file name */

    /* "offset:z locking:s": b on or off, n number, z size, s text; a `*` stands for all below. */
    const char *keys;
    const char *needs; /* the key that must be there; NULL: none */
} ImageDriver;

const ImageDriver *driver_find(const char *name);

/* By what stands before the colon of a name: "nbd+unix", "fat". */
const ImageDriver *driver_by_protocol(const char *protocol);

/* The type of a key; '\0': it has none of that name. */
char driver_key_type(const ImageDriver *driver, const char *key, bool strict);

bool driver_has_magic(const char *name);
bool driver_has_backing(const char *name);

#endif

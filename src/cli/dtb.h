/*
 * Device tree blobs, looked at property by property.
 */
#ifndef CLI_DTB_H
#define CLI_DTB_H

#include <glib.h>
#include <stdbool.h>

/* `path` is that of the node ("/soc/serial@10000000"); the value is not text yet. */
typedef void (*DtbTake)(
    void *data, const char *path, const char *name, const void *value, unsigned length);

/* Calls take for each property, and once for each node with no name. False: it is no blob. */
bool dtb_each(GBytes *blob, DtbTake take, void *data);

/* As source text writes it: "a", "b"; <0x1 0x2>; [01 02]. Free it. */
char *dtb_value_text(const void *value, unsigned length);

#endif

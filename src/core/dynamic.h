/*
 * Libraries that are loaded when they are used. Each brings dozens of others with it, so that
 * linking to it would make every start slower. What is wanted of one is a list:
 *
 *   #define CALLS(C) C(nbd_create) C(nbd_close)
 *   static struct { CALLS(DYNAMIC_POINTER) } nbd;
 *   static const DynamicCall calls[] = { CALLS(DYNAMIC_CALL) {} };
 *
 *   if (dynamic_load("libnbd.so.0", "libnbd0", calls, &nbd, &error)) { nbd.nbd_create(); ... }
 */
#ifndef CORE_DYNAMIC_H
#define CORE_DYNAMIC_H

#include <glib.h>
#include <stdbool.h>

typedef struct DynamicCall {
    const char *name;
} DynamicCall;

#define DYNAMIC_POINTER(name) __typeof__(name) *name;
#define DYNAMIC_CALL(name) { #name },

/*
 * Fills `table`, an array of as many function pointers as there are names; the list ends with an
 * empty row. The library stays loaded. The error names the package of Debian's that has it.
 */
bool dynamic_load(const char *library, const char *package, const DynamicCall *calls, void *table,
    GError **error);

/* The same for a static table that any thread may ask for. */
typedef struct DynamicLibrary {
    const char *library, *package;
    const DynamicCall *calls;
    void *table;
    gsize tried; /* 1 or 2: it is not there, it is */
} DynamicLibrary;

/* Loads it when it is asked for the first time. */
bool dynamic_ready(DynamicLibrary *library);

#endif

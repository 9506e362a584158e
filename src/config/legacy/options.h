/*
 * The options of QEMU, 7.2's and older ones: what becomes of each.
 */
#ifndef CONFIG_LEGACY_OPTIONS_H
#define CONFIG_LEGACY_OPTIONS_H

#include "config/legacy/legacy.h"

typedef struct QemuOption QemuOption;

/* `argument` is NULL when the option has none; `at` is the option with its argument. */
typedef bool (*TakeOption)(Legacy *legacy, const QemuOption *option, const Word *argument, Span at);

struct QemuOption {
    const char *name;
    bool argument;
    TakeOption take; /* NULL: the row says it all */
    Fidelity fidelity;
    const char *reason; /* why it is not exact */
    const char *archs;  /* of the programs that have it; NULL: all */
};

const QemuOption *option_find(const char *name);

/* Whether the QEMU of that time takes it. */
bool option_exists(const QemuOption *option, LegacyAs as);

/* Whether the program for that architecture does; others know its name alone. */
bool option_is_for(const QemuOption *option, LegacyAs as, const char *arch);

/* Adds all names, for "did you mean". */
void option_names(GPtrArray *names);

/* ---- handlers (parse.c, readconfig.c) ---- */

bool take_drive(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_shorthand(Legacy *l, const QemuOption *o, const Word *argument, Span at);
/* -hdachs, which only 2011 has. */
bool take_geometry(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_group(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_machine(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_memory(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_smp(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_text(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_boot(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_usbdevice(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_name(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_flag(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_set(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_global(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_serial(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_gdb(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_rtc(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_readconfig(Legacy *l, const QemuOption *o, const Word *argument, Span at);
bool take_help(Legacy *l, const QemuOption *o, const Word *argument, Span at);

/* The drive that -hda, -cdrom ... stand for. */
bool add_shorthand(Legacy *l, const char *name, const Word *file, Span at);

/* Puts a parsed group with its kind: "drive", "device" ... False after reporting. */
bool add_group(Legacy *l, const char *group, Opts *opts);

/* The list of a group by its name; NULL: groups of this name are not kept. */
GPtrArray *group_list(Legacy *l, const char *group);

#endif

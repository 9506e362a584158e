/* One table of units, and one of what people write instead. */
#include "config/units.h"

#include <glib.h>
#include <string.h>

typedef struct Unit {
    UnitKind kind;
    const char *suffix;
    uint64_t factor;
    const char *also; /* spellings that are refused, and mean this one */
} Unit;

static const Unit units[] = {
    { UNIT_BYTES, "B", 1, " b byte bytes " },
    { UNIT_BYTES, "KiB", 1ull << 10, " k kb ki kib " },
    { UNIT_BYTES, "MiB", 1ull << 20, " m mb mi mib " },
    { UNIT_BYTES, "GiB", 1ull << 30, " g gb gi gib " },
    { UNIT_BYTES, "TiB", 1ull << 40, " t tb ti tib " },
    { UNIT_TIME, "ms", 1000000, " msec " },
    { UNIT_TIME, "s", 1000000000, " sec seconds second " },
    { UNIT_TIME, "m", 60 * 1000000000ull, " min minutes minute " },
    { UNIT_TIME, "h", 3600 * 1000000000ull, " hour hours " },
    { UNIT_RATE, "Hz", 1, " hz " },
    { UNIT_RATE, "kHz", 1000, " k khz " },
    { UNIT_RATE, "MHz", 1000000, " m mhz " },
    { UNIT_RATE, "GHz", 1000000000, " g ghz " },
};

static const struct {
    const char *name, *spoken, *list, *bare;
} unit_kinds[] = {
    [UNIT_BYTES] = { "bytes", "a size", "B KiB MiB GiB TiB", "MiB" },
    [UNIT_TIME] = { "time", "a time", "ms s m h", "s" },
    [UNIT_RATE] = { "rate", "a rate", "Hz kHz MHz GHz", "Hz" },
};

UnitKind unit_kind_find(const char *name)
{
    for (UnitKind kind = UNIT_BYTES; kind <= UNIT_RATE; kind++) {
        if (strcmp(unit_kinds[kind].name, name) == 0) {
            return kind;
        }
    }
    return UNIT_NONE;
}

const char *unit_kind_name(UnitKind kind)
{
    return unit_kinds[kind].spoken;
}

const char *units_list(UnitKind kind)
{
    return unit_kinds[kind].list;
}

/* The digits in front, and what follows them. */
static bool split(const char *text, uint64_t *number, const char **rest)
{
    if (!g_ascii_isdigit(*text)) {
        return false;
    }
    *number = g_ascii_strtoull(text, (char **)rest, 10);
    return *number != G_MAXUINT64;
}

bool units_parse(UnitKind kind, const char *text, uint64_t *value)
{
    const char *suffix;
    uint64_t number;

    if (!split(text, &number, &suffix)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        if (units[i].kind == kind && strcmp(units[i].suffix, suffix) == 0) {
            return !__builtin_mul_overflow(number, units[i].factor, value);
        }
    }
    return false;
}

static bool means(const Unit *unit, const char *suffix)
{
    g_autofree char *lower = g_ascii_strdown(suffix, -1);
    g_autofree char *word = g_strdup_printf(" %s ", g_strstrip(lower));

    return strstr(unit->also, word) != NULL;
}

char *units_suggest(UnitKind kind, const char *text)
{
    const char *suffix;
    uint64_t number;

    if (!split(text, &number, &suffix)) {
        return NULL;
    }
    if (*suffix == '\0') {
        return g_strdup_printf("%" G_GUINT64_FORMAT "%s", number, unit_kinds[kind].bare);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        if (units[i].kind == kind && means(&units[i], suffix)) {
            return g_strdup_printf("%" G_GUINT64_FORMAT "%s", number, units[i].suffix);
        }
    }
    return NULL;
}

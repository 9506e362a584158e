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

static const Unit *find_unit(UnitKind kind, const char *suffix)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        if (units[i].kind == kind &&
            (strcmp(units[i].suffix, suffix) == 0 || means(&units[i], suffix))) {
            return &units[i];
        }
    }
    return NULL;
}

/* "1.5GiB" is 1536MiB: the largest unit of which it is a whole number. */
static char *suggest_whole(UnitKind kind, const char *text)
{
    char *suffix;
    double number = g_ascii_strtod(text, &suffix);
    const Unit *unit = find_unit(kind, suffix);
    uint64_t value = unit && number < 1e6 ? (uint64_t)(number * unit->factor + 0.5) : 0;

    for (unsigned i = G_N_ELEMENTS(units); value > 0 && i > 0; i--) {
        if (units[i - 1].kind == kind && value % units[i - 1].factor == 0) {
            return g_strdup_printf(
                "%" G_GUINT64_FORMAT "%s", value / units[i - 1].factor, units[i - 1].suffix);
        }
    }
    return NULL;
}

char *units_suggest(UnitKind kind, const char *text)
{
    const char *suffix;
    const Unit *unit;
    uint64_t number;

    if (!split(text, &number, &suffix)) {
        return NULL;
    }
    if (*suffix == '\0') {
        return g_strdup_printf("%" G_GUINT64_FORMAT "%s", number, unit_kinds[kind].bare);
    }
    if (*suffix == '.') {
        return suggest_whole(kind, text);
    }
    unit = find_unit(kind, suffix);
    return unit ? g_strdup_printf("%" G_GUINT64_FORMAT "%s", number, unit->suffix) : NULL;
}

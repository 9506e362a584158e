/* Reads and checks limits as util/throttle.c of QEMU 7.2 does. */
#include "config/legacy/throttle.h"

#include <string.h>

#include "config/legacy/drives.h"

static const uint64_t largest = 1000000000000000; /* 10^15 */

static const char *const kinds[] = { "bps", "iops" };
static const char *const ways[] = { "total", "read", "write" };

static bool take_limit(Legacy *l, Opts *opts, const char *key, uint64_t *value)
{
    const Opt *opt = opts_get(opts, key);

    if (opt && !opt_number(opt->value, value)) {
        return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->value_at,
            "`%s` of `%s` is not a number (it takes no suffix)", opt->value, opt->key);
    }
    return true;
}

static bool refuse(Legacy *l, const LegacyDrive *drive, const char *why)
{
    return legacy_refuse(l, DIAG_LEGACY_VALUE, drive->at, "%s", why);
}

static bool check_bucket(Legacy *l, const LegacyDrive *drive, unsigned kind, unsigned way)
{
    uint64_t average = drive->throttle.limit[kind][way], burst = drive->throttle.burst[kind][way];
    uint64_t length = drive->throttle.length[kind][way];

    if (average > largest || burst > largest) {
        return refuse(l, drive, "limits are between 0 and 1000000000000000");
    }
    if (length == 0) {
        return refuse(l, drive, "the length of a burst cannot be 0");
    }
    if (length > 1 && !burst) {
        return refuse(l, drive, "the length of a burst needs the burst's limit (-max)");
    }
    if (burst && length > largest / burst) {
        return refuse(l, drive, "a burst of this length is too long");
    }
    if (burst && !average) {
        return refuse(l, drive, "a burst's limit (-max) needs the plain limit beside it");
    }
    if (burst && burst < average) {
        return refuse(l, drive, "a burst's limit (-max) cannot be below the plain one");
    }
    return true;
}

static bool has_total_and_parts(const uint64_t limits[3])
{
    return limits[0] && (limits[1] || limits[2]);
}

static bool check(Legacy *l, const LegacyDrive *drive)
{
    const LegacyThrottle *t = &drive->throttle;

    for (unsigned kind = 0; kind < 2; kind++) {
        if (has_total_and_parts(t->limit[kind]) || has_total_and_parts(t->burst[kind])) {
            return refuse(l, drive, "a limit of the total excludes those of reads and writes");
        }
    }
    if (t->iops_size && !t->limit[1][0] && !t->limit[1][1] && !t->limit[1][2]) {
        return refuse(l, drive, "iops-size needs a limit of requests (iops)");
    }
    for (unsigned i = 0; i < 6; i++) {
        if (!check_bucket(l, drive, i / 3, i % 3)) {
            return false;
        }
    }
    return true;
}

bool throttle_read(Legacy *l, Opts *opts, LegacyDrive *drive)
{
    LegacyThrottle *t = &drive->throttle;

    for (unsigned i = 0; i < 6; i++) {
        unsigned kind = i / 3, way = i % 3;
        const char *key = arena_printf(l->arena, "throttling.%s-%s", kinds[kind], ways[way]);

        t->length[kind][way] = 1;
        if (!take_limit(l, opts, key, &t->limit[kind][way]) ||
            !take_limit(l, opts, arena_printf(l->arena, "%s-max", key), &t->burst[kind][way]) ||
            !take_limit(
                l, opts, arena_printf(l->arena, "%s-max-length", key), &t->length[kind][way])) {
            return false;
        }
    }
    t->group = opts_text(opts, "throttling.group");
    return take_limit(l, opts, "throttling.iops-size", &t->iops_size) && check(l, drive);
}

bool throttle_is_on(const LegacyThrottle *t)
{
    for (unsigned i = 0; i < 6; i++) {
        if (t->limit[i / 3][i % 3]) {
            return true;
        }
    }
    return false;
}

void throttle_settle_groups(Legacy *l)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (!throttle_is_on(&drive->throttle)) {
            continue;
        }
        if (!drive->throttle.group) {
            drive->throttle.group = drive->id;
        }
        for (unsigned j = 0; j < i; j++) {
            LegacyDrive *earlier = g_ptr_array_index(l->drives, j);

            if (throttle_is_on(&earlier->throttle) &&
                strcmp(earlier->throttle.group, drive->throttle.group) == 0) {
                earlier->throttle = drive->throttle;
            }
        }
    }
}

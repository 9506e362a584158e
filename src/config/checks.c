/*
 * One function and one CHECK line each. A check whose prerequisite has found something is left
 * out: one mistake gives one message.
 */
#include "config/checks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "config/units.h"

typedef struct Checker {
    const MachineSpec *spec;
    Diag *diag;
} Checker;

/* ---- addresses ---- */

/* A piece of the guest's physical addresses, and who has it. */
typedef struct Piece {
    const char *owner, *region; /* region: NULL when the owner has only one */
    uint64_t at, size;
    Mark mark;
} Piece;

static char *piece_name(const Piece *piece)
{
    return piece->region ? g_strdup_printf("%s.%s", piece->owner, piece->region)
                         : g_strdup(piece->owner);
}

static int by_address(const void *left, const void *right)
{
    const Piece *a = left, *b = right;

    return a->at < b->at ? -1 : a->at > b->at;
}

static GArray *collect_pieces(const MachineSpec *spec)
{
    GArray *pieces = g_array_new(false, false, sizeof(Piece));

    for (unsigned i = 0; i < spec->memory_count; i++) {
        const MemorySpec *memory = &spec->memory[i];
        Piece piece = { memory->name, NULL, memory->at, memory->size, memory->mark };

        g_array_append_val(pieces, piece);
    }
    for (unsigned i = 0; i < spec->device_count; i++) {
        const DeviceSpec *device = &spec->devices[i];

        for (unsigned j = 0; j < device->region_count; j++) {
            const RegionSpec *region = &device->regions[j];
            const char *name = device->region_count > 1 ? region->name : NULL;
            Piece piece = { device->id, name, region->at, region->size, region->mark };

            g_array_append_val(pieces, piece);
        }
    }
    qsort(pieces->data, pieces->len, sizeof(Piece), by_address);
    return pieces;
}

/* A device stands on a multiple of its size, or of a page when it is larger than one. */
static uint64_t alignment_of(uint64_t size)
{
    uint64_t alignment = 4;

    while (alignment < size && alignment < 4096) {
        alignment *= 2;
    }
    return alignment;
}

static void check_places(Checker *c)
{
    g_autoptr(GArray) pieces = collect_pieces(c->spec);

    for (unsigned i = 0; i < pieces->len; i++) {
        const Piece *piece = &g_array_index(pieces, Piece, i);
        g_autofree char *name = piece_name(piece);
        uint64_t alignment = alignment_of(piece->size);

        if (piece->at % alignment) {
            diag_error(c->diag, DIAG_MISPLACED, piece->mark,
                "%s is at 0x%" G_GINT64_MODIFIER "x, must be at a multiple of 0x%" G_GINT64_MODIFIER
                "x",
                name, piece->at, alignment);
        } else if (piece->size > (1ull << 56) - piece->at) {
            diag_error(
                c->diag, DIAG_MISPLACED, piece->mark, "%s ends behind the last address", name);
        }
    }
}

static void check_overlaps(Checker *c)
{
    g_autoptr(GArray) pieces = collect_pieces(c->spec);
    const Piece *reaching = NULL; /* of those before, the one that ends last */

    for (unsigned i = 0; i < pieces->len; i++) {
        const Piece *piece = &g_array_index(pieces, Piece, i);
        uint64_t end = piece->at + piece->size,
                 before = reaching ? reaching->at + reaching->size : 0;

        if (reaching && piece->size && piece->at < before) {
            g_autofree char *name = piece_name(piece), *other = piece_name(reaching);

            diag_error(c->diag, DIAG_OVERLAP, piece->mark,
                "%s overlaps %s at 0x%08" G_GINT64_MODIFIER "x..0x%08" G_GINT64_MODIFIER "x", name,
                other, piece->at, MIN(end, before) - 1);
            diag_note(c->diag, reaching->mark, "%s", other);
        }
        if (!reaching || end > before) {
            reaching = piece;
        }
    }
}

/* ---- interrupt lines, channels ---- */

static char *line_name(const IrqSpec *irq)
{
    return g_strdup_printf("%s/%s.%u", irq->controller, irq->group, irq->line);
}

static void check_doubled_lines(Checker *c)
{
    g_autoptr(GHashTable) driven = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) drivers = g_hash_table_new(NULL, NULL);

    for (unsigned i = 0; i < c->spec->device_count; i++) {
        const DeviceSpec *device = &c->spec->devices[i];

        for (unsigned j = 0; j < device->irq_count; j++) {
            const IrqSpec *irq = &device->irqs[j], *first;
            g_autofree char *name = line_name(irq);

            first = g_hash_table_lookup(driven, name);
            if (first) {
                const DeviceSpec *other = g_hash_table_lookup(drivers, first);

                diag_error(c->diag, DIAG_DOUBLED_LINE, irq->mark, "%s.%u is already driven by %s",
                    irq->group, irq->line, other->id);
                diag_note(c->diag, first->mark, "%s", other->id);
            } else {
                g_hash_table_insert(driven, g_steal_pointer(&name), (gpointer)irq);
                g_hash_table_insert(drivers, (gpointer)irq, (gpointer)device);
            }
        }
    }
}

static void check_channels(Checker *c)
{
    g_autoptr(GHashTable) users = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < c->spec->device_count; i++) {
        const DeviceSpec *device = &c->spec->devices[i], *other;
        const PropSpec *console = device_spec_prop(device, "console");

        if (!console || !console->text) {
            continue;
        }
        other = g_hash_table_lookup(users, console->text);
        if (other) {
            diag_error(c->diag, DIAG_CHANNEL_TAKEN, console->mark,
                "`%s` is the channel of %s already", console->text, other->id);
            diag_note(c->diag, device_spec_prop(other, "console")->mark, "%s", other->id);
        } else {
            g_hash_table_insert(users, (gpointer)console->text, (gpointer)device);
        }
    }
}

/* ---- drives ---- */

static void check_aio(Checker *c)
{
    for (unsigned i = 0; i < c->spec->drive_count; i++) {
        const DriveSpec *drive = &c->spec->drives[i];

        if (drive->aio == AIO_NATIVE && !drive->cache.direct) {
            bool said = drive->cache.mark.file && drive->cache.mark.file == drive->aio_mark.file;

            diag_error(c->diag, DIAG_AIO_DIRECT, drive->aio_mark,
                "aio `native` needs a direct cache mode");
            diag_hint(
                c->diag, "cache is `%s`%s", drive->cache.word, said ? "" : ", from the default");
            diag_note(c->diag, NO_MARK,
                "`directsync` and `none` are direct; `threads` and `io_uring` work with every "
                "mode");
        }
    }
}

static void check_drive_sizes(Checker *c)
{
    for (unsigned i = 0; i < c->spec->drive_count; i++) {
        const SpecNumber *size = &c->spec->drives[i].size;

        if (size->set && (size->value == 0 || size->value % 512)) {
            diag_error(c->diag, DIAG_DRIVE_SIZE, size->mark,
                "a disk is a number of 512-byte sectors, and not none");
        }
    }
}

/* ---- what the host must keep ---- */

static void check_host_memory(Checker *c)
{
    struct sysinfo host;
    uint64_t wanted = 0, there;
    Mark mark = NO_MARK;

    for (unsigned i = 0; i < c->spec->memory_count; i++) {
        wanted += c->spec->memory[i].size;
        mark = c->spec->memory[i].kind == MEMORY_RAM ? c->spec->memory[i].mark : mark;
    }
    if (sysinfo(&host) != 0) {
        return;
    }
    there = ((uint64_t)host.totalram + host.totalswap) * host.mem_unit;
    if (wanted > there) {
        diag_error(c->diag, DIAG_HOST_MEMORY, mark, "the machine has more memory than this host");
        diag_hint(c->diag, "the host has %" G_GUINT64_FORMAT "MiB, swap included", there >> 20);
    }
}

/* ---- the list ---- */

typedef struct Check {
    const char *name;
    void (*run)(Checker *c);
    const char *needs; /* the check that must have passed; NULL: none */
} Check;

#define CHECK(name, function, needs)                                                               \
    {                                                                                              \
        name, function, needs                                                                      \
    }

static const Check checks[] = {
    CHECK("places", check_places, NULL),
    CHECK("overlaps", check_overlaps, "places"),
    CHECK("doubled-lines", check_doubled_lines, NULL),
    CHECK("channels", check_channels, NULL),
    CHECK("aio", check_aio, NULL),
    CHECK("drive-sizes", check_drive_sizes, NULL),
    CHECK("host-memory", check_host_memory, NULL),
};

static bool has_passed(const bool *passed, const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
        if (strcmp(checks[i].name, name) == 0) {
            return passed[i];
        }
    }
    g_assert_not_reached();
}

void checks_run(const MachineSpec *spec, Diag *diag)
{
    Checker checker = { .spec = spec, .diag = diag };
    bool passed[G_N_ELEMENTS(checks)] = { false };

    for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
        unsigned errors = diag_errors(diag);

        if (!checks[i].needs || has_passed(passed, checks[i].needs)) {
            checks[i].run(&checker);
            passed[i] = diag_errors(diag) == errors;
        }
    }
}

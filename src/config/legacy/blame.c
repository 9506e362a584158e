/* From a place in the machine file to its path, and from the path to the option. */
#include "config/legacy/blame.h"

#include <string.h>

#include "config/events.h"

/* ---- the path ---- */

static bool begins_behind(Mark begin, Mark at)
{
    return begin.line > at.line || (begin.line == at.line && begin.column > at.column);
}

/* "drives.root.cache" of the innermost key that begins before the place. Free it. */
static char *path_of(const Node *node, Mark at)
{
    GString *path = g_string_new(NULL);

    while (node && node->kind == NODE_MAP) {
        const Entry *inside = NULL;

        for (unsigned i = 0; i < node->map.count; i++) {
            const Entry *entry = &node->map.entries[i];

            inside = begins_behind(entry->mark, at) ? inside : entry;
        }
        if (!inside) {
            break;
        }
        g_string_append_printf(path, "%s%s", path->len ? "." : "", inside->key);
        node = inside->value;
    }
    return g_string_free(path, false);
}

/* ---- the option ---- */

static const struct {
    const char *path, *options[3];
} homes[] = {
    { "board", { "M", "machine" } },
    { "name", { "name" } },
    { "memory", { "m" } },
    { "cpus.model", { "cpu" } },
    { "cpus.count", { "smp" } },
    { "cpus", { "cpu", "smp" } },
    { "boot.kernel", { "kernel" } },
    { "boot.initrd", { "initrd" } },
    { "boot.cmdline", { "append" } },
    { "boot.fdt", { "dtb" } },
    { "boot.firmware", { "bios" } },
    { "clock", { "icount", "rtc" } },
    { "gdb", { "gdb", "s" } },
};

static bool is_within(const char *path, const char *whole)
{
    size_t length = strlen(whole);

    return strncmp(path, whole, length) == 0 && (path[length] == '.' || path[length] == '\0');
}

static bool find_home(const Legacy *l, const char *path, Span *span)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(homes); i++) {
        for (unsigned j = l->said->len; j > 0 && is_within(path, homes[i].path); j--) {
            const LegacySaid *said = &g_array_index(l->said, LegacySaid, j - 1);
            const char *word = said->word + strspn(said->word, "-");

            if (g_strv_contains(homes[i].options, word)) {
                *span = said->at;
                return true;
            }
        }
    }
    return false;
}

/* A drive's keys are mostly called as in -drive: then it is the value's fault. */
static Span value_in_drive(const Legacy *l, Span drive, const char *key)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *each = g_ptr_array_index(l->drives, i);
        const Opt *opt = NULL;

        if (each->options && each->at.from == drive.from && each->at.to == drive.to) {
            opt = opts_find(each->options, strcmp(key, "format") == 0 ? "driver" : key);
        }
        if (opt && opt->value_at.to > opt->value_at.from) {
            return opt->value_at;
        }
    }
    return drive;
}

/* The notes know the option of every drive, network and device. */
static bool find_note(const Legacy *l, const char *path, Span *span)
{
    size_t best = 0;

    for (unsigned i = 0; i < l->notes->len; i++) {
        const LegacyNote *note = &g_array_index(l->notes, LegacyNote, i);
        size_t length = strlen(note->path);

        if (length > best && is_within(path, note->path)) {
            best = length;
            *span = note->at;
        }
    }
    if (best && path[best] == '.' && g_str_has_prefix(path, "drives.")) {
        g_autofree char *key = g_strndup(path + best + 1, strcspn(path + best + 1, "."));

        *span = value_in_drive(l, *span, key);
    }
    return best > 0;
}

/* A section as a whole: the first option that is told in it. */
static bool find_section(const Legacy *l, const char *path, Span *span)
{
    for (unsigned i = 0; i < l->notes->len; i++) {
        const LegacyNote *note = &g_array_index(l->notes, LegacyNote, i);

        if (is_within(note->path, path)) {
            *span = note->at;
            return true;
        }
    }
    return false;
}

static Span blame_in(const Legacy *l, const Node *tree, Mark at)
{
    g_autofree char *path = path_of(tree, at);
    Span span = l->machine_at;

    if (*path && !find_home(l, path, &span) && !find_note(l, path, &span)) {
        find_section(l, path, &span);
    }
    return span;
}

Span legacy_blame(const Legacy *l, const char *yaml, Mark at)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) source = source_from_text("the translation", yaml, -1, diag);

    return blame_in(l, source ? events_parse(source, arena, diag) : NULL, at);
}

/* ---- all at once ---- */

typedef struct Blame {
    const Legacy *legacy;
    const Node *tree;
    const char *file;
    Diag *told;
} Blame;

static void tell(void *data, const DiagReport *report)
{
    const Blame *b = data;
    const Legacy *l = b->legacy;
    Mark at = report->at;

    if (g_strcmp0(at.file, b->file) == 0) {
        at = span_mark(l->source, blame_in(l, b->tree, at));
    }
    if (report->severity == DIAG_ERROR_LEVEL) {
        diag_error(b->told, report->code, at, "%s", report->text);
    } else {
        diag_warning(b->told, report->code, at, "%s", report->text);
    }
    if (report->hint) {
        diag_hint(b->told, "%s", report->hint);
    }
}

void legacy_blame_all(
    const Legacy *l, const char *yaml, const char *file, const Diag *found, Diag *told)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) source = source_from_text(file, yaml, -1, diag);
    Blame blame = { l, source ? events_parse(source, arena, diag) : NULL, file, told };

    diag_each(found, tell, &blame);
}

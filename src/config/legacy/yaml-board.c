/*
 * The board. What a property of QEMU's machine is here one of the board's options says that option;
 * what was not said is what QEMU takes then.
 */
#include <string.h>

#include "config/embedded.h"
#include "config/legacy/drives.h"
#include "config/legacy/yaml-impl.h"

static const struct {
    const char *archs, *machine, *board;
} lathe_boards[] = {
    { "riscv64", "virt", "riscv-virt" },
    { "aarch64", "virt", "arm-virt" },
};

const char *const legacy_level_words[] = { "el1", "el2", "el3", "el2-el3", NULL };

const char *legacy_lathe_board(const Legacy *l)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(lathe_boards); i++) {
        if (strcmp(lathe_boards[i].archs, l->arch) == 0 &&
            strcmp(lathe_boards[i].machine, l->board->names) == 0 &&
            yaml_has_resource("machines", lathe_boards[i].board, ".yaml")) {
            return lathe_boards[i].board;
        }
    }
    return NULL;
}

static const char *list_of_boards(YamlWriter *w)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (const Embedded *one = embedded; one->name; one++) {
        if (g_str_has_prefix(one->name, "machines/")) {
            const char *name = one->name + strlen("machines/");

            g_string_append_printf(
                list, "%s%.*s", list->len ? ", " : "", (int)strcspn(name, "."), name);
        }
    }
    return arena_text(w->l->arena, list->str, list->len);
}

/* ---- arm-virt's options ---- */

static bool is_on(const Legacy *l, const char *key)
{
    const Opt *opt = opts_find(l->machine_merged, key);
    bool on = false;

    return opt && opt_bool(opt->value, &on) && on;
}

static bool has_firmware(const Legacy *l)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (drive->interface == IF_PFLASH) {
            return true;
        }
    }
    return (l->bios && strcmp(l->bios, "none") != 0) ||
        opts_find(l->machine_merged, "pflash0") != NULL;
}

/* QEMU itself stands in for secure firmware, and leaves EL3, when a kernel is all there is. */
static const char *levels_of(YamlWriter *w)
{
    const Opt *secure = opts_find(w->l->machine_merged, "secure");
    bool el3 = is_on(w->l, "secure");

    if (el3 && !has_firmware(w->l)) {
        legacy_note(w->l, CLOSE, secure->key_at, "board",
            "without firmware nothing runs at EL3, which is left out");
        el3 = false;
    }
    return legacy_level_words[is_on(w->l, "virtualization") | el3 << 1];
}

/* Unsaid, QEMU's translator takes version 2; of version 4 nothing is there but what 3 has. */
static const char *gic_of(YamlWriter *w)
{
    const Opt *version = opts_find(w->l->machine_merged, "gic-version");
    const Opt *its = opts_find(w->l->machine_merged, "its");
    bool four = version &&
        (strcmp(version->value, "4") == 0 ||
            (strcmp(version->value, "max") == 0 && is_on(w->l, "virtualization")));

    if (!version || strcmp(version->value, "2") == 0) {
        return "v2";
    }
    if (four) {
        legacy_note(w->l, CLOSE, version->key_at, "board", "a GICv3 in place of the GICv4");
    }
    return its && !is_on(w->l, "its") ? "v3-no-its" : "v3";
}

/* NULL: the board has none. */
static const char *options_of(YamlWriter *w)
{
    const char *levels, *gic;

    if (strcmp(w->board, "arm-virt") != 0) {
        return NULL;
    }
    levels = levels_of(w);
    gic = gic_of(w);
    return strcmp(levels, "el1") == 0
        ? arena_printf(w->l->arena, "{ gic: %s }", gic)
        : arena_printf(w->l->arena, "{ levels: %s, gic: %s }", levels, gic);
}

bool yaml_board_tells(const YamlWriter *w, const char *key)
{
    static const char *const told[] = { "virtualization", "secure", "gic-version", "its", NULL };

    return w->board && strcmp(w->board, "arm-virt") == 0 && g_strv_contains(told, key);
}

/* Whether one of the notes since number `from` is about it. */
static bool is_noted(const Legacy *l, unsigned from, Span at)
{
    for (unsigned i = from; i < l->notes->len; i++) {
        if (g_array_index(l->notes, LegacyNote, i).at.from == at.from) {
            return true;
        }
    }
    return false;
}

static void note_properties(YamlWriter *w, unsigned from)
{
    const Opts *opts = w->l->machine_merged;

    for (unsigned i = 0; i < opts->count; i++) {
        const Opt *opt = &opts->items[i];

        if (is_noted(w->l, from, opt->key_at)) {
            continue;
        }
        if (yaml_board_tells(w, opt->key)) {
            legacy_note(w->l, EXACT, opt->key_at, "board", NULL);
        } else if (strcmp(opt->key, "type") != 0) {
            legacy_note(
                w->l, CLOSE, opt->key_at, "board", "the board decides `%s` itself", opt->key);
        }
    }
}

/* ---- the section ---- */

static void write_use(YamlWriter *w, const char *options)
{
    const char *use = arena_printf(w->l->arena, "%s@1", w->board);

    if (options) {
        yaml_line(w, 0, "board", NULL);
        yaml_line(w, 1, "use", use);
        yaml_line(w, 1, "options", options);
    } else {
        yaml_line(w, 0, "board", use);
    }
}

void yaml_board(YamlWriter *w)
{
    Legacy *l = w->l;
    unsigned from = l->notes->len;
    bool versioned = strchr(l->machine, '-') != NULL;
    const char *options = w->board ? options_of(w) : NULL;

    note_properties(w, from);
    if (!w->board) {
        legacy_note(l, LOST, l->machine_at, "board",
            "there is no board like QEMU's `%s` yet; there are: %s", l->machine, list_of_boards(w));
    } else if (versioned) {
        legacy_note(l, CLOSE, l->machine_at, "board",
            "the addresses are the same; what %s has of its version's quirks is not kept",
            l->machine);
    } else {
        legacy_note(l, EXACT, l->machine_at, "board", NULL);
    }
    yaml_notes(w, 0, "board", from);
    if (w->board) {
        write_use(w, options);
    }
}

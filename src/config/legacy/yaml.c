/* Writes the machine file, section by section, and judges each value while doing so. */
#include "config/legacy/yaml-impl.h"

#include <string.h>

#include "config/format.h"
#include "config/library.h"

/* ---- boards ---- */

/* Whether the board's file lists the model. */
static bool board_has_model(YamlWriter *w, const char *model)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Library) library = library_create(NULL, arena, diag);
    g_autofree char *file = g_strdup_printf("machines/%s.yaml", w->board);
    const Node *models = node_at(library_load(library, file), "cpus.models");

    for (unsigned i = 0; models && models->kind == NODE_LIST && i < models->list.count; i++) {
        if (g_strcmp0(node_text(models->list.items[i]), model) == 0) {
            return true;
        }
    }
    return false;
}

static void write_cpus(YamlWriter *w)
{
    Legacy *l = w->l;
    unsigned from = l->notes->len;
    g_autofree char *model = l->cpu_model ? g_strndup(l->cpu_model, strcspn(l->cpu_model, ","))
                                          : NULL;
    bool known = model && w->board && board_has_model(w, model);

    if (model && !known) {
        legacy_note(l, w->board ? CLOSE : LOST, l->cpu_at, "cpus",
            w->board ? "the board has its own default instead" : "without a board, it has no CPUs");
    } else if (model && l->cpu_model[strlen(model)]) {
        legacy_note(l, CLOSE, l->cpu_at, "cpus", "features of the model are left out");
    } else if (model) {
        legacy_note(l, EXACT, l->cpu_at, "cpus", NULL);
    }
    yaml_notes(w, 0, "cpus", from);
    if (known || l->cpus > 1) {
        yaml_line(w, 0, "cpus", NULL);
        yaml_text(w, 1, "model", known ? model : NULL);
        if (l->cpus > 1) {
            yaml_line(w, 1, "count", arena_printf(l->arena, "%u", l->cpus));
        }
    }
}

static const char *size_text(Arena *arena, uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    unsigned i = 0;

    while (i < 4 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        i++;
    }
    return arena_printf(arena, "%" G_GUINT64_FORMAT "%s", bytes, units[i]);
}

static void write_memory(YamlWriter *w)
{
    Legacy *l = w->l;
    unsigned from = l->notes->len;

    yaml_notes(w, 0, "memory", from);
    if (l->memory || w->board) {
        yaml_line(w, 0, "memory", size_text(l->arena, l->memory ? l->memory : 128 << 20));
    }
}

static void write_boot(YamlWriter *w)
{
    Legacy *l = w->l;
    unsigned from = l->notes->len;
    bool firmware = l->bios && strcmp(l->bios, "none") != 0 && strcmp(l->bios, "default") != 0;

    if (l->bios && strcmp(l->bios, "none") == 0) {
        legacy_note(l, EXACT, l->bios_at, "boot", NULL);
    } else if (l->bios) {
        legacy_note(l, firmware ? EXACT : LOST, l->bios_at, "boot",
            firmware ? NULL : "lathe brings no firmware along: name a file");
    }
    yaml_notes(w, 0, "boot", from);
    if (!l->kernel && !l->initrd && !l->append && !l->dtb && !firmware) {
        return;
    }
    yaml_line(w, 0, "boot", NULL);
    yaml_path(w, 1, "firmware", firmware ? l->bios : NULL);
    yaml_path(w, 1, "kernel", l->kernel);
    yaml_path(w, 1, "initrd", l->initrd);
    yaml_text(w, 1, "cmdline", l->append);
    yaml_path(w, 1, "fdt", l->dtb);
}

/* ---- other devices ---- */

static const struct {
    const char *qemu, *lathe, *name;
} device_types[] = {
    { "virtio-rng", "virtio-rng", "rng" },
    { "virtio-balloon", "virtio-balloon", "balloon" },
};

/* The lathe device for one of QEMU; NULL: none. */
static const char *lathe_device(const char *driver, const char **name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(device_types); i++) {
        if (g_str_has_prefix(driver, device_types[i].qemu) &&
            yaml_has_device(device_types[i].lathe)) {
            *name = device_types[i].name;
            return device_types[i].lathe;
        }
    }
    return NULL;
}

static void write_device(YamlWriter *w, const Opts *opts, GString *list)
{
    const char *driver = opts_find(opts, "driver")->value, *name = driver;
    const char *type = w->board ? lathe_device(driver, &name) : NULL;
    const Opt *id = opts_find(opts, "id");

    if (!type) {
        legacy_note(w->l, LOST, opts->at, "devices", "lathe has no `%s` here", driver);
        return;
    }
    legacy_note(w->l, g_str_has_suffix(driver, "-device") ? EXACT : CLOSE, opts->at, "devices",
        g_str_has_suffix(driver, "-device") ? NULL : "it sits on a transport of the board: no PCI");
    name = yaml_own_name(w, id ? id->value : name);
    g_string_append_printf(list, "  %s: { type: %s }\n", name, type);
}

static void write_devices(YamlWriter *w)
{
    g_autoptr(GString) list = g_string_new(NULL);
    unsigned from = w->l->notes->len;

    g_hash_table_remove_all(w->names);
    for (unsigned i = 0; i < w->l->others->len; i++) {
        write_device(w, g_ptr_array_index(w->l->others, i), list);
    }
    yaml_notes(w, 0, "devices", from);
    if (list->len) {
        g_string_append_printf(w->out, "devices:\n%s", list->str);
    }
}

/* ---- the rest ---- */

static void write_clock(YamlWriter *w)
{
    yaml_notes(w, 0, "clock", w->l->notes->len);
    if (w->l->icount || w->l->clock_start) {
        yaml_line(w, 0, "clock", NULL);
        yaml_text(w, 1, "mode", w->l->icount ? "virtual" : NULL);
        yaml_text(w, 1, "start", w->l->clock_start);
    }
}

static void write_gdb(YamlWriter *w)
{
    if (w->l->gdb && strcmp(w->l->gdb, "none") != 0) {
        yaml_notes(w, 0, "gdb", w->l->notes->len);
        yaml_line(w, 0, "gdb",
            w->l->gdb_wait ? "{ listen: gdb.sock, wait: true }" : "{ listen: gdb.sock }");
    }
}

/* ---- the whole ---- */

static void write_head(YamlWriter *w)
{
    Legacy *l = w->l;
    const char *name = yaml_own_name(w, l->name ? l->name : w->name);

    g_hash_table_remove_all(w->names);
    yaml_comment(w, 0,
        arena_printf(l->arena, "Translated from a command line of %s (%s).", l->program,
            l->as == AS_2011 ? "as in 2011" : "as in QEMU 7.2"));
    yaml_line(w, 0, "lathe", "machine/v1");
    yaml_notes(w, 0, "", l->notes->len);
    yaml_notes(w, 0, "name", l->notes->len);
    yaml_text(w, 0, "name", name);
}

char *legacy_to_yaml(Legacy *l, const char *name, const char *folder)
{
    YamlWriter w = { .l = l,
        .out = g_string_new(NULL),
        .said = l->notes->len,
        .name = name,
        .folder = folder,
        .board = legacy_lathe_board(l),
        .names = g_hash_table_new(g_str_hash, g_str_equal),
        .drives = g_ptr_array_new(),
        .drive_names = g_ptr_array_new() };
    g_autofree char *raw = NULL;

    write_head(&w);
    yaml_board(&w);
    write_cpus(&w);
    write_memory(&w);
    write_boot(&w);
    yaml_drives(&w);
    yaml_networks(&w);
    write_devices(&w);
    write_clock(&w);
    write_gdb(&w);
    yaml_for_qemu(&w);
    g_ptr_array_unref(w.drives);
    g_ptr_array_unref(w.drive_names);
    g_hash_table_unref(w.names);
    raw = g_string_free(w.out, false);
    return format_text(raw);
}

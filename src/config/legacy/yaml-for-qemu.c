/* `x-qemu`: what only QEMU has a word for, so that the way back finds it. */
#include "config/legacy/yaml-impl.h"

#include <string.h>

#include "config/legacy/drives.h"

static LegacySaid *said_at(const Legacy *l, Span at)
{
    for (unsigned i = 0; i < l->said->len; i++) {
        LegacySaid *said = &g_array_index(l->said, LegacySaid, i);

        if (said->at.from == at.from && said->at.to == at.to) {
            return said;
        }
    }
    return NULL;
}

static bool is_option(const LegacySaid *said, const char *name)
{
    return strcmp(said->word + strspn(said->word, "-"), name) == 0;
}

/* A folder that is only read is so here by a key, which says more than QEMU's user did. */
static bool is_described_folder(const LegacyDrive *drive)
{
    return yaml_is_folder(drive->node) && (!drive->node->never_writes || drives_read_only(drive));
}

/* A -drive whose image a file, a format and the drive's own keys describe. */
static bool is_describable(const Legacy *l, const LegacyDrive *drive)
{
    const LegacySaid *said = drive->options ? said_at(l, drive->options->at) : NULL;

    return drive->options && drive->node && opts_find(drive->options, "file") &&
        (yaml_is_local(drive->node) || is_described_folder(drive) ||
            yaml_url(l->arena, drive->node)) &&
        strcmp(drive->node->driver, drive->node->protocol) != 0 &&
        !(said && is_option(said, "readconfig"));
}

/*
 * Told drives come first on the way back: one that took the next free place, behind one that is kept
 * as it was, is kept too.
 */
static bool is_told(const Legacy *l, const LegacyDrive *drive)
{
    bool placed = drive->options &&
        (opts_find(drive->options, "index") || opts_find(drive->options, "unit"));

    for (unsigned i = 0; !placed && i < l->drives->len; i++) {
        const LegacyDrive *earlier = g_ptr_array_index(l->drives, i);
        bool by_name = earlier->named && drive->named && drive->interface == IF_NONE;

        if (earlier == drive) {
            break;
        }
        if (earlier->options && !by_name && earlier->interface == drive->interface &&
            !is_describable(l, earlier)) {
            return false;
        }
    }
    return is_describable(l, drive);
}

/* Keys of -drive that have a word of their own in a drive. */
static bool has_word(const char *key)
{
    static const char *const words[] = { "", "file", "driver", "format", "cache", "aio", "discard",
        "snapshot", "detect-zeroes", "copy-on-read", "werror", "rerror", "serial", "cache-size",
        "l2-cache-size", "refcount-cache-size", NULL };

    return g_strv_contains(words, key) || g_str_has_prefix(key, "cache.") ||
        (g_str_has_prefix(key, "throttling.") && strcmp(key, "throttling.group") != 0);
}

/* "if=virtio,index=0": where it is, and what is left of its image's options. */
static char *rest_of_drive(const LegacyDrive *drive)
{
    GString *rest = g_string_new(NULL);

    for (unsigned i = 0; i < drive->options->count; i++) {
        const Opt *opt = &drive->options->items[i];
        g_auto(GStrv) parts = g_strsplit(opt->value, ",", -1);
        g_autofree char *value = g_strjoinv(",,", parts);

        bool against_all = strcmp(opt->key, "snapshot") == 0 && !drive->snapshot;

        if (!has_word(opt->key) || against_all) {
            g_string_append_printf(rest, "%s%s=%s", rest->len ? "," : "", opt->key, value);
        }
    }
    return g_string_free(rest, false);
}

/* `-set drive.ID.KEY=VALUE` is in the drive's own keys by now. */
static bool sets_told_drive(const Legacy *l, const LegacySaid *said)
{
    g_auto(GStrv) parts = g_strsplit(said->argument ? said->argument : "", ".", 3);
    const LegacyDrive *drive = g_strv_length(parts) == 3 ? legacy_drive_find(l, parts[1]) : NULL;

    return is_option(said, "set") && strcmp(parts[0], "drive") == 0 && drive && is_told(l, drive);
}

static void tell(YamlWriter *w)
{
    static const char *const told[] = { "M", "machine", "m", "smp", "kernel", "initrd", "append",
        "dtb", "name", NULL };
    Legacy *l = w->l;

    for (unsigned i = 0; i < l->said->len; i++) {
        LegacySaid *said = &g_array_index(l->said, LegacySaid, i);

        said->told = g_strv_contains(told, said->word + strspn(said->word, "-")) ||
            (w->board && is_option(said, "cpu")) ||
            (is_option(said, "bios") && strcmp(said->argument, "none") != 0 &&
                strcmp(said->argument, "default") != 0) ||
            sets_told_drive(l, said);
    }
    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(l->drives, i);
        LegacySaid *said = is_told(l, drive) ? said_at(l, drive->options->at) : NULL;

        if (said) {
            said->told = true;
        }
    }
}

/* Whether a drive says by its slot where QEMU had it. */
static bool is_placed(YamlWriter *w, const LegacyDrive *drive)
{
    return drive->options && drive->front &&
        (drive->interface == IF_PFLASH ||
            (drive->named && yaml_slot(w, drive) &&
                strcmp(drive->front->type, "virtio-blk-device") == 0));
}

static bool needs_qemu(YamlWriter *w)
{
    if (w->l->no_defaults || w->l->globals->len) {
        return true; /* they decide which drives a machine has by itself */
    }
    for (unsigned i = 0; i < w->l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(w->l->drives, i);

        if (!drive->automatic && !(is_told(w->l, drive) && is_placed(w, drive))) {
            return true;
        }
    }
    return !w->board;
}

static const char *machine_text(YamlWriter *w)
{
    const Opts *opts = w->l->machine_merged;
    const Opt *type = opts_find(opts, "type");
    GString *text = g_string_new(type ? type->value : NULL);
    const char *copy;

    for (unsigned i = 0; i < opts->count; i++) {
        if (strcmp(opts->items[i].key, "type") != 0 && !yaml_board_tells(w, opts->items[i].key)) {
            g_string_append_printf(
                text, "%s%s=%s", text->len ? "," : "", opts->items[i].key, opts->items[i].value);
        }
    }
    copy = arena_text(w->l->arena, text->str, text->len);
    g_string_free(text, true);
    return copy;
}

static void write_arguments(YamlWriter *w)
{
    bool any = false;

    for (unsigned i = 0; i < w->l->said->len; i++) {
        const LegacySaid *said = &g_array_index(w->l->said, LegacySaid, i);
        const char *words[] = { said->word, said->argument };

        for (unsigned j = 0; j < 2 && !said->told && words[j]; j++) {
            g_autofree char *word = yaml_scalar(words[j]);

            if (!any) {
                yaml_line(w, 1, "arguments", NULL);
            }
            any = true;
            g_string_append_printf(w->out, "    - %s\n", word);
        }
    }
}

void yaml_for_qemu(YamlWriter *w)
{
    const Legacy *l = w->l;

    if (!needs_qemu(w)) {
        return;
    }
    tell(w);
    yaml_comment(w, 0, "What has no other word here; lathe translate to-qemu reads it.");
    yaml_line(w, 0, "x-qemu", NULL);
    yaml_text(w, 1, "program", l->program);
    yaml_text(w, 1, "machine", machine_text(w));
    if (w->drive_names->len) {
        yaml_line(w, 1, "drives", NULL);
    }
    for (unsigned i = 0; i < w->drive_names->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(w->drives, i);
        g_autofree char *rest = is_told(l, drive) ? rest_of_drive(drive) : NULL;
        g_autofree char *value = rest ? yaml_scalar(rest) : g_strdup("null");

        yaml_line(w, 2, g_ptr_array_index(w->drive_names, i), value);
    }
    write_arguments(w);
}

/* `-readconfig FILE`: groups of options in an INI dialect (DRIVE.md, 9). */
#include <string.h>

#include "config/legacy/options.h"

enum { LONGEST_LINE = 1023, LONGEST_NAME = 63 };

typedef struct ConfigFile {
    Legacy *legacy;
    const char *name;
    unsigned line;
    Span at;
    Opts *opts; /* of the group that is read; NULL: none yet, or one that is not kept */
    bool in_group;
} ConfigFile;

/* Groups that QEMU knows and that say nothing about drives or devices. */
static const char *const other_groups[] = { "mon", "rtc", "cpudef", "option-rom", "boot-opts",
    "spice", "fsdev", "virtfs", "trace", "smp-opts", "memory", "numa", "icount", "name", "sandbox",
    "add-fd", "tpmdev", "realtime", "overcommit", "msg", "semihosting-config", "fw_cfg", "action",
    "vnc", "iscsi", "accel", "acpi", "smbios", "throttle", "plugin", NULL };

static bool refuse(ConfigFile *f, const char *what, const char *which)
{
    return legacy_refuse(
        f->legacy, DIAG_LEGACY_FORM, f->at, "%s:%u: %s%s", f->name, f->line, what, which);
}

/* `group` or `group "id"`. */
static bool begin_group(ConfigFile *f, const char *text)
{
    Legacy *l = f->legacy;
    g_auto(GStrv) parts = g_strsplit_set(text, "\"", 3);
    const char *group = g_strstrip(parts[0]), *id = parts[1] ? parts[1] : NULL;

    f->in_group = true;
    f->opts = NULL;
    if (strcmp(group, "machine") == 0) {
        f->opts = l->machine_merged;
        return true;
    }
    if (!group_list(l, group)) {
        return g_strv_contains(other_groups, group) ||
            refuse(f, "there is no group of options called ", group);
    }
    f->opts = opts_new(arena_printf(l->arena, "-%s", group), f->at, l->arena);
    if (id) {
        opts_add(f->opts, "id", arena_text(l->arena, id, strlen(id)), f->at);
    }
    return add_group(l, arena_text(l->arena, group, strlen(group)), f->opts);
}

/* `key = "value"`; a value without quotes counts as empty. */
static bool take_pair(ConfigFile *f, const char *text)
{
    Arena *arena = f->legacy->arena;
    size_t length = strcspn(text, " \t=");
    const char *value = text + length + strspn(text + length, " \t"), *end;

    if (length == 0 || length > LONGEST_NAME || *value != '=') {
        return refuse(f, "this is no `key = \"value\"`", "");
    }
    if (!f->in_group) {
        return refuse(f, "there is no [group] yet", "");
    }
    value += 1 + strspn(value + 1, " \t");
    end = *value == '"' ? strchr(value + 1, '"') : NULL;
    if (f->opts) {
        const char *key = arena_text(arena, text, length);
        const char *said = end ? arena_text(arena, value + 1, end - value - 1) : "";
        Opt *earlier = opts_find(f->opts, key);

        if (earlier) {
            earlier->value = said;
        } else {
            opts_add(f->opts, key, said, f->at);
        }
    }
    return true;
}

static bool take_line(ConfigFile *f, const char *line)
{
    const char *text = line + strspn(line, " \t");
    const char *close = strchr(line, ']');

    if (strlen(line) > LONGEST_LINE) {
        return refuse(f, "the line is longer than 1023 bytes", "");
    }
    if (*line == '#' || !*text) {
        return true;
    }
    if (*line == '[' && close) {
        g_autofree char *inside = g_strndup(line + 1, close - line - 1);

        return begin_group(f, inside);
    }
    return take_pair(f, text);
}

bool take_readconfig(Legacy *l, const QemuOption *o, const Word *argument, Span at)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = l->files.read(l->files.data, argument->text, &error);
    ConfigFile file = { .legacy = l, .name = argument->text, .at = at };
    g_auto(GStrv) lines = NULL;

    if (!text) {
        return legacy_refuse(l, DIAG_LEGACY_IMAGE, at, "%s", error->message);
    }
    if (!words_are_text(text, strlen(text))) {
        return legacy_refuse(l, DIAG_LEGACY_FORM, at, "`%s` is not a text", argument->text);
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        file.line = i + 1;
        g_strdelimit(lines[i], "\r", ' ');
        if (!take_line(&file, lines[i])) {
            return false;
        }
    }
    legacy_note(l, EXACT, at, "", NULL);
    return true;
}

/* Lines, comments and names of a machine file. */
#include "config/legacy/yaml-impl.h"

#include <string.h>

#include "config/embedded.h"
#include "config/print.h"
#include "config/scalar.h"

enum { WIDEST_COMMENT = 92, LONGEST_OPTION = 48 };

bool yaml_has_resource(const char *folder, const char *name, const char *ending)
{
    g_autofree char *file = g_strdup_printf("%s/%s%s", folder, name, ending);

    return embedded_find(file) != NULL;
}

bool yaml_has_device(const char *type)
{
    return yaml_has_resource("schemas/devices", type, ".v1.yaml");
}

/* A scalar as YAML writes it, and in which `${` names no parameter. */
char *yaml_scalar(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "${", -1);
    g_autofree char *plain = g_strjoinv("$${", parts);
    Node node = { .kind = NODE_STRING, .scalar.text = plain };

    return print_scalar_yaml(&node);
}

void yaml_line(YamlWriter *w, unsigned depth, const char *key, const char *value)
{
    g_string_append_printf(
        w->out, "%*s%s:%s%s\n", depth * 2, "", key, value ? " " : "", value ? value : "");
}

void yaml_text(YamlWriter *w, unsigned depth, const char *key, const char *text)
{
    g_autofree char *value = text ? yaml_scalar(text) : NULL;

    if (value) {
        yaml_line(w, depth, key, value);
    }
}

void yaml_path(YamlWriter *w, unsigned depth, const char *key, const char *path)
{
    g_autofree char *full = path && w->folder ? g_canonicalize_filename(path, w->folder)
                                              : g_strdup(path);

    yaml_text(w, depth, key, full);
}

/* One line: what YAML takes for the end of one becomes a blank. */
static char *unbroken(const char *text)
{
    GString *line = g_string_new(NULL);

    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        bool breaks = c < 0x20 || c == 0x85 || c == 0x2028 || c == 0x2029;

        g_string_append_unichar(line, breaks ? ' ' : c);
    }
    return g_string_free(line, false);
}

/* Words of a comment, in lines. */
void yaml_comment(YamlWriter *w, unsigned depth, const char *words)
{
    g_autofree char *line = unbroken(words);
    const char *text = line;
    size_t length = strlen(text);

    while (length > 0) {
        size_t take = MIN(length, WIDEST_COMMENT - depth * 2);

        if (take < length) {
            const char *blank = g_strrstr_len(text, take, " ");

            take = blank && blank > text ? (size_t)(blank - text) : strcspn(text, " ");
        }
        g_string_append_printf(w->out, "%*s# %.*s\n", depth * 2, "", (int)take, text);
        text += take + strspn(text + take, " ");
        length = strlen(text);
    }
}

static void put_note(YamlWriter *w, unsigned depth, const LegacyNote *note)
{
    bool cut = g_utf8_strlen(note->option, -1) > LONGEST_OPTION;
    g_autofree char *option = cut ? g_utf8_substring(note->option, 0, LONGEST_OPTION)
                                  : g_strdup(note->option);
    g_autofree char *text = note->text
        ? g_strdup_printf(
              "%s: %s%s: %s", fidelity_names[note->fidelity], option, cut ? "..." : "", note->text)
        : NULL;

    if (text) {
        yaml_comment(w, depth, text);
    }
}

/* Notes of a path: those from before, and those since note number `from`. */
void yaml_notes(YamlWriter *w, unsigned depth, const char *path, unsigned from)
{
    for (unsigned i = 0; i < w->l->notes->len; i++) {
        const LegacyNote *note = &g_array_index(w->l->notes, LegacyNote, i);

        if ((i < w->said || i >= from) && strcmp(note->path, path) == 0) {
            put_note(w, depth, note);
        }
    }
}

/* A name as lathe's schema wants it. */
const char *yaml_lower_name(YamlWriter *w, const char *wish)
{
    g_autoptr(GString) name = g_string_new(NULL);

    for (; *wish; wish++) {
        char c = g_ascii_tolower(*wish);

        if (name->len == 0 && !g_ascii_isalpha(c)) {
            g_string_append_c(name, 'd');
        }
        g_string_append_c(name, g_ascii_isalnum(c) ? c : '-');
    }
    return name->len ? arena_text(w->l->arena, name->str, name->len) : "drive";
}

/* `on`, `null`, `y`: no names, for one reader of YAML or another. */
static bool is_ambiguous(const char *name)
{
    Node node = { .scalar.text = name };

    return scalar_read(&node).verdict != SCALAR_CLEAR || node.kind != NODE_STRING;
}

/* The same, and nobody else has it. */
const char *yaml_own_name(YamlWriter *w, const char *wish)
{
    const char *name = yaml_lower_name(w, wish), *given;

    if (is_ambiguous(name)) {
        name = arena_printf(w->l->arena, "d-%s", name);
    }
    given = name;

    for (unsigned i = 2; !g_hash_table_add(w->names, (gpointer)given); i++) {
        given = arena_printf(w->l->arena, "%s-%u", name, i);
    }
    return given;
}

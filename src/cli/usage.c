/* The notation: `FILE|BOARD... [--fix] [--set PATH=VALUE]...`; in the help, `  --fix   what it does`. */
#include "cli/usage.h"

#include <string.h>

static void clear_option(gpointer data)
{
    UsageOption *option = data;

    g_free(option->name);
    g_free(option->value);
    g_free(option->text);
}

static bool is_known(const Usage *usage, const char *name)
{
    for (unsigned i = 0; i < usage->options->len; i++) {
        if (strcmp(g_array_index(usage->options, UsageOption, i).name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* "--set PATH=VALUE", "--stage=doc|spec", "--fix". */
static void add_option(Usage *usage, const char *notation, const char *text)
{
    size_t length = strcspn(notation, " =");
    UsageOption option = { .name = g_strndup(notation, length) };

    if (strcmp(option.name, "--") == 0 || is_known(usage, option.name)) {
        g_free(option.name);
        return;
    }
    option.value = notation[length] ? g_strdup(notation + length + 1) : NULL;
    option.text = g_strdup(text);
    g_array_append_val(usage->options, option);
}

/* An option's line in the help: two blanks, `-x, --option VALUE`, at least two blanks, what it does. */
static void read_help_line(Usage *usage, const char *line)
{
    const char *gap = g_str_has_prefix(line, "  -") ? strstr(line + 2, "  ") : NULL;
    g_autofree char *notation = gap ? g_strndup(line + 2, gap - line - 2) : NULL;

    if (notation) {
        bool both = notation[1] != '-' && g_str_has_prefix(notation + 2, ", --");

        add_option(usage, notation + (both ? 4 : 0), gap + strspn(gap, " "));
    }
}

static void read_operands(Usage *usage, const char *alternatives)
{
    g_auto(GStrv) words = g_strsplit(alternatives, "|", -1);

    for (unsigned i = 0; words[i]; i++) {
        if (*words[i] && strcmp(words[i], "-") != 0) {
            g_ptr_array_add(usage->operands, g_strdup(words[i]));
        }
    }
}

/* One thing of the usage line, without its brackets: an option, or operands to choose from. */
static void read_part(Usage *usage, const char *part)
{
    g_auto(GStrv) options = g_strsplit(part, "|-", -1);

    if (*part != '-' || part[1] == '|') {
        read_operands(usage, part);
        return;
    }
    for (unsigned i = 0; options[i]; i++) {
        g_autofree char *notation = g_strconcat(i ? "-" : "", options[i], NULL);

        add_option(usage, notation, "");
    }
}

static void read_usage_line(Usage *usage, const char *line)
{
    while (*line) {
        bool bracket = *line == '[';
        size_t length = strcspn(line + bracket, bracket ? "]" : " ");
        g_autofree char *part = g_strndup(line + bracket, length);

        if (g_str_has_suffix(part, "...")) {
            part[strlen(part) - 3] = '\0';
        }
        read_part(usage, part);
        line += bracket + length;
        line += strspn(line, "]. ");
    }
}

Usage *usage_of(const Verb *verb)
{
    Usage *usage = g_new0(Usage, 1);
    g_auto(GStrv) lines = g_strsplit(verb->help, "\n", -1);

    usage->options = g_array_new(false, false, sizeof(UsageOption));
    g_array_set_clear_func(usage->options, clear_option);
    usage->operands = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; lines[i]; i++) {
        read_help_line(usage, lines[i]);
    }
    read_usage_line(usage, verb->arguments);
    return usage;
}

void usage_free(Usage *usage)
{
    if (usage) {
        g_array_unref(usage->options);
        g_ptr_array_unref(usage->operands);
        g_free(usage);
    }
}

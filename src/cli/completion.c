/* `lathe completion bash|zsh|fish`: what a shell needs to complete our command lines. */
#include <stdio.h>
#include <string.h>

#include "cli/usage.h"

/* Where the words for an operand or an option's value come from. */
typedef enum Source { FROM_NOWHERE, FROM_FILES, FROM_FOLDERS, FROM_LIST, FROM_VERBS } Source;

static const struct {
    const char *word;
    Source source;
    const char *list; /* of `lathe list` */
} kinds[] = {
    { "FILE", FROM_FILES, NULL },
    { "OUTPUT", FROM_FILES, NULL },
    { "DIR", FROM_FOLDERS, NULL },
    { "BOARD", FROM_LIST, "boards" },
    { "DEVICE", FROM_LIST, "devices" },
    { "FORMAT", FROM_LIST, "formats" },
    { "VERB", FROM_VERBS, NULL },
};

/* How a shell writes the sources down. */
typedef struct Words {
    GString *fixed; /* words that are known now, each behind a blank */
    GString *lists; /* names for `lathe list`, each behind a blank */
    bool files, folders;
} Words;

static void words_clear(Words *words)
{
    g_string_free(words->fixed, true);
    g_string_free(words->lists, true);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

static void add_verbs(Words *words)
{
    for (unsigned i = 0; verbs[i]; i++) {
        g_string_append_printf(words->fixed, " %s", verbs[i]->name);
    }
}

static void add_word(Words *words, const char *word)
{
    unsigned i = 0;

    while (i < G_N_ELEMENTS(kinds) && strcmp(kinds[i].word, word) != 0) {
        i++;
    }
    if (i == G_N_ELEMENTS(kinds)) {
        if (g_ascii_islower(*word)) {
            g_string_append_printf(words->fixed, " %s", word);
        }
        return;
    }
    switch (kinds[i].source) {
    case FROM_FILES: words->files = true; break;
    case FROM_FOLDERS: words->folders = true; break;
    case FROM_LIST: g_string_append_printf(words->lists, " %s", kinds[i].list); break;
    case FROM_VERBS: add_verbs(words); break;
    default: break;
    }
}

static Words words_new(void)
{
    return (Words){ .fixed = g_string_new(NULL), .lists = g_string_new(NULL) };
}

static Words words_of_value(const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, "|", -1);
    Words words = words_new();

    for (unsigned i = 0; parts[i]; i++) {
        add_word(&words, parts[i]);
    }
    return words;
}

static Words words_of_operands(const Usage *usage)
{
    Words words = words_new();

    for (unsigned i = 0; i < usage->operands->len; i++) {
        add_word(&words, g_ptr_array_index(usage->operands, i));
    }
    return words;
}

/* Between single quotes; `also` are characters that the shell's own notation wants escaped. */
static void put_quoted(const char *text, const char *also)
{
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
        } else {
            fputs(strchr(also, *text) ? "\\" : "", stdout);
            putchar(*text);
        }
    }
    putchar('\'');
}

/* ---- bash ---- */

static void put_bash_words(const Words *words)
{
    printf("fixed='%s' lists='%s' files=%s folders=%s", words->fixed->str, words->lists->str,
        words->files ? "yes" : "", words->folders ? "yes" : "");
}

static void put_bash_verb(const Verb *verb)
{
    g_autoptr(Usage) usage = usage_of(verb);
    g_auto(Words) operands = words_of_operands(usage);

    for (unsigned i = 0; i < usage->options->len; i++) {
        const UsageOption *option = &g_array_index(usage->options, UsageOption, i);

        if (option->value) {
            g_auto(Words) words = words_of_value(option->value);

            printf("    %s,%s) ", verb->name, option->name);
            put_bash_words(&words);
            puts(" ;;");
        }
        if (g_str_has_prefix(option->name, "--")) {
            g_string_append_printf(operands.fixed, " %s", option->name);
        }
    }
    printf("    %s,*) ", verb->name);
    put_bash_words(&operands);
    puts(" ;;");
}

static void print_bash(void)
{
    g_auto(Words) all = words_new();

    add_verbs(&all);
    printf("# Completion for bash: source <(lathe completion bash)\n"
           "_lathe() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} list\n"
           "    local fixed='' lists='' files='' folders=''\n"
           "    [ \"$word\" != = ] || word=''\n"
           "    [ \"$before\" != = ] || before=${COMP_WORDS[COMP_CWORD-2]}\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
           "        COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]},$before in\n",
        all.fixed->str);
    for (unsigned i = 0; verbs[i]; i++) {
        put_bash_verb(verbs[i]);
    }
    puts("    esac\n"
         "    for list in $lists; do\n"
         "        fixed=\"$fixed $(lathe list \"$list\" 2>/dev/null | cut -d ' ' -f 1)\"\n"
         "    done\n"
         "    COMPREPLY=($(compgen -W \"$fixed\" -- \"$word\"))\n"
         "    [ -z \"$folders\" ] || COMPREPLY+=($(compgen -d -- \"$word\"))\n"
         "    [ -z \"$files\" ] || COMPREPLY+=($(compgen -f -- \"$word\"))\n"
         "}\n"
         "complete -o filenames -F _lathe lathe");
}

/* ---- zsh ---- */

/* An action of _arguments, several of them as one; NULL: nothing is known. Free it. */
static char *zsh_action(const Words *words)
{
    GString *action = g_string_new("{ _alternative");
    gsize bare = action->len;

    if (words->fixed->len) {
        g_string_append_printf(action, " \"words:word:(%s)\"", words->fixed->str + 1);
    }
    if (words->lists->len) {
        g_string_append_printf(action,
            " \"names:name:($(for list in%s; do lathe list $list 2>/dev/null; done | "
            "cut -d \" \" -f 1))\"",
            words->lists->str);
    }
    if (words->files) {
        g_string_append(action, " \"files:file:_files\"");
    }
    if (words->folders) {
        g_string_append(action, " \"folders:folder:_files -/\"");
    }
    g_string_append(action, " }");
    return g_string_free(action, action->len == bare + 2);
}

/* `--stage=` takes its value behind a blank as well; a colon in its action would end that. */
static void put_zsh_option(const UsageOption *option)
{
    bool equals = option->value && g_str_has_prefix(option->name, "--");

    printf(" \\\n            '*'%s%s", option->name, equals ? "=" : "");
    put_quoted("[", "");
    put_quoted(option->text, "[]:\\");
    put_quoted("]", "");
    if (option->value) {
        g_auto(Words) words = words_of_value(option->value);
        g_autofree char *action = zsh_action(&words);

        fputs("':value:'", stdout);
        put_quoted(action ? action : " ", ":");
    }
}

static void put_zsh_verb(const Verb *verb)
{
    g_autoptr(Usage) usage = usage_of(verb);
    g_auto(Words) operands = words_of_operands(usage);
    g_autofree char *action = NULL;

    printf("    %s)\n        _arguments -S", verb->name);
    for (unsigned i = 0; i < usage->options->len; i++) {
        put_zsh_option(&g_array_index(usage->options, UsageOption, i));
    }
    action = zsh_action(&operands);
    fputs(" \\\n            '*:operand:'", stdout);
    put_quoted(action ? action : " ", "");
    puts(" ;;");
}

static void print_zsh(void)
{
    puts("#compdef lathe\n"
         "# Completion for zsh: lathe completion zsh > ${fpath[1]}/_lathe\n"
         "_lathe() {\n"
         "    if (( CURRENT == 2 )); then\n"
         "        local -a verbs=(");
    for (unsigned i = 0; verbs[i]; i++) {
        fputs("            ", stdout);
        put_quoted(verbs[i]->name, ":");
        putchar(':');
        put_quoted(verbs[i]->summary, ":");
        putchar('\n');
    }
    puts("        )\n"
         "        _describe verb verbs\n"
         "        return\n"
         "    fi\n"
         "    local verb=$words[2]\n"
         "    shift words\n"
         "    (( CURRENT-- ))\n"
         "    case $verb in");
    for (unsigned i = 0; verbs[i]; i++) {
        put_zsh_verb(verbs[i]);
    }
    puts("    esac\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _lathe ]; then\n"
         "    _lathe \"$@\"\n"
         "else\n"
         "    compdef _lathe lathe\n"
         "fi");
}

/* ---- fish ---- */

/* The words behind an option or as operands: one -a, and -F where files may be. */
static void put_fish_words(const Words *words)
{
    g_autoptr(GString) all = g_string_new(words->fixed->str);

    if (words->lists->len) {
        g_string_append_printf(all,
            " (for list in%s; lathe list $list 2>/dev/null; end | string match -r \"^\\S+\")",
            words->lists->str);
    }
    if (words->folders) {
        g_string_append(all, " (__fish_complete_directories)");
    }
    if (all->len) {
        fputs(" -a ", stdout);
        put_quoted(all->str + 1, "");
    }
    fputs(words->files ? " -F\n" : " -f\n", stdout);
}

static void put_fish_verb(const Verb *verb)
{
    g_autoptr(Usage) usage = usage_of(verb);
    g_auto(Words) operands = words_of_operands(usage);

    printf("complete -c lathe -n __fish_use_subcommand -a %s -d ", verb->name);
    put_quoted(verb->summary, "");
    printf("\ncomplete -c lathe -n '__fish_seen_subcommand_from %s'", verb->name);
    put_fish_words(&operands);
    for (unsigned i = 0; i < usage->options->len; i++) {
        const UsageOption *option = &g_array_index(usage->options, UsageOption, i);
        bool whole = g_str_has_prefix(option->name, "--");

        printf("complete -c lathe -n '__fish_seen_subcommand_from %s' -%s %s -d ", verb->name,
            whole ? "l" : "s", option->name + 1 + whole);
        put_quoted(option->text, "");
        if (option->value) {
            g_auto(Words) words = words_of_value(option->value);

            fputs(" -r", stdout);
            put_fish_words(&words);
        } else {
            putchar('\n');
        }
    }
}

static void print_fish(void)
{
    puts("# Completion for fish: lathe completion fish | source\n"
         "complete -c lathe -f");
    for (unsigned i = 0; verbs[i]; i++) {
        put_fish_verb(verbs[i]);
    }
}

/* ---- the verb ---- */

static const struct {
    const char *name;
    void (*print)(void);
} shells[] = {
    { "bash", print_bash },
    { "zsh", print_zsh },
    { "fish", print_fish },
};

static int completion_run(int argc, char **argv)
{
    for (unsigned i = 0; argc == 2 && i < G_N_ELEMENTS(shells); i++) {
        if (strcmp(shells[i].name, argv[1]) == 0) {
            shells[i].print();
            return EXIT_FINE;
        }
    }
    fputs("lathe completion: wants bash, zsh or fish\n", stderr);
    return EXIT_DESCRIPTION;
}

VERB(completion) = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "a script that lets a shell complete our command lines",
    .help =
        "Prints it. It is made from what `lathe help` says, and knows verbs, options, boards and\n"
        "device types.\n"
        "\n"
        "  bash:  source <(lathe completion bash)                 in ~/.bashrc\n"
        "  zsh:   source <(lathe completion zsh)                  in ~/.zshrc, after compinit\n"
        "  fish:  lathe completion fish | source                  in config.fish\n",
    .run = completion_run,
};

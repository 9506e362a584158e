/* `lathe new [NAME]`: a first file. */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "config/edit.h"

typedef struct Answers {
    char *name, *board, *memory, *kernel, *disk;
} Answers;

static void answers_clear(Answers *answers)
{
    g_free(answers->name);
    g_free(answers->board);
    g_free(answers->memory);
    g_free(answers->kernel);
    g_free(answers->disk);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answers, answers_clear)

/* ---- questions ---- */

static bool is_size(const char *text)
{
    return g_regex_match_simple("^[1-9][0-9]*(B|KiB|MiB|GiB|TiB)$", text, 0, 0);
}

/*
 * What the person types, or what was there before. Takes and gives a string of its own. Asks again
 * when it has to be a size and is none.
 */
static char *ask(const char *question, char *otherwise, bool size)
{
    char line[1024];

    for (;;) {
        fprintf(stderr, "%s [%s]: ", question, otherwise);
        if (!fgets(line, sizeof(line), stdin) || !*g_strstrip(line)) {
            return otherwise;
        }
        if (!size || is_size(line)) {
            g_free(otherwise);
            return g_strdup(line);
        }
        fputs("a size has a unit: B, KiB, MiB, GiB or TiB\n", stderr);
    }
}

static void ask_all(Answers *answers, const GPtrArray *boards)
{
    fputs("boards:", stderr);
    for (unsigned i = 0; i < boards->len; i++) {
        fprintf(stderr, " %s", (const char *)boards->pdata[i]);
    }
    fputc('\n', stderr);
    answers->board = ask("board", answers->board, false);
    answers->memory = ask("memory", answers->memory, true);
    answers->kernel = ask("kernel, a file", answers->kernel, false);
    answers->disk = ask("disk, an image or a size", answers->disk, false);
}

/* ---- the file ---- */

/* What is usual for an instruction set. */
static const struct {
    const char *arch, *console, *firmware;
} usual[] = {
    { "riscv64", "ttyS0", "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin" },
    { "aarch64", "ttyAMA0", NULL },
};

static void append_disk(GString *out, const char *disk)
{
    g_string_append(out,
        "\ndrives: # `lathe explain drives.cache` says what a completed write means\n"
        "  root:\n");
    if (is_size(disk)) {
        g_string_append_printf(out,
            "    size: %s # made empty at each start; a disk that stays: `file: disk.img`\n"
            "    format: raw\n",
            disk);
    } else {
        g_string_append_printf(out,
            "    file: %s\n    format: %s # never guessed\n"
            "    overlay: none # ephemeral: what the guest writes is dropped at the end\n",
            disk, g_str_has_suffix(disk, ".qcow2") ? "qcow2" : "raw");
    }
    g_string_append(out, "    cache: writeback\n");
}

static void append_boot(GString *out, const Answers *answers, const char *arch)
{
    const char *console = "ttyS0";

    g_string_append(out, "\nboot: # paths are relative to this file\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(usual); i++) {
        if (strcmp(usual[i].arch, arch) != 0) {
            continue;
        }
        console = usual[i].console;
        if (usual[i].firmware) {
            g_string_append_printf(
                out, "  firmware: %s # Debian's package opensbi\n", usual[i].firmware);
        }
    }
    g_string_append_printf(out,
        "  kernel: %s\n"
        "  # initrd: initrd.gz # without one, the system has to be on the disk\n"
        "  cmdline: console=%s root=/dev/vda panic=-1\n",
        answers->kernel, console);
}

static char *text_of(const Answers *answers, const MachineSpec *board)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(out,
        "# lathe run %s.yaml\n"
        "#\n"
        "# Editors complete and check this file after `lathe schema > machine.schema.json`:\n"
        "# yaml-language-server: $schema=machine.schema.json\n"
        "lathe: machine/v1\n"
        "name: %s\n"
        "doc: What this machine is for.\n"
        "\n"
        "board: %s@%.*s # `lathe map %s` shows what is on it\n"
        "cpus:\n"
        "  count: 1\n"
        "memory: %s\n",
        answers->name, answers->name, answers->board, (int)strcspn(board->board_version, "."),
        board->board_version, answers->board, answers->memory);
    append_boot(out, answers, board->arch);
    append_disk(out, answers->disk);
    return g_string_free(out, false);
}

static int write_new(const char *file, const char *text)
{
    g_autoptr(GError) error = NULL;

    if (g_file_test(file, G_FILE_TEST_EXISTS)) {
        fprintf(stderr, "lathe new: %s is there already\n", file);
        return EXIT_DESCRIPTION;
    }
    if (!edit_write_file(file, text, &error)) {
        fprintf(stderr, "lathe new: %s\n", error->message);
        return EXIT_HOST;
    }
    return EXIT_FINE;
}

static void say_what_is_next(const char *file, const char *kernel)
{
    printf("wrote %s. Next:\n", file);
    if (!g_file_test(kernel, G_FILE_TEST_EXISTS)) {
        printf("  put a Linux kernel into %s, and a system on the disk or in an initrd\n"
               "      (`man lathe-new` says where Debian has both)\n",
            kernel);
    }
    printf("  lathe validate %s\n"
           "  lathe run %s\n",
        file, file);
}

/* ---- the verb ---- */

/* Who names the file means the machine in it. */
static char *name_of(const char *operand)
{
    return g_strndup(
        operand, strlen(operand) - (g_str_has_suffix(operand, ".yaml") ? strlen(".yaml") : 0));
}

static bool is_name(const char *name)
{
    return g_regex_match_simple("^[a-z][a-z0-9-]*$", name, 0, 0);
}

static bool is_board(const GPtrArray *boards, const char *name)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *)boards, name, g_str_equal, NULL);
}

static int new_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autofree char *board = NULL, *file = NULL, *text = NULL;
    const GOptionEntry own[] = {
        { "board", 0, 0, G_OPTION_ARG_STRING, &board, NULL, NULL },
        { 0 },
    };
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(GPtrArray) boards = NULL;
    g_autoptr(MachineSpec) spec = NULL;
    g_auto(Answers) answers = { 0 };
    int result;

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    boards = config_list("boards", &(ConfigOptions){ .paths = options.paths }, diag);
    answers = (Answers){
        .name = name_of(argc > 1 ? argv[1] : "machine"),
        .board = g_strdup(board ? board : "riscv-virt"),
        .memory = g_strdup("512MiB"),
        .kernel = g_strdup("Image"),
        .disk = g_strdup("1GiB"),
    };
    if (argc > 2 || !is_name(answers.name)) {
        fputs("lathe new: wants one name of lower-case letters, digits and dashes\n", stderr);
        return EXIT_DESCRIPTION;
    }
    if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO) && !board) {
        ask_all(&answers, boards);
    }
    if (!is_board(boards, answers.board)) {
        fprintf(stderr, "lathe new: there is no board `%s`; `lathe list boards` shows all\n",
            answers.board);
        return EXIT_DESCRIPTION;
    }
    spec = load_named(answers.board, &options, diag);
    if (!spec) {
        return finish_with(diag);
    }
    file = g_strconcat(answers.name, ".yaml", NULL);
    text = text_of(&answers, spec);
    result = write_new(file, text);
    if (result == EXIT_FINE) {
        say_what_is_next(file, answers.kernel);
    }
    return result;
}

VERB(new) = {
    .name = "new",
    .arguments = "[NAME] [--board BOARD] [--path DIR]...",
    .summary = "a first file, with comments",
    .help = "Writes NAME.yaml: a machine to begin with. On a terminal it asks for board, memory,\n"
            "kernel and disk; otherwise, or when a board is named, it takes what is usual.\n"
            "\n"
            "  --board BOARD   one of `lathe list boards`\n"
            "  --path DIR      another folder with machines/ and schemas/\n",
    .run = new_run,
};

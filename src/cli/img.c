/* `lathe img`: disk images. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "block/cache.h"
#include "cli/img/img.h"

static const ImgCommand *const commands[] = {
    &img_amend,
    &img_bench,
    &img_bitmap,
    &img_check,
    &img_commit,
    &img_compare,
    &img_convert,
    &img_crash_test,
    &img_create,
    &img_dd,
    &img_info,
    &img_map,
    &img_measure,
    &img_rebase,
    &img_resize,
    &img_snapshot,
};

void *img_fail(Img *img, int exit_code, GError *error)
{
    fprintf(stderr, "lathe img %s: %s\n", img->argv[0], error->message);
    g_error_free(error);
    img->exit_code = exit_code;
    return NULL;
}

void *img_fail_with(Img *img, int exit_code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fprintf(stderr, "lathe img %s: ", img->argv[0]);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    img->exit_code = exit_code;
    return NULL;
}

/* -t is of what is written where -T is of what is only read, and of everything where no -T is. */
static const char *cache_word(const Img *img, bool read_only)
{
    const char *word = read_only && img->has_source_cache ? img->source_cache : img->cache;

    return word ? word : "writeback";
}

/* What the command line says about how images are opened; false after saying what is wrong. */
static bool read_options(Img *img, BlockOptions *options)
{
    int aio = word_find(drive_aio_words, img->aio ? img->aio : "threads");
    const char *cache = cache_word(img, options->read_only);

    if (!cache_from_word(cache, &options->cache)) {
        return img_fail_with(img, EXIT_DESCRIPTION, "there is no cache mode `%s`", cache);
    }
    options->share = img->share && options->read_only;
    if (aio < 0) {
        return img_fail_with(img, EXIT_DESCRIPTION, "there is no engine `%s`", img->aio);
    }
    options->aio = aio;
    options->key.file = img->key_file;
    options->key.may_miss = img->needs_no_key;
    return true;
}

BlockNode *img_open_layers(
    Img *img, const char *path, const char *format, bool writable, unsigned layer)
{
    BlockOptions options = { .path = path,
        .read_only = !writable,
        .repair = img->repair,
        .snapshot = writable ? NULL : img->snapshot,
        .writable_layer = layer };
    GError *error = NULL;
    BlockNode *node;

    if (!read_options(img, &options)) {
        return NULL;
    }
    node = block_open_image(img->loop, format, &options, &error);
    return node ? node : img_fail(img, EXIT_HOST, error);
}

BlockNode *img_open(Img *img, const char *path, const char *format, bool writable)
{
    return img_open_layers(img, path, format, writable, 0);
}

BlockKey img_new_key(const Img *img)
{
    return (BlockKey){ .file = img->new_key_file ? img->new_key_file : img->key_file };
}

BlockNode *img_open_new(Img *img, const char *path, const char *format)
{
    BlockOptions options = { .path = path };
    GError *error = NULL;
    BlockNode *node;

    if (!read_options(img, &options)) {
        return NULL;
    }
    options.key = img_new_key(img);
    node = block_open_image(img->loop, format, &options, &error);
    return node ? node : img_fail(img, EXIT_HOST, error);
}

BlockNode *img_open_alone(Img *img, const char *path, const char *format)
{
    BlockOptions options = { .path = path };
    GError *error = NULL;
    BlockNode *node;

    if (!read_options(img, &options)) {
        return NULL;
    }
    node = block_open_layer(img->loop, format, &options, &error);
    return node ? node : img_fail(img, EXIT_HOST, error);
}

/* GLib leaves it there when what follows begins with a dash. */
static void drop_end_of_options(Img *img)
{
    for (int i = 1; i < img->argc; i++) {
        if (strcmp(img->argv[i], "--") == 0) {
            memmove(img->argv + i, img->argv + i + 1, (img->argc - i) * sizeof(*img->argv));
            img->argc--;
            return;
        }
    }
}

static bool is_negative(const char *operand)
{
    return operand[0] == '-' && g_ascii_isdigit(operand[1]);
}

static bool parse(const ImgCommand *command, Img *img)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autofree GOptionEntry *entries = img_entries(img, command->takes);
    bool is_signed = command->last_is_signed && is_negative(img->argv[img->argc - 1]);
    char *last = is_signed ? img->argv[--img->argc] : NULL;
    GError *error = NULL;
    int operands;

    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, entries, NULL);
    img->has_source_cache = strchr(command->takes, 'T') != NULL;
    if (!g_option_context_parse(context, &img->argc, &img->argv, &error)) {
        return img_fail(img, EXIT_DESCRIPTION, error);
    }
    if (last) {
        img->argv[img->argc++] = last;
    }
    drop_end_of_options(img);
    operands = img->argc - 1;
    if (operands < command->least || operands > command->most) {
        return img_fail_with(
            img, EXIT_DESCRIPTION, "usage: lathe img %s %s", command->name, command->arguments);
    }
    return true;
}

/* Anywhere in front of `--`. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || (i == 1 && strcmp(argv[i], "-h") == 0)) {
            return true;
        }
    }
    return false;
}

/* ---- running ---- */

typedef struct Running {
    const ImgCommand *command;
    Img *img;
} Running;

static void run_main(void *data)
{
    Running *running = data;

    running->command->run(running->img);
}

/* What was found out only when images were closed. */
static void say_reports(Img *img)
{
    g_autofree char *reports = io_loop_take_reports(img->loop);

    if (reports) {
        img_fail_with(img, EXIT_HOST, "%s", reports);
    }
}

static int run_command(const ImgCommand *command, int argc, char **argv)
{
    Img img = { .argc = argc, .argv = argv, .needs_no_key = command->needs_no_key };
    GError *error = NULL;

    if (asks_for_help(argc, argv)) {
        img_print_help(command);
        return EXIT_FINE;
    }
    img.loop = io_loop_new(&error);
    if (!img.loop) {
        img_fail(&img, EXIT_HOST, error);
    } else if (parse(command, &img)) {
        img.progress |= !img.quiet && isatty(STDERR_FILENO);
        io_loop_run(img.loop, run_main, &(Running){ command, &img });
        say_reports(&img);
    }
    io_loop_free(img.loop);
    img_options_clear(&img);
    return img.exit_code;
}

static int img_run(int argc, char **argv)
{
    for (unsigned i = 0; argc > 1 && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i]->name, argv[1]) == 0) {
            return run_command(commands[i], argc - 1, argv + 1);
        }
    }
    if (argc > 1) {
        fprintf(stderr, "lathe img: there is no command `%s`\n", argv[1]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        fprintf(argc > 1 ? stderr : stdout, "  lathe img %-10s %s\n", commands[i]->name,
            commands[i]->summary);
    }
    return argc > 1 ? EXIT_DESCRIPTION : EXIT_FINE;
}

VERB(img) = {
    .name = "img",
    .arguments =
        "amend|bench|bitmap|check|commit|compare|convert|crash-test|create|dd|info|map|measure|"
        "rebase|resize|snapshot [FILE]...",
    .summary = "makes, checks and converts disk images",
    .help = "`lathe img` lists the commands, `lathe img COMMAND --help` explains one.\n",
    .run = img_run,
    .explains_itself = true,
};

/* `lathe io`: single requests to an image, written by hand or by a script. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"
#include "block/cache.h"
#include "cli/cli.h"

enum { LENGTH_MOST = 1 << 30, WORDS_MOST = 4 };

typedef struct Io {
    char *format, *cache, *aio, *log, *key_file;
    char **commands;
    gboolean read_only, durable, skewed;
    const char *path;

    IoLoop *loop;
    BlockNode *node;
    unsigned running; /* requests that were started */
    Coroutine *waiter;
    int exit_code;
} Io;

/* A command with its words as numbers. */
typedef struct Request {
    Io *io;
    const struct Command *command;
    uint64_t at, length;
    int pattern;  /* -1: none */
    bool started; /* nobody waits for it */
} Request;

typedef struct Command {
    const char *name, *arguments;
    BlockOp op;
    unsigned words; /* it needs */
} Command;

static const Command commands[] = {
    { "read", "AT LENGTH [PATTERN]", BLOCK_READ, 2 },
    { "write", "AT LENGTH [PATTERN]", BLOCK_WRITE, 2 },
    { "zero", "AT LENGTH", BLOCK_ZERO, 2 },
    { "discard", "AT LENGTH", BLOCK_DISCARD, 2 },
    { "flush", "", BLOCK_FLUSH, 0 },
};

static void complain(Io *io, int exit_code, const char *text)
{
    fprintf(stderr, "lathe io: %s\n", text);
    io->exit_code = exit_code;
}

/* ---- requests ---- */

static bool is_pattern(const uint8_t *bytes, const Request *r, uint64_t *wrong)
{
    for (uint64_t i = 0; r->pattern >= 0 && i < r->length; i++) {
        if (bytes[i] != r->pattern) {
            *wrong = r->at + i;
            return false;
        }
    }
    return true;
}

static void report(const Request *r, const uint8_t *bytes, int result)
{
    uint64_t wrong = 0;

    if (result < 0) {
        printf("%s at %" PRIu64 ": %s\n", r->command->name, r->at, g_strerror(-result));
        r->io->exit_code = EXIT_DIFFERENT;
    } else if (r->command->op == BLOCK_READ && !is_pattern(bytes, r, &wrong)) {
        printf("read at %" PRIu64 ": byte %" PRIu64 " is 0x%02x, not 0x%02x\n", r->at, wrong,
            bytes[wrong - r->at], r->pattern);
        r->io->exit_code = EXIT_DIFFERENT;
    } else {
        printf("%s at %" PRIu64 ": %" PRIu64 " bytes\n", r->command->name, r->at, r->length);
    }
}

/* `--skewed` memory has an odd address, which O_DIRECT cannot use. */
static void run_request(Request *r)
{
    bool moves = r->command->op == BLOCK_READ || r->command->op == BLOCK_WRITE;
    unsigned skew = r->io->skewed ? 1 : 0;
    void *memory = NULL;
    struct iovec piece = { NULL, r->length };
    unsigned flags = r->io->durable && r->command->op != BLOCK_READ ? BLOCK_DURABLE : 0;
    int result = moves && posix_memalign(&memory, 4096, r->length + 1 + skew) ? -ENOMEM : 0;

    if (result == 0 && moves) {
        piece.iov_base = (uint8_t *)memory + skew;
        memset(piece.iov_base, r->pattern >= 0 ? r->pattern : 0xcd, r->length);
    }
    if (result == 0) {
        result = block_io(
            r->io->node, &(BlockIo){ r->command->op, flags, r->at, r->length, { &piece, 1, 0 } });
    }
    report(r, piece.iov_base, result);
    free(memory);
}

static void started_main(void *data)
{
    Request *r = data;
    Io *io = r->io;

    run_request(r);
    g_free(r);
    if (--io->running == 0 && io->waiter) {
        coroutine_enter(io->waiter);
    }
}

static void await_started(Io *io)
{
    if (io->running > 0) {
        io->waiter = coroutine_self();
        coroutine_yield();
        io->waiter = NULL;
    }
}

static void start(const Request *r)
{
    r->io->running++;
    coroutine_enter(coroutine_new(started_main, g_memdup2(r, sizeof(*r))));
}

/* ---- commands ---- */

static bool parse_words(Request *r, char **words, unsigned count)
{
    g_autoptr(GError) error = NULL;
    uint64_t pattern = 0;

    if (count < r->command->words || count > r->command->words + 1) {
        g_autofree char *usage = g_strdup_printf(
            "usage: %s %s", r->command->name, r->command->arguments);

        complain(r->io, EXIT_DESCRIPTION, usage);
        return false;
    }
    if ((count > 0 && !block_parse_size(words[0], &r->at, &error)) ||
        (count > 1 && !block_parse_size(words[1], &r->length, &error)) ||
        (count > 2 &&
            !g_ascii_string_to_unsigned(words[2] + (g_str_has_prefix(words[2], "0x") * 2),
                g_str_has_prefix(words[2], "0x") ? 16 : 10, 0, 255, &pattern, &error))) {
        complain(r->io, EXIT_DESCRIPTION, error->message);
        return false;
    }
    r->pattern = count > 2 ? (int)pattern : -1;
    if (r->length > LENGTH_MOST && r->command->op <= BLOCK_WRITE) {
        complain(r->io, EXIT_DESCRIPTION, "at most 1GiB at once");
        return false;
    }
    return true;
}

static const Command *find_command(const char *name)
{
    for (unsigned i = 0; name && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

/* "start read 0 4KiB", "wait", "flush"; an empty line and one with # do nothing. */
static void run_line(Io *io, const char *line)
{
    g_auto(GStrv) split = g_strsplit_set(line, " \t\n", -1);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    Request r = { .io = io, .pattern = -1 };

    for (unsigned i = 0; split[i] && split[i][0] != '#'; i++) {
        if (split[i][0]) {
            g_ptr_array_add(words, split[i]);
        }
    }
    if (words->len > 0 && strcmp(words->pdata[0], "start") == 0) {
        r.started = true;
        g_ptr_array_remove_index(words, 0);
    }
    if (words->len == 0) {
        return;
    }
    if (strcmp(words->pdata[0], "wait") == 0) {
        await_started(io);
        return;
    }
    r.command = find_command(words->pdata[0]);
    if (!r.command) {
        complain(io, EXIT_DESCRIPTION, "commands: [start] read write zero discard flush; wait");
    } else if (parse_words(&r, (char **)words->pdata + 1, words->len - 1)) {
        if (r.started) {
            start(&r);
        } else {
            run_request(&r);
        }
    }
}

static void run_commands(Io *io)
{
    char *line = NULL;
    size_t room = 0;

    for (unsigned i = 0; io->commands && io->commands[i]; i++) {
        run_line(io, io->commands[i]);
    }
    while (!io->commands && getline(&line, &room, stdin) >= 0) {
        run_line(io, line);
        fflush(stdout);
    }
    free(line);
    await_started(io);
}

static void io_main(void *data)
{
    Io *io = data;
    BlockOptions options = { .path = io->path, .log = io->log, .read_only = io->read_only };
    int aio = word_find(drive_aio_words, io->aio ? io->aio : "threads");
    g_autoptr(GError) error = NULL;

    if (!cache_from_word(io->cache ? io->cache : "writeback", &options.cache) || aio < 0) {
        complain(io, EXIT_DESCRIPTION, "there is no such cache mode or engine");
        return;
    }
    options.aio = aio;
    options.key.file = io->key_file;
    io->durable = cache_writes_durably(&options.cache);
    io->node = block_open_image(io->loop, io->format, &options, &error);
    if (!io->node) {
        complain(io, EXIT_HOST, error->message);
        return;
    }
    run_commands(io);
    if (!io->read_only && block_flush(io->node) < 0) {
        complain(io, EXIT_HOST, "the last flush failed");
    }
    block_unref(io->node);
}

/* ---- the verb ---- */

static bool parse(Io *io, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "format", 'f', 0, G_OPTION_ARG_STRING, &io->format, "format of the image", "FORMAT" },
        { "cache", 't', 0, G_OPTION_ARG_STRING, &io->cache, "cache mode", "MODE" },
        { "aio", 'i', 0, G_OPTION_ARG_STRING, &io->aio, "threads, native or io_uring", "ENGINE" },
        { "key-file", 0, 0, G_OPTION_ARG_FILENAME, &io->key_file,
            "file with the key of encrypted images", "FILE" },
        { "command", 'c', 0, G_OPTION_ARG_STRING_ARRAY, &io->commands,
            "a command; without any they come from standard input", "COMMAND" },
        { "read-only", 'r', 0, G_OPTION_ARG_NONE, &io->read_only, "open it for reading", NULL },
        { "log", 0, 0, G_OPTION_ARG_FILENAME, &io->log,
            "a new file for what changes the image's file", "LOG" },
        { "skewed", 0, 0, G_OPTION_ARG_NONE, &io->skewed, "with memory at odd addresses", NULL },
        { 0 },
    };
    g_autoptr(GOptionContext) context = g_option_context_new("FILE");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        complain(io, EXIT_DESCRIPTION, error->message);
        return false;
    }
    if (argc != 2) {
        complain(io, EXIT_DESCRIPTION, "wants one FILE; see `lathe help io`");
        return false;
    }
    io->path = argv[1];
    return true;
}

static int io_run(int argc, char **argv)
{
    Io io = { 0 };
    g_autoptr(GError) error = NULL;

    io.loop = io_loop_new(&error);
    if (!io.loop) {
        complain(&io, EXIT_HOST, error->message);
    } else if (parse(&io, argc, argv)) {
        io_loop_run(io.loop, io_main, &io);
    }
    io_loop_free(io.loop);
    g_free(io.format);
    g_free(io.cache);
    g_free(io.aio);
    g_free(io.log);
    g_free(io.key_file);
    g_strfreev(io.commands);
    return io.exit_code;
}

/* clang-format off */
VERB(io) = {
    .name = "io",
    .arguments = "[OPTION]... FILE",
    .summary = "single requests to a disk image",
    .help = "Commands, from -c or standard input, one on a line:\n\n"
            "  read AT LENGTH [PATTERN]    and fail unless each byte is PATTERN\n"
            "  write AT LENGTH [PATTERN]\n"
            "  zero AT LENGTH\n"
            "  discard AT LENGTH\n"
            "  flush\n"
            "  start COMMAND               do not wait for it\n"
            "  wait                        for all that were started\n\n"
            "Exit status: 0 fine, 1 a request failed or other bytes were read, 2 the command line is wrong,\n"
            "3 the host cannot do it.\n",
    .run = io_run,
};
/* clang-format on */

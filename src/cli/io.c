/* `lathe io`: single requests to an image, written by hand or by a script. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"
#include "block/cache.h"
#include "cli/cli.h"

enum { LENGTH_MOST = 1 << 30, PIECES_MOST = 4096, SECTOR = 512, DUMP_MOST = 64 << 10 };

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
    int pattern;     /* -1: none */
    bool started;    /* nobody waits for it */
    bool must_fail;  /* it is wrong if it does not */
    unsigned flags;  /* of the request */
    unsigned pieces; /* of memory that it is made of; 0: one */
    bool dump;
    char *from; /* owned: a file with what is written, over and over; NULL: none */
} Request;

typedef struct Command {
    const char *name, *arguments;
    BlockOp op;
    unsigned words, most;   /* it needs, and takes */
    int (*run)(Request *r); /* instead of a request */
} Command;

static int run_length(Request *r);
static int run_resize(Request *r);
static int run_map(Request *r);
static int run_sleep(Request *r);

static const Command commands[] = {
    { "read", "AT LENGTH [PATTERN] [pieces=N] [dump]", BLOCK_READ, 2, 3 },
    { "write", "AT LENGTH [PATTERN] [from=FILE] [pieces=N] [durable] [packed]", BLOCK_WRITE, 2, 3 },
    { "zero", "AT LENGTH [unmap] [durable]", BLOCK_ZERO, 2, 2 },
    { "discard", "AT LENGTH", BLOCK_DISCARD, 2, 2 },
    { "flush", "", BLOCK_FLUSH, 0, 0 },
    { "length", "", BLOCK_FLUSH, 0, 0, run_length },
    { "resize", "SIZE", BLOCK_FLUSH, 1, 1, run_resize },
    { "map", "AT LENGTH", BLOCK_FLUSH, 2, 2, run_map },
    { "sleep", "MILLISECONDS", BLOCK_FLUSH, 1, 1, run_sleep },
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

static void dump(const Request *r, const uint8_t *bytes)
{
    enum { LINE = 16 };

    for (uint64_t at = 0; at < MIN(r->length, DUMP_MOST); at += LINE) {
        printf("%08" PRIx64 ":", r->at + at);
        for (uint64_t i = at; i < MIN(at + LINE, r->length); i++) {
            printf(" %02x", bytes[i]);
        }
        putchar('\n');
    }
}

/* True when it ended as it should. */
static bool judge(const Request *r, const uint8_t *bytes, int result)
{
    uint64_t wrong = 0;

    if (result < 0) {
        printf("%s at %" PRIu64 ": %s\n", r->command->name, r->at, g_strerror(-result));
        return r->must_fail;
    }
    if (r->command->op == BLOCK_READ && !is_pattern(bytes, r, &wrong)) {
        printf("read at %" PRIu64 ": byte %" PRIu64 " is 0x%02x, not 0x%02x\n", r->at, wrong,
            bytes[wrong - r->at], r->pattern);
        return false;
    }
    if (!r->command->run) {
        printf("%s at %" PRIu64 ": %" PRIu64 " bytes\n", r->command->name, r->at, r->length);
    }
    if (r->dump) {
        dump(r, bytes);
    }
    if (r->must_fail) {
        printf("%s at %" PRIu64 ": should have failed\n", r->command->name, r->at);
    }
    return !r->must_fail;
}

static int fill(const Request *r, uint8_t *bytes)
{
    g_autofree char *text = NULL;
    size_t size;

    memset(bytes, r->pattern >= 0 ? r->pattern : 0xcd, r->length);
    if (!r->from) {
        return 0;
    }
    if (!g_file_get_contents(r->from, &text, &size, NULL) || size == 0) {
        return -ENOENT;
    }
    for (uint64_t at = 0; at < r->length; at += size) {
        memcpy(bytes + at, text, MIN(size, r->length - at));
    }
    return 0;
}

/* Memory in pieces that lie apart from each other, and backwards; what is between is not touched. */
typedef struct Pieces {
    struct iovec *iov;
    unsigned count;
} Pieces;

static Pieces cut(const Request *r, uint8_t *memory)
{
    uint64_t size = r->length / MAX(r->pieces, 1) & ~(uint64_t)(SECTOR - 1);
    unsigned count = size > 0 ? MAX(r->pieces, 1) : 1;
    Pieces pieces = { g_new0(struct iovec, count), count };

    for (unsigned i = 0; i < count; i++) {
        uint64_t length = i + 1 < count ? size : r->length - size * (count - 1);

        pieces.iov[i] = (struct iovec){ memory + (count - 1 - i) * (size + SECTOR), length };
    }
    return pieces;
}

static int transfer(Request *r, uint8_t *bytes, uint8_t *memory)
{
    Pieces pieces = cut(r, memory);
    BlockMemory window = { pieces.iov, pieces.count, 0 };
    int result = fill(r, bytes);

    block_memory_store(window, bytes, r->length);
    if (result == 0) {
        result = block_io(
            r->io->node, &(BlockIo){ r->command->op, r->flags, r->at, r->length, window });
    }
    block_memory_load(window, bytes, r->length);
    g_free(pieces.iov);
    return result;
}

/* `--skewed` memory has an odd address, which O_DIRECT cannot use. */
static void run_request(Request *r)
{
    bool moves = !r->command->run &&
        (r->command->op == BLOCK_READ || r->command->op == BLOCK_WRITE);
    uint64_t room = r->length + (uint64_t)r->pieces * SECTOR + 1;
    g_autofree uint8_t *bytes = moves ? g_try_malloc(r->length + 1) : NULL;
    void *memory = NULL;
    int result;

    if (r->io->durable && r->command->op != BLOCK_READ) {
        r->flags |= BLOCK_DURABLE;
    }
    if (r->command->run) {
        result = r->command->run(r);
    } else if (!moves) {
        result = block_io(r->io->node,
            &(BlockIo){
                .op = r->command->op, .flags = r->flags, .at = r->at, .length = r->length });
    } else if (!bytes || posix_memalign(&memory, 4096, room + 1) != 0) {
        result = -ENOMEM;
    } else {
        result = transfer(r, bytes, (uint8_t *)memory + (r->io->skewed ? 1 : 0));
    }
    if (!judge(r, bytes, result)) {
        r->io->exit_code = EXIT_DIFFERENT;
    }
    free(memory);
    g_clear_pointer(&r->from, g_free);
}

/* ---- what is no request ---- */

static int run_length(Request *r)
{
    printf("%" PRIu64 " bytes\n", r->io->node->length);
    return 0;
}

static int run_resize(Request *r)
{
    int result = block_resize(r->io->node, r->at);

    return result < 0 ? result : run_length(r);
}

static int run_map(Request *r)
{
    static const char *const kinds[] = { "data", "zero", "below", "packed" };
    BlockNode *top = r->io->node;
    uint64_t end = r->at + r->length;

    if (r->at > top->length || r->length > top->length - r->at) {
        return -EINVAL;
    }
    for (uint64_t at = r->at; at < end;) {
        BlockNode *node = top;
        Extent extent = { 0 };
        int result = block_locate(&node, at, end - at, &extent);

        if (result < 0) {
            return result;
        }
        printf("%" PRIu64 " %" PRIu64 " %s\n", at, extent.length, kinds[extent.kind]);
        at += extent.length;
    }
    return 0;
}

static int run_sleep(Request *r)
{
    io_loop_sleep(r->io->loop, MIN(r->at, 3600 * 1000) * 1000 * 1000);
    return 0;
}

/* ---- several at once ---- */

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

/* "durable", "pieces=3": what a request is to be like; false: not one of these. */
static bool take_keyword(Request *r, const char *word)
{
    static const struct {
        const char *word;
        BlockOp op;
        unsigned flag;
    } flags[] = {
        { "durable", BLOCK_WRITE, BLOCK_DURABLE },
        { "durable", BLOCK_ZERO, BLOCK_DURABLE },
        { "packed", BLOCK_WRITE, BLOCK_PACK },
        { "unmap", BLOCK_ZERO, BLOCK_MAY_UNMAP },
    };
    BlockOp op = r->command->op;
    bool moves = op == BLOCK_READ || op == BLOCK_WRITE;
    uint64_t number;

    for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++) {
        if (flags[i].op == op && strcmp(flags[i].word, word) == 0) {
            r->flags |= flags[i].flag;
            return true;
        }
    }
    if (op == BLOCK_READ && strcmp(word, "dump") == 0) {
        return r->dump = true;
    }
    if (op == BLOCK_WRITE && g_str_has_prefix(word, "from=")) {
        g_free(r->from);
        r->from = g_strdup(word + strlen("from="));
        return true;
    }
    if (moves && g_str_has_prefix(word, "pieces=") &&
        g_ascii_string_to_unsigned(word + strlen("pieces="), 10, 1, PIECES_MOST, &number, NULL)) {
        r->pieces = number;
        return true;
    }
    return false;
}

static bool usage(const Request *r)
{
    g_autofree char *text = g_strdup_printf(
        "usage: %s %s", r->command->name, r->command->arguments);

    complain(r->io, EXIT_DESCRIPTION, text);
    return false;
}

static bool parse_words(Request *r, char **words, unsigned count)
{
    g_autoptr(GError) error = NULL;
    uint64_t pattern = 0;

    while (count > 0 && take_keyword(r, words[count - 1])) {
        count--;
    }
    if (count < r->command->words || count > r->command->most) {
        return usage(r);
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

static bool take_prefix(Request *r, const char *word)
{
    if (strcmp(word, "start") == 0) {
        return r->started = true;
    }
    return strcmp(word, "fails") == 0 && (r->must_fail = true);
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
    while (words->len > 0 && take_prefix(&r, words->pdata[0])) {
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
        complain(io, EXIT_DESCRIPTION,
            "commands: [start] [fails] read write zero discard flush length resize map sleep; "
            "wait");
    } else if (!parse_words(&r, (char **)words->pdata + 1, words->len - 1)) {
        g_free(r.from);
    } else if (r.started) {
        start(&r);
    } else {
        run_request(&r);
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
    g_autofree char *reports = NULL;

    io.loop = io_loop_new(&error);
    if (!io.loop) {
        complain(&io, EXIT_HOST, error->message);
    } else if (parse(&io, argc, argv)) {
        io_loop_run(io.loop, io_main, &io);
        reports = io_loop_take_reports(io.loop);
    }
    if (reports) {
        complain(&io, EXIT_HOST, reports);
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
            "  read AT LENGTH [PATTERN]    and fail unless each byte is PATTERN; dump: print them\n"
            "  write AT LENGTH [PATTERN]   from=FILE: what it holds; durable; packed: compressed\n"
            "  zero AT LENGTH              unmap: the space may be given back; durable\n"
            "  discard AT LENGTH\n"
            "  flush\n"
            "  length                      of the disk\n"
            "  resize SIZE\n"
            "  map AT LENGTH               where there is data\n"
            "  sleep MILLISECONDS\n"
            "  start COMMAND               do not wait for it\n"
            "  wait                        for all that were started\n"
            "  fails COMMAND               it is wrong if it does not\n\n"
            "pieces=N, of read and write: with memory in so many pieces.\n\n"
            "  -f, --format FORMAT                  format of the image\n"
            "  -t, --cache MODE                     cache mode\n"
            "  -i, --aio threads|native|io_uring    how requests reach the host\n"
            "  --key-file FILE                      file with the key of encrypted images\n"
            "  -c, --command COMMAND                a command; without any they come from standard input\n"
            "  -r, --read-only                      open it for reading\n"
            "  --log FILE                           a new file for what changes the image's file\n"
            "  --skewed                             with memory at odd addresses\n\n"
            "Exit status: 0 fine, 1 a request failed or other bytes were read, 2 the command line is wrong,\n"
            "3 the host cannot do it.\n",
    .run = io_run,
};
/* clang-format on */

/*
 * What each cache mode and engine asks of the kernel, as strace sees it. The program runs itself
 * under strace: with arguments it does a fixed set of requests, without it counts system calls.
 * What goes through a ring that is shared with the kernel strace cannot see: the program writes
 * that down itself, when it tells the kernel.
 */
#include "tests/test.h"

#include "core/have.h"

#include <dlfcn.h>
#ifdef HAVE_LIBURING
#include <liburing.h>
#endif
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/block/disk.h"

enum { DISK = 1 << 20, WRITES = 3, FLUSHES = 2 };

/* What `WRITES` writes and `FLUSHES` flushes must turn into. */
typedef struct Mode {
    const char *cache, *aio;
    bool direct;
    unsigned durable_writes, syncs;
} Mode;

static const Mode modes[] = {
    { "writeback", "threads", false, 0, FLUSHES },
    { "none", "threads", true, 0, FLUSHES },
    { "none", "native", true, 0, FLUSHES },
    { "writethrough", "threads", false, WRITES, FLUSHES },
    { "directsync", "threads", true, WRITES, FLUSHES },
    { "directsync", "native", true, WRITES, FLUSHES },
    { "unsafe", "threads", false, 0, 0 },
#ifdef HAVE_LIBURING
    { "writeback", "io_uring", false, 0, FLUSHES },
    { "none", "io_uring", true, 0, FLUSHES },
    { "writethrough", "io_uring", false, WRITES, FLUSHES },
    { "directsync", "io_uring", true, WRITES, FLUSHES },
    { "unsafe", "io_uring", false, 0, 0 },
#endif
};

/* How an engine's system calls look; strace's words, and those of the list below. */
static const struct {
    const char *write, *word;
} looks[] = {
    [AIO_THREADS] = { "pwritev2(", "" },
    [AIO_NATIVE] = { "io_submit(", "IOCB_CMD_PWRITEV" },
    [AIO_IO_URING] = { "uring write", "" },
};

#ifdef HAVE_LIBURING
static FILE *ring_log; /* NULL: nobody wants to know */

static void log_entry(const struct io_uring_sqe *sqe)
{
    if (sqe->opcode == IORING_OP_WRITEV) {
        fprintf(ring_log, "uring write%s\n", sqe->rw_flags == RWF_DSYNC ? " RWF_DSYNC" : "");
    } else if (sqe->opcode == IORING_OP_FSYNC) {
        fprintf(ring_log, "uring %s\n",
            sqe->fsync_flags == IORING_FSYNC_DATASYNC ? "fdatasync()" : "fsync");
    }
}

/* Stands before the library's function of this name. */
int io_uring_submit(struct io_uring *ring)
{
    static int (*submit)(struct io_uring *ring);

    if (!submit) {
        submit = dlsym(RTLD_NEXT, "io_uring_submit");
    }
    for (unsigned i = ring->sq.sqe_head; ring_log && i != ring->sq.sqe_tail; i++) {
        log_entry(&ring->sq.sqes[i & ring->sq.ring_mask]);
    }
    return submit(ring);
}
#endif

static int do_requests(char **argv)
{
    DriveSpec spec = disk_spec(
        argv[3], argv[1], word_find(drive_aio_words, argv[2]));
    g_autoptr(Diag) diag = diag_new();
    Drive *drive = drive_open(&spec, diag);
    g_autofree uint8_t *bytes = g_malloc0(8192);
    uint8_t *page = (uint8_t *)(((uintptr_t)bytes + 4095) & ~UINT64_C(4095));

#ifdef HAVE_LIBURING
    ring_log = fopen(argv[4], "w");
#endif
    for (unsigned i = 0; i < WRITES; i++) {
        disk_do(drive, BLOCK_WRITE, i * 4096, page, 4096);
    }
    for (unsigned i = 0; i < FLUSHES - 1; i++) {
        disk_do(drive, BLOCK_FLUSH, 0, NULL, 0);
    }
    disk_close(drive); /* flushes once more */
#ifdef HAVE_LIBURING
    fclose(ring_log);
#endif
    return 0;
}

static bool have_strace(void)
{
    g_autofree char *strace = g_find_program_in_path("strace");
    int status;

    return strace &&
        g_spawn_command_line_sync("strace -o /dev/null true", NULL, NULL, &status, NULL) &&
        status == 0;
}

static char *take_file(const char *path)
{
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        text = g_strdup("");
    }
    unlink(path);
    return text;
}

/* The lines of the system calls that a mode makes. */
static char **trace(const Mode *mode, const char *image)
{
    g_autofree char *log = g_strdup_printf("%s.strace", image);
    g_autofree char *ring = g_strdup_printf("%s.ring", image);
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    char *argv[] = { "strace", "-f", "-v", "-s", "0", "-o", log, "-e",
        "trace=openat,pwritev2,pwritev,pwrite64,write,fdatasync,fsync,io_submit", self,
        (char *)mode->cache, (char *)mode->aio, (char *)image, ring, NULL };
    g_autofree char *seen = NULL, *told = NULL, *text = NULL;
    g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "ASAN_OPTIONS", "detect_leaks=0", true);
    int status = -1;

    assert_true(
        g_spawn_sync(NULL, argv, env, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
    assert_int_equal(status, 0);
    seen = take_file(log);
    told = take_file(ring);
    text = g_strconcat(seen, told, NULL);
    return g_strsplit(text, "\n", -1);
}

/* Lines with both words. */
static unsigned lines_with(char **lines, const char *one, const char *other)
{
    unsigned count = 0;

    for (unsigned i = 0; lines[i]; i++) {
        count += strstr(lines[i], one) && strstr(lines[i], other);
    }
    return count;
}

/*
 * Of the writes, those with the word. Small ones that only the page cache has to take are done at once, whatever the
 * engine, but for a while after one was slow; and what the page cache would not take at once is asked for again.
 */
static unsigned writes_with(char **lines, const Mode *mode, const char *word)
{
    const char *at_once = looks[AIO_THREADS].write, *engine = looks[word_find(drive_aio_words, mode->aio)].write;
    unsigned count = lines_with(lines, engine, word);

    if (mode->direct || mode->durable_writes > 0) {
        return count;
    }
    count += engine == at_once ? 0 : lines_with(lines, at_once, word);
    return count - (*word ? 0 : lines_with(lines, at_once, "EAGAIN"));
}

static void check_mode(const Mode *mode)
{
    const char *word = looks[word_find(drive_aio_words, mode->aio)].word;
    char *image = disk_image("modes", DISK);
    g_auto(GStrv) lines = trace(mode, image);

    print_message("%s, %s\n", mode->cache, mode->aio);
    assert_int_equal(lines_with(lines, image, "O_RDWR"), 1);
    assert_int_equal(lines_with(lines, image, "O_DIRECT"), mode->direct);
    assert_int_equal(writes_with(lines, mode, "RWF_DSYNC"), mode->durable_writes);
    assert_int_equal(writes_with(lines, mode, word), WRITES);
    assert_int_equal(
        lines_with(lines, "fdatasync(", "") + lines_with(lines, "FDSYNC", ""), mode->syncs);
    disk_remove(image);
}

static void each_mode_asks_for_exactly_what_it_promises(void **state)
{
    if (!have_strace()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        check_mode(&modes[i]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_asks_for_exactly_what_it_promises),
    };

    return argc > 1 ? do_requests(argv) : cmocka_run_group_tests(tests, NULL, NULL);
}

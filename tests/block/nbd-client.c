/* The protocol `nbd` of a drive: a server that goes, that comes back, and that says nothing. */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block/cache.h"
#include "block/io-loop.h"
#include "core/block-spec.h"
#include "core/have.h"
#include "core/loop.h"
#include "tests/block/disk.h"

#ifdef HAVE_LIBNBD

enum { DISK = 1 << 20, PAGE = 4096, PATIENCE_MS = 300 };
#define MS INT64_C(1000000)

typedef struct Server {
    char *image, *socket, *url;
    GPid pid;
} Server;

static char *program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self);

    return g_build_filename(folder, "../../lathe", NULL);
}

/* Until it says that it listens; false: there is no such program. */
static bool server_spawn(Server *s, char **argv)
{
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH;
    char line[64];
    int out = -1;
    FILE *said;

    if (!g_spawn_async_with_pipes(
            NULL, argv, NULL, flags, NULL, NULL, &s->pid, NULL, &out, NULL, NULL)) {
        return false;
    }
    said = fdopen(out, "r");
    assert_non_null(fgets(line, sizeof(line), said));
    assert_non_null(strstr(line, "listening"));
    fclose(said);
    return true;
}

static void server_start(Server *s)
{
    g_autofree char *lathe = program();
    char *argv[] = { lathe, "nbd", "-f", "raw", "--socket", s->socket, s->image, NULL };

    assert_true(server_spawn(s, argv));
}

static void server_kill(Server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    unlink(s->socket);
}

static Server server_new(void)
{
    Server s = { .image = disk_image("nbd", DISK) };

    s.socket = g_strdup_printf("/tmp/lathe-test-%d.sock", getpid());
    s.url = g_strdup_printf("nbd+unix:///?socket=%s", s.socket);
    unlink(s.socket);
    return s;
}

static void server_clear(Server *s)
{
    unlink(s->socket);
    g_free(s->socket);
    g_free(s->url);
    disk_remove(s->image);
}

static BlockSpec node_of(const Server *s)
{
    return (BlockSpec){ .name = "nbd",
        .driver.text = "nbd",
        .path.text = s->url,
        .cache = { .word = "writethrough" },
        .reconnect_ns = PATIENCE_MS * MS };
}

static void requests_wait_for_a_server_that_went_for_so_long_and_no_longer(void **state)
{
    Server server = server_new();
    BlockSpec node = node_of(&server);
    DriveSpec spec = disk_spec(NULL, "writethrough", AIO_THREADS);
    uint8_t page[PAGE];
    int64_t start, took;
    Drive *drive;

    server_start(&server);
    spec.graph = &node;
    drive = disk_open(&spec);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), 0);
    server_kill(&server);

    start = io_loop_now();
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), -EIO);
    took = io_loop_now() - start;
    assert_in_range(took / MS, PATIENCE_MS, PATIENCE_MS * 30);

    server_start(&server);
    memset(page, 0x5a, PAGE);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, PAGE, page, PAGE), 0);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), 0);
    assert_int_equal(page[1], disk_pattern(1));
    disk_close(drive);
    server_kill(&server);
    server_clear(&server);
}

/* It is there whenever it is asked, and goes at the same point each time. */
static void check_bad_server(Server *server, const char *phase)
{
    BlockSpec node = node_of(server);
    DriveSpec spec = disk_spec(NULL, "writethrough", AIO_THREADS);
    uint8_t page[PAGE] = { 0 };
    int64_t start = io_loop_now();

    spec.graph = &node;
    if (strcmp(phase, "connect") == 0 || strcmp(phase, "greeting") == 0 ||
        strcmp(phase, "option") == 0 || strcmp(phase, "info") == 0) {
        g_autofree char *said = disk_refusal(&spec);

        assert_non_null(strstr(said, "cannot be reached"));
    } else {
        Drive *drive = disk_open(&spec);

        assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), -EIO);
        disk_close(drive);
    }
    assert_true((io_loop_now() - start) / MS < PATIENCE_MS * 60);
}

static void a_server_that_goes_at_each_request_is_not_asked_without_end(void **state)
{
    static const char *const phases[] = { "connect", "greeting", "option", "info", "request",
        "header", "data", "cookie", "garbage" };
    Server server = server_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(phases); i++) {
        char *argv[] = { (char *)"python3", (char *)"tests/block/nbd-bad.py", server.socket,
            (char *)phases[i], NULL };

        if (!server_spawn(&server, argv)) {
            print_message("skipped: python3 is not installed\n");
            skip();
        }
        check_bad_server(&server, phases[i]);
        server_kill(&server);
    }
    server_clear(&server);
}

/* The server's host loses power: what it had only acknowledged is gone from the image. */
static void what_a_server_has_forgotten_is_told_again_before_a_flush_succeeds(void **state)
{
    Server server = server_new();
    BlockSpec node = node_of(&server);
    DriveSpec spec = disk_spec(NULL, "writeback", AIO_THREADS);
    g_autofree char *before = NULL, *after = NULL;
    uint8_t page[PAGE];
    Drive *drive;

    node.cache = spec.cache;
    node.reconnect_ns = 10000 * MS;
    server_start(&server);
    spec.graph = &node;
    drive = disk_open(&spec);
    assert_true(g_file_get_contents(server.image, &before, NULL, NULL));
    memset(page, 0x11, PAGE);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, 0, page, PAGE), 0);
    assert_int_equal(disk_do(drive, BLOCK_FLUSH, 0, NULL, 0), 0);
    memset(page, 0x22, PAGE);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, PAGE, page, PAGE), 0);
    assert_int_equal(disk_do(drive, BLOCK_ZERO, 2 * PAGE, NULL, PAGE), 0);
    server_kill(&server);
    assert_true(g_file_set_contents(server.image, before, DISK, NULL));
    server_start(&server);

    assert_int_equal(disk_do(drive, BLOCK_FLUSH, 0, NULL, 0), 0);
    disk_close(drive);
    server_kill(&server);
    assert_true(g_file_get_contents(server.image, &after, NULL, NULL));
    assert_int_equal((uint8_t)after[1], disk_pattern(1)); /* a flush had covered that one */
    assert_int_equal(after[PAGE], 0x22);
    assert_int_equal(after[2 * PAGE + 100], 0);
    server_clear(&server);
}

static void another_disk_in_its_place_is_not_written_to(void **state)
{
    Server server = server_new();
    BlockSpec node = node_of(&server);
    DriveSpec spec = disk_spec(NULL, "writethrough", AIO_THREADS);
    uint8_t page[PAGE] = { 0 };
    Drive *drive;

    server_start(&server);
    spec.graph = &node;
    drive = disk_open(&spec);
    server_kill(&server);
    assert_int_equal(truncate(server.image, DISK * 2), 0);
    server_start(&server);

    assert_int_equal(disk_do(drive, BLOCK_WRITE, 0, page, PAGE), -EIO);
    disk_close(drive);
    server_kill(&server);
    server_clear(&server);
}

static void a_server_that_says_nothing_is_not_waited_for_without_end(void **state)
{
    Server server = server_new();
    BlockSpec node = node_of(&server);
    DriveSpec spec = disk_spec(NULL, "writethrough", AIO_THREADS);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_autofree char *said = NULL;

    strcpy(address.sun_path, server.socket);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    spec.graph = &node;
    said = disk_refusal(&spec);
    assert_non_null(strstr(said, "cannot be reached"));
    close(fd);
    server_clear(&server);
}

/* ---- a drive of a machine that runs, for others ---- */

static Drive *open_url(char *url)
{
    BlockSpec node = { .name = "nbd",
        .driver.text = "nbd",
        .path.text = url,
        .cache = { .word = "writeback", .writeback = true },
        .read_only = true,
        .reconnect_ns = PATIENCE_MS * MS };
    DriveSpec spec = disk_spec(NULL, "writeback", AIO_THREADS);

    spec.graph = &node;
    spec.read_only = true;
    return disk_open(&spec);
}

static void export(Drive *drive, const char *path, bool fine)
{
    g_autoptr(GError) error = NULL;

    machine_lock();
    assert_int_equal(drive_export(drive, path, &error), fine);
    machine_unlock();
    assert_true(fine == (error == NULL));
}

static bool unexport(Drive *drive)
{
    bool was;

    machine_lock();
    was = drive_unexport(drive);
    machine_unlock();
    return was;
}

static bool set_cache(Drive *drive, const char *word)
{
    DriveCache cache;
    bool done;

    assert_true(cache_from_word(word, &cache));
    machine_lock();
    done = drive_set_cache(drive, &cache, NULL);
    machine_unlock();
    return done;
}

static void others_see_what_a_drive_holds_whether_flushed_or_not(void **state)
{
    Server place = server_new(); /* its names, no server */
    DriveSpec spec = disk_spec(place.image, "writeback", AIO_THREADS);
    Drive *drive = disk_open(&spec), *other;
    uint8_t page[PAGE];

    export(drive, place.socket, true);
    export(drive, "/tmp/twice", false);
    other = open_url(place.url);
    assert_int_equal(drive_length(other), DISK);
    memset(page, 0x77, PAGE);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, PAGE, page, PAGE), 0);
    memset(page, 0, PAGE);
    assert_int_equal(disk_do(other, BLOCK_READ, PAGE, page, PAGE), 0);
    assert_int_equal(page[5], 0x77);
    assert_true(set_cache(drive, "directsync")); /* while somebody is connected */
    assert_int_equal(disk_do(other, BLOCK_READ, 0, page, PAGE), 0);
    assert_int_equal(page[1], disk_pattern(1));
    assert_int_equal(disk_do(other, BLOCK_READ, 3, page, 5), 0); /* not as O_DIRECT has it */
    assert_int_equal(page[0], disk_pattern(3));
    assert_true(unexport(drive));
    assert_false(unexport(drive));
    assert_int_equal(access(place.socket, F_OK), -1);
    assert_int_equal(disk_do(other, BLOCK_READ, 0, page, PAGE), -EIO);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), 0);
    disk_close(other);
    disk_close(drive);
    server_clear(&place);
}

static void who_reads_a_drive_does_not_keep_it_from_being_closed(void **state)
{
    Server place = server_new();
    DriveSpec spec = disk_spec(place.image, "writeback", AIO_THREADS);
    Drive *drive = disk_open(&spec), *other;
    uint8_t page[PAGE];

    export(drive, place.image, false); /* there is a file */
    export(drive, place.socket, true);
    other = open_url(place.url);
    assert_int_equal(disk_do(other, BLOCK_READ, 0, page, PAGE), 0);
    disk_close(drive);
    assert_int_equal(access(place.socket, F_OK), -1);
    assert_int_equal(access(place.image, F_OK), 0);
    disk_close(other);
    server_clear(&place);
}

/* The node may be written to; its clients may not, whatever they send. */
static void who_reads_a_drive_cannot_write_to_it(void **state)
{
    Server place = server_new();
    DriveSpec spec = disk_spec(place.image, "writeback", AIO_THREADS), writer;
    Drive *drive = disk_open(&spec);
    BlockSpec node = node_of(&place);
    g_autofree char *said = NULL;

    export(drive, place.socket, true);
    writer = disk_spec(NULL, "writethrough", AIO_THREADS);
    writer.graph = &node;
    said = disk_refusal(&writer);
    assert_non_null(strstr(said, "read-only"));
    disk_close(drive);
    server_clear(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_see_what_a_drive_holds_whether_flushed_or_not),
        cmocka_unit_test(who_reads_a_drive_does_not_keep_it_from_being_closed),
        cmocka_unit_test(who_reads_a_drive_cannot_write_to_it),
        cmocka_unit_test(requests_wait_for_a_server_that_went_for_so_long_and_no_longer),
        cmocka_unit_test(a_server_that_goes_at_each_request_is_not_asked_without_end),
        cmocka_unit_test(what_a_server_has_forgotten_is_told_again_before_a_flush_succeeds),
        cmocka_unit_test(another_disk_in_its_place_is_not_written_to),
        cmocka_unit_test(a_server_that_says_nothing_is_not_waited_for_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif

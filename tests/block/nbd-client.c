/* The protocol `nbd` of a drive: a server that goes, that comes back, and that says nothing. */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block/io-loop.h"
#include "core/block-spec.h"
#include "core/have.h"
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

/* Until it says that it listens. */
static void server_start(Server *s)
{
    g_autofree char *lathe = program();
    char *argv[] = { lathe, "nbd", "-f", "raw", "--socket", s->socket, s->image, NULL };
    char line[64];
    int out = -1;
    FILE *said;

    assert_true(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
        &s->pid, NULL, &out, NULL, NULL));
    said = fdopen(out, "r");
    assert_non_null(fgets(line, sizeof(line), said));
    assert_non_null(strstr(line, "listening"));
    fclose(said);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_wait_for_a_server_that_went_for_so_long_and_no_longer),
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

/*
 * A drive of a machine that runs, for other programs: over NBD, to be read only, at a Unix socket
 * that only its user can open. Its clients see what the guest has written, flushed or not, as they
 * read the same nodes on the same loop; a picture of one moment is what they see while the machine
 * is paused.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "block/drive-impl.h"
#include "block/nbd/server.h"

enum { BACKLOG = 16 };

struct DriveExport {
    NbdExport export;
    NbdServer *server;
    int listener;
    char *path;
};

static bool refuse(GError **error, const char *path, int number)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s`: %s", path, g_strerror(number));
    return false;
}

/* Nobody else's file is removed: what a machine that was killed has left there stays, too. */
static int listen_at(const char *path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, result;
    mode_t mask;

    if (strlen(path) >= sizeof(address.sun_path)) {
        refuse(error, path, ENAMETOOLONG);
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(0077);
    result = fd >= 0 ? bind(fd, (struct sockaddr *)&address, sizeof(address)) : -1;
    umask(mask);
    if (result != 0 || listen(fd, BACKLOG) != 0) {
        refuse(error, path, errno);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static void accept_main(void *data)
{
    DriveExport *e = data;

    nbd_server_accept(e->server, e->listener, NULL, NULL);
}

/* As far as its first wait. */
static void start_main(void *data)
{
    coroutine_enter(coroutine_new(accept_main, data));
}

bool drive_export(Drive *drive, const char *path, GError **error)
{
    DriveExport *e;
    int listener;

    if (drive->export) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_IN_USE, "it is exported at `%s` already",
            drive->export->path);
        return false;
    }
    listener = listen_at(path, error);
    if (listener < 0) {
        return false;
    }
    e = g_new0(DriveExport, 1);
    e->listener = listener;
    e->path = g_strdup(path);
    e->export = (NbdExport){
        .name = "", .description = drive->id, .node = drive->top, .read_only = true
    };
    e->server = nbd_server_new(drive->loop, &e->export, 1, NULL);
    drive->export = e;
    io_loop_run(drive->loop, start_main, e);
    return true;
}

static void stop_main(void *data)
{
    DriveExport *e = data;

    nbd_server_stop(e->server);
}

bool drive_unexport(Drive *drive)
{
    DriveExport *e = drive->export;

    if (!e) {
        return false;
    }
    io_loop_hurry(drive->loop, true);
    io_loop_run(drive->loop, stop_main, e);
    io_loop_hurry(drive->loop, false);
    drive->export = NULL;
    nbd_server_free(e->server);
    close(e->listener);
    unlink(e->path);
    g_free(e->path);
    g_free(e);
    return true;
}

const char *drive_exported_at(const Drive *drive)
{
    return drive->export ? drive->export->path : NULL;
}

void drive_export_pause(Drive *drive)
{
    if (drive->export) {
        nbd_server_pause(drive->export->server);
    }
}

void drive_export_resume(Drive *drive)
{
    if (drive->export) {
        nbd_server_resume(drive->export->server);
    }
}

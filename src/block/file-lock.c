#include "block/file-lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/block.h"

/* Does /proc/PID/fdinfo/FD show a lock on it? (proc(5): a line "lock:  1: OFDLCK ADVISORY ...") */
static bool descriptor_holds_lock(const char *pid, const char *fd)
{
    g_autofree char *path = g_strdup_printf("/proc/%s/fdinfo/%s", pid, fd);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, "\nlock:") &&
        strstr(text, "OFDLCK");
}

static bool process_holds_lock(const char *pid, const struct stat *file, int except)
{
    g_autofree char *folder = g_strdup_printf("/proc/%s/fd", pid);
    bool own = atoi(pid) == getpid();
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *fd;

    while (dir && (fd = g_dir_read_name(dir))) {
        g_autofree char *path = g_strdup_printf("%s/%s", folder, fd);
        struct stat seen;

        if (!(own && atoi(fd) == except) && stat(path, &seen) == 0 && seen.st_ino == file->st_ino &&
            seen.st_dev == file->st_dev && descriptor_holds_lock(pid, fd)) {
            return true;
        }
    }
    return false;
}

/* "process 1234 (qemu-system-x86)"; NULL when it cannot be seen from here. */
static char *find_owner(int fd)
{
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
    struct stat file;
    const char *pid;

    if (!proc || fstat(fd, &file) != 0) {
        return NULL;
    }
    while ((pid = g_dir_read_name(proc))) {
        g_autofree char *path = g_strdup_printf("/proc/%s/comm", pid);
        g_autofree char *name = NULL;

        if (!g_ascii_isdigit(pid[0]) || !process_holds_lock(pid, &file, fd)) {
            continue;
        }
        if (atoi(pid) == getpid()) {
            return g_strdup("another drive of this machine");
        }
        g_file_get_contents(path, &name, NULL, NULL);
        return g_strdup_printf("process %s (%s)", pid, name ? g_strchomp(name) : "?");
    }
    return NULL;
}

bool file_lock(int fd, const char *path, bool for_write, GError **error)
{
    struct flock lock = { .l_type = for_write ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };
    g_autofree char *owner = NULL;

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
        return true;
    }
    if (errno != EAGAIN && errno != EACCES) {
        return true; /* a file system without locks: nothing to be had */
    }
    owner = find_owner(fd);
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_IN_USE, "`%s` is in use by %s", path,
        owner ? owner : "another process");
    return false;
}

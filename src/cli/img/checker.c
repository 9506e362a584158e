#include "cli/img/checker.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool checker_accept(Checker *checker, const char *text)
{
    g_auto(GStrv) codes = g_strsplit(text, ",", -1);

    for (unsigned i = 0; codes[i]; i++) {
        uint64_t code;

        if (!g_ascii_string_to_unsigned(codes[i], 10, 0, 255, &code, NULL)) {
            return false;
        }
        checker->fine[code / 64] |= UINT64_C(1) << code % 64;
    }
    return codes[0] != NULL;
}

/* The command's words, with the image where it belongs. */
static char **words_of(const Checker *checker, const char *image)
{
    GPtrArray *words = g_ptr_array_new();
    bool placed = false;

    for (unsigned i = 0; checker->command[i]; i++) {
        GString *word = g_string_new(checker->command[i]);

        placed |= g_string_replace(word, "{}", image, 0) > 0;
        g_ptr_array_add(words, g_string_free(word, false));
    }
    if (!placed) {
        g_ptr_array_add(words, g_strdup(image));
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, false);
}

/* In a group of its own, so that a timeout ends all of it. */
static int start(char **words, const char *said, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int result;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    result = posix_spawnp(pid, words[0], &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -result;
}

/* False when time was up, and it has been killed. */
static bool await(pid_t pid, int timeout_ms, int *status)
{
    struct pollfd exit = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
    bool in_time = exit.fd < 0 || poll(&exit, 1, timeout_ms) > 0;

    if (!in_time) {
        kill(-pid, SIGKILL);
    }
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {}
    if (exit.fd >= 0) {
        close(exit.fd);
    }
    return in_time;
}

int checker_run(const Checker *checker, const char *image, const char *said)
{
    g_auto(GStrv) words = words_of(checker, image);
    int status = 0, code;
    pid_t pid;
    int result = start(words, said, &pid);

    if (result < 0) {
        return result;
    }
    if (!await(pid, checker->timeout_ms, &status)) {
        return -ETIMEDOUT;
    }
    if (WIFSIGNALED(status)) {
        return 128 + WTERMSIG(status);
    }
    code = WEXITSTATUS(status);
    return checker->fine[code / 64] >> code % 64 & 1 ? 0 : code == 0 ? 256 : code;
}

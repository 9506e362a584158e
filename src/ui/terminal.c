#include "ui/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static volatile sig_atomic_t is_raw;

void terminal_restore(void)
{
    int saved_errno = errno;

    if (is_raw) {
        is_raw = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    }
    errno = saved_errno;
}

/* Restores, then lets the signal do what it would have done. */
static void restore_and_die(int number)
{
    terminal_restore();
    signal(number, SIG_DFL);
    raise(number);
}

static void set_raw(void)
{
    struct termios raw = before;

    cfmakeraw(&raw);
    raw.c_oflag |= OPOST; /* our own messages end their lines with \n only */
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* Stopped from outside and continued: the shell has set the terminal its own way meanwhile. */
static void raw_again(int number)
{
    if (is_raw) {
        set_raw();
    }
}

bool terminal_make_raw(void)
{
    static const int deadly[] = { SIGHUP, SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV };
    struct sigaction again = { .sa_handler = raw_again, .sa_flags = SA_RESTART };

    if (is_raw || !isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0) {
        return is_raw;
    }
    for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        struct sigaction old;

        /* A handler that somebody else needs (the translator's faults) stays. */
        if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            signal(deadly[i], restore_and_die);
        }
    }
    sigaction(SIGCONT, &again, NULL);
    atexit(terminal_restore);
    is_raw = 1;
    set_raw();
    return true;
}

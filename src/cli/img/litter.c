#include "cli/img/litter.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 8192, TRIES = 1000 }; /* files: a vmdk image may have 4096 parts */

static const char *volatile files[MOST];

/* False when a folder has got something new meanwhile: other threads still run, and make files. */
static bool clean_once(void)
{
    bool whole = true;

    for (unsigned i = MOST; i-- > 0;) {
        const char *path = files[i];

        if (path && unlink(path) != 0 && rmdir(path) != 0 && errno == ENOTEMPTY) {
            whole = false;
        }
    }
    return whole;
}

/*
 * Only calls that signal-safety(7) lists. A folder comes before what is in it, so the last one is
 * the first to go, and once it is gone nothing can be made in it. The signal then does what it would
 * have done.
 */
static void clean(int number)
{
    for (unsigned i = 0; i < TRIES && !clean_once(); i++) {}
    raise(number);
}

/* A signal that is ignored stays so: nohup(1). */
static void catch_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ };
    struct sigaction action = { .sa_handler = clean, .sa_flags = SA_RESETHAND | SA_NODEFER };

    sigfillset(&action.sa_mask);
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct sigaction old;

        sigdelset(&action.sa_mask, numbers[i]);
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            sigaction(numbers[i], &action, NULL);
        }
        sigaddset(&action.sa_mask, numbers[i]);
    }
}

void litter_add(const char *path)
{
    static bool caught;

    if (!caught) {
        caught = true;
        catch_signals();
    }
    for (unsigned i = 0; i < MOST; i++) {
        if (!files[i]) {
            files[i] = path;
            return;
        }
    }
}

void litter_keep(const char *path)
{
    for (unsigned i = 0; i < MOST; i++) {
        if (files[i] == path) {
            files[i] = NULL;
        }
    }
}

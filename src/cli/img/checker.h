/* A program that says whether an image is whole: the command of `lathe img crash-test`. */
#ifndef CLI_IMG_CHECKER_H
#define CLI_IMG_CHECKER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Checker {
    char *const *command; /* ends with NULL; {} stands for the image, which else comes last */
    int timeout_ms;
    uint64_t fine[4]; /* bits of the exit codes that are no failure */
} Checker;

/* "0,3": the exit codes that are fine. */
bool checker_accept(Checker *checker, const char *text);

/*
 * Runs it on an image, with what it prints in the file `said`. 0 when it is content, otherwise its
 * exit code, 128 and the signal that ended it, or -errno; -ETIMEDOUT when it had to be killed. Any
 * thread.
 */
int checker_run(const Checker *checker, const char *image, const char *said);

#endif

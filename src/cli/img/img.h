/* `lathe img`: its commands, one file each, and what they share. */
#ifndef CLI_IMG_IMG_H
#define CLI_IMG_IMG_H

#include <glib.h>
#include <stdbool.h>

#include "block/block.h"
#include "cli/cli.h"

/* A command's arguments and what it runs on; commands run in a coroutine of `loop`. */
typedef struct Img {
    IoLoop *loop;
    int argc; /* what is left after the options; argv[0] is the command */
    char **argv;
    int exit_code;

    /* Options; NULL or false when not given. A command takes only those it lists. */
    char *format, *output_format, *backing, *backing_format, *cache;
    char **options;
    gboolean json, repair, quiet, progress, shrink, chain, compress;
    char *aio, *size;
    int count, depth;
    gboolean write;
} Img;

typedef struct ImgCommand {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;
    const char *takes;     /* letters of its options, as in the table of img.c */
    int least, most;       /* operands */
    void (*run)(Img *img); /* [co] */
} ImgCommand;

/* Defined in src/cli/img/<name>.c, listed in img.c. */
extern const ImgCommand img_bench, img_check, img_compare, img_convert, img_create, img_info,
    img_map, img_resize;

/* Reports on stderr and sets the exit code; always gives NULL. Takes the error. */
void *img_fail(Img *img, int exit_code, GError *error);
void *img_fail_with(Img *img, int exit_code, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* [co] NULL after saying why. */
BlockNode *img_open(Img *img, const char *path, const char *format, bool writable);

#endif

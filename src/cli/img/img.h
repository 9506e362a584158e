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
    bool needs_no_key;

    /* Options; NULL or false when not given. A command takes only those it lists. */
    char *format, *output_format, *backing, *backing_format, *cache;
    char **options;
    gboolean json, repair, only_leaks, quiet, progress, shrink, chain, compress;
    char *aio, *size, *key_file, *new_key_file;
    int count, depth;
    gboolean write;
    /* Of one command each. */
    char *create, *apply, *remove, *snapshot;
    gboolean list, keep, unsafe;
    char *base, *keep_folder, *point, *accept;
    int seed, jobs, timeout;
    gboolean bitmap_add, bitmap_remove, bitmap_clear, bitmap_enable, bitmap_disable;
    char **bitmap_merge, *granularity;
    gboolean share, no_create, is_zero, out_of_order, bitmaps, salvage, strict;
    bool has_source_cache; /* the command takes one */
    char *source_cache, *sparse, *rate, *start, *most, *preallocation, *step;
    int parallel, flush_interval, pattern;
} Img;

typedef struct ImgCommand {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;
    const char *takes;     /* keys of its options, as in the table of img.c; `*` all take */
    int least, most;       /* operands */
    bool last_is_signed;   /* "-1GiB" is no option */
    bool needs_no_key;     /* of an encrypted image, of whose data it reads nothing */
    void (*run)(Img *img); /* [co] */
} ImgCommand;

/* Defined in src/cli/img/<name>.c, listed in img.c. */
extern const ImgCommand img_amend, img_bench, img_bitmap, img_check, img_commit, img_compare,
    img_convert, img_crash_test, img_create, img_dd, img_info, img_map, img_measure, img_rebase,
    img_resize, img_snapshot;

/* options.c: those of a command; the caller's. And what they set is freed. */
GOptionEntry *img_entries(Img *img, const char *takes);
void img_print_help(const ImgCommand *command);
void img_options_clear(Img *img);

/* Reports on stderr and sets the exit code; always gives NULL. Takes the error. */
void *img_fail(Img *img, int exit_code, GError *error);
void *img_fail_with(Img *img, int exit_code, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* [co] NULL after saying why. */
BlockNode *img_open(Img *img, const char *path, const char *format, bool writable);
/* [co] For writing, one that has just been made. */
BlockNode *img_open_new(Img *img, const char *path, const char *format);
/* The key of new images, which is that of the others when nothing else was said. */
BlockKey img_new_key(const Img *img);
/* [co] The same, with an image so many layers below opened for writing, too. */
BlockNode *img_open_layers(
    Img *img, const char *path, const char *format, bool writable, unsigned layer);
/* [co] For writing, and without what it is based on, which may be gone. */
BlockNode *img_open_alone(Img *img, const char *path, const char *format);

/* How far a long command is, on a terminal or when -p asks for it. */
typedef struct ImgProgress {
    uint64_t total;
    bool show, any;
    unsigned percent;
} ImgProgress;

/* How fast a long command may be (-r). */
typedef struct ImgPace {
    uint64_t rate; /* bytes in a second; 0: as it can */
    int64_t next;  /* when the next byte may go */
} ImgPace;

bool img_pace_parse(Img *img, ImgPace *pace); /* false after saying why */
/* [co] Waits until so many bytes may go. */
void img_pace_wait(ImgPace *pace, IoLoop *loop, uint64_t bytes);

void img_progress(ImgProgress *progress, uint64_t done);
void img_progress_end(ImgProgress *progress);

#endif

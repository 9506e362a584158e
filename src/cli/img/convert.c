/* `lathe img convert` and `lathe img dd`: a disk, or a part of it, in a new image. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/img/copy.h"
#include "cli/img/new.h"

static bool copy(Img *img, ImgNew *new, ImgCopy *what)
{
    int result;

    new->create.size = what->length;
    if (!img_new_begin(img, new)) {
        return false;
    }
    what->to = img_open_new(img, new->partial, new->format);
    if (!what->to) {
        return false;
    }
    what->progress = img->progress;
    what->pack = img->compress || what->to->packs_only;
    result = !what->pack || what->to->driver->pack ? img_copy(what) : -ENOTSUP;
    block_unref(what->to);
    if (result == -ENOTSUP) {
        return img_fail_with(img, EXIT_HOST, "no compressed data in a new image of format %s%s",
            new->format, img->options ? " with these options" : "");
    }
    if (result < 0) {
        return img_fail_with(img, EXIT_HOST, "%s", g_strerror(-result));
    }
    return img_new_finish(img, new);
}

static void convert(Img *img)
{
    g_auto(ImgNew) new = { .path = img->argv[2],
        .format = img->output_format ? img->output_format : "raw" };
    BlockNode *from = img_open(img, img->argv[1], img->format, false);

    if (from) {
        copy(img, &new, &(ImgCopy){ .from = from, .length = from->length });
    }
    block_unref(from);
}

const ImgCommand img_convert = {
    .name = "convert",
    .arguments = "FILE NEW-FILE",
    .summary = "the same disk in another format (-O), compressed with -c",
    .takes = "cfOotpqXY",
    .least = 2,
    .most = 2,
    .run = convert,
};

/* ---- dd ---- */

typedef struct Dd {
    const char *in, *out;
    uint64_t block, count, skip;
    bool has_count;
} Dd;

static bool parse_operand(Img *img, const char *operand, Dd *dd)
{
    const struct {
        const char *name;
        const char **text;
        uint64_t *number;
    } names[] = {
        { "if=", .text = &dd->in },
        { "of=", .text = &dd->out },
        { "bs=", .number = &dd->block },
        { "count=", .number = &dd->count },
        { "skip=", .number = &dd->skip },
    };
    GError *error = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!g_str_has_prefix(operand, names[i].name)) {
            continue;
        }
        operand += strlen(names[i].name);
        if (names[i].text) {
            *names[i].text = operand;
            return true;
        }
        dd->has_count |= names[i].number == &dd->count;
        return block_parse_size(operand, names[i].number, &error) ||
            img_fail(img, EXIT_DESCRIPTION, error);
    }
    return img_fail_with(img, EXIT_DESCRIPTION, "there is no operand `%s`", operand);
}

/* The part of the disk that is meant: nothing when it lies behind its end. */
static ImgCopy part_of(BlockNode *from, const Dd *dd)
{
    uint64_t blocks = from->length / dd->block + 1;
    uint64_t skip = dd->skip >= blocks ? from->length : MIN(dd->skip * dd->block, from->length);
    uint64_t left = from->length - skip;

    return (ImgCopy){ .from = from,
        .skip = skip,
        .length = dd->has_count && dd->count < blocks ? MIN(dd->count * dd->block, left) : left };
}

static void dd(Img *img)
{
    Dd dd = { .block = 512 };
    g_auto(ImgNew) new = { .format = img->output_format ? img->output_format : "raw" };
    BlockNode *from;

    for (int i = 1; i < img->argc; i++) {
        if (!parse_operand(img, img->argv[i], &dd)) {
            return;
        }
    }
    if (!dd.in || !dd.out || dd.block == 0 || dd.block > INT32_MAX) {
        img_fail_with(img, EXIT_DESCRIPTION, "say if=FILE and of=NEW-FILE, and a bs from 1 to 2G");
        return;
    }
    from = img_open(img, dd.in, img->format, false);
    if (from) {
        ImgCopy part = part_of(from, &dd);

        new.path = dd.out;
        copy(img, &new, &part);
    }
    block_unref(from);
}

const ImgCommand img_dd = {
    .name = "dd",
    .arguments = "if=FILE of=NEW-FILE [bs=SIZE] [count=N] [skip=N]",
    .summary = "a part of a disk in a new image",
    .takes = "fOopY",
    .least = 2,
    .most = 5,
    .run = dd,
};

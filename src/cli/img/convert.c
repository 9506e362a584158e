/* `lathe img convert` and `lathe img dd`: a disk, or a part of it, in a new image. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/img/copy.h"
#include "cli/img/new.h"

enum { WORKERS_MOST = 64, GRAIN_MOST = 2 << 20, SOURCES_MOST = 256 };

/* Files that make one disk. */
typedef struct Sources {
    BlockNode *nodes[SOURCES_MOST];
    unsigned count;
} Sources;

static bool fail(Img *img, const ImgNew *new, int result)
{
    if (result == -ENOTSUP) {
        return img_fail_with(img, EXIT_HOST, "no compressed data in a new image of format %s%s",
            new->format, img->options ? " with these options" : "");
    }
    return img_fail_with(img, EXIT_HOST, "%s", g_strerror(-result));
}

/* Bitmaps of the source that are whole are in the new image, too. */
static bool copy_bitmaps(BlockNode *from, BlockNode *to, GError **error)
{
    g_autoptr(GArray) found = g_array_new(false, false, sizeof(BlockBitmap));
    const BlockBitmaps *can = to->driver->bitmaps;

    if (!can || !from->driver->bitmaps) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "images of format %s have no bitmaps",
            can ? from->driver->name : to->driver->name);
        return false;
    }
    if (!from->driver->bitmaps->list(from, found, error)) {
        return false;
    }
    for (unsigned i = 0; i < found->len; i++) {
        const BlockBitmap *b = &g_array_index(found, BlockBitmap, i);

        if (!b->broken &&
            !(can->add(to, b->name, b->granularity, error) &&
                can->merge(to, b->name, from, b->name, error) &&
                can->enable(to, b->name, b->enabled, error))) {
            return false;
        }
    }
    return true;
}

/* -S, -m and the rest of what says how to copy. */
static bool read_copy_options(Img *img, ImgCopy *what)
{
    uint64_t grain = 0;
    GError *error = NULL;

    if (img->sparse && !block_parse_size(img->sparse, &grain, &error)) {
        return img_fail(img, EXIT_DESCRIPTION, error);
    }
    if (grain % 512 != 0 || grain > GRAIN_MOST || img->parallel < 0 ||
        img->parallel > WORKERS_MOST) {
        return img_fail_with(img, EXIT_DESCRIPTION,
            "zeroes are left out in multiples of 512 up to 2MiB, and at most %d pieces are copied "
            "at once",
            WORKERS_MOST);
    }
    what->grain = grain;
    what->all = img->sparse && grain == 0;
    what->workers = img->parallel;
    what->salvage = img->salvage;
    what->overwrite = img->no_create && !img->is_zero;
    what->progress = img->progress;
    return true;
}

/* Is it a plain disk in a file of its own? */
static bool is_plain(const BlockNode *node, uint64_t length)
{
    return strcmp(node->driver->name, "raw") == 0 && node->children[0]->driver->share_blocks &&
        node->length == length && node->children[0]->length == length;
}

/* A plain disk that becomes a plain one need not be copied where the file system shares blocks. */
static bool share_blocks(const Img *img, const ImgCopy *what, const Sources *sources)
{
    BlockNode *from = sources->nodes[0];

    return sources->count == 1 && what->skip == 0 && !img->no_create && !img->sparse &&
        !img->options && !img->rate && is_plain(from, what->length) &&
        is_plain(what->to, what->length) &&
        what->to->children[0]->driver->share_blocks(what->to->children[0], from->children[0]) == 0;
}

/* One source behind the other. */
static int copy_sources(Img *img, ImgCopy *what, const Sources *sources)
{
    int result = 0;

    if (share_blocks(img, what, sources)) {
        return block_flush(what->to);
    }

    for (unsigned i = 0; i < sources->count && result == 0; i++) {
        what->from = sources->nodes[i];
        what->length = sources->count > 1 ? what->from->length : what->length;
        result = img_copy(what);
        what->to_at += what->length;
    }
    what->from = sources->nodes[0];
    return result;
}

/* What is compressed is whole clusters: each source but the last one has to end with one. */
static bool can_pack(Img *img, const ImgCopy *what, const Sources *sources)
{
    for (unsigned i = 0; i + 1 < sources->count && what->pack; i++) {
        if (sources->nodes[i]->length % what->to->cluster != 0) {
            return img_fail_with(img, EXIT_HOST,
                "`%s` has %" PRIu64
                " bytes: what is compressed goes by %u, and another file follows",
                sources->nodes[i]->name, sources->nodes[i]->length, what->to->cluster);
        }
    }
    return true;
}

static bool copy_into(Img *img, const ImgNew *new, ImgCopy *what, const Sources *sources)
{
    GError *error = NULL;
    int result;

    if (what->to->length < what->total) {
        return img_fail_with(img, EXIT_HOST, "`%s` has only %" PRIu64 " bytes, not %" PRIu64,
            new->path, what->to->length, what->total);
    }
    what->pack = img->compress || what->to->packs_only;
    what->all |= what->to->noisy;
    if (!can_pack(img, what, sources)) {
        return false;
    }
    result = !what->pack || what->to->driver->pack ? copy_sources(img, what, sources) : -ENOTSUP;
    if (result < 0) {
        return fail(img, new, result);
    }
    if (what->lost > 0) {
        fprintf(stderr, "lathe img convert: %" PRIu64 " bytes could not be read\n", what->lost);
    }
    if (img->bitmaps && !copy_bitmaps(what->from, what->to, &error)) {
        return img_fail(img, EXIT_HOST, error);
    }
    result = img->bitmaps ? block_flush(what->to) : 0;
    return result == 0 || fail(img, new, result);
}

/* The image is there already (-n), or is made. */
static bool copy(Img *img, ImgNew *new, ImgCopy *what, const Sources *sources)
{
    ImgPace pace = { 0 };
    bool fine;

    what->total = what->total ? what->total : what->length;
    what->pace = &pace;
    new->create.size = what->total;
    img->no_create |= strcmp(new->format, "raw") == 0 && img_new_is_device(new->path);
    if (!read_copy_options(img, what) || !img_pace_parse(img, &pace) ||
        (!img->no_create && !img_new_begin(img, new))) {
        return false;
    }
    what->to = img_open_new(img, img->no_create ? new->path : new->partial, new->format);
    if (!what->to) {
        return false;
    }
    what->below = what->to->backing;
    fine = copy_into(img, new, what, sources);
    block_unref(what->to);
    return fine && (img->no_create || img_new_finish(img, new));
}

static bool open_sources(Img *img, Sources *sources, uint64_t *total)
{
    unsigned count = img->argc - 2;

    if (count > 1 && (img->backing || img->snapshot || img->bitmaps)) {
        return img_fail_with(img, EXIT_DESCRIPTION,
            "several files make one disk, which has no -B, -l or --bitmaps: say one FILE");
    }
    for (unsigned i = 0; i < count; i++) {
        BlockNode *node = img_open(img, img->argv[i + 1], img->format, false);

        if (!node) {
            return false;
        }
        sources->nodes[sources->count++] = node;
        *total += node->length;
    }
    return true;
}

static void convert(Img *img)
{
    Sources sources = { .count = 0 };
    uint64_t total = 0;
    g_auto(ImgNew) new = { .path = img->argv[img->argc - 1],
        .format = img->output_format ? img->output_format : "raw",
        .create = { .backing = img->backing, .backing_format = img->backing_format } };

    if (img->backing && !img->backing_format) {
        img_fail_with(img, EXIT_DESCRIPTION, "say the format of `%s` with -F", img->backing);
        return;
    }
    if (open_sources(img, &sources, &total)) {
        copy(img, &new, &(ImgCopy){ .length = total, .total = total }, &sources);
    }
    for (unsigned i = 0; i < sources.count; i++) {
        block_unref(sources.nodes[i]);
    }
}

const ImgCommand img_convert = {
    .name = "convert",
    .arguments = "FILE... NEW-FILE",
    .summary = "the same disk in another format (-O), compressed with -c",
    .takes = "cfOotpqXFUTklmWHyvzYB",
    .least = 2,
    .most = SOURCES_MOST + 1,
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
        copy(img, &new, &part, &(Sources){ { from }, 1 });
    }
    block_unref(from);
}

const ImgCommand img_dd = {
    .name = "dd",
    .arguments = "if=FILE of=NEW-FILE [bs=SIZE] [count=N] [skip=N]",
    .summary = "a part of a disk in a new image",
    .takes = "fOopUtTY",
    .least = 2,
    .most = 5,
    .run = dd,
};

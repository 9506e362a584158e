/* `lathe img compare`: do two images hold the same disk? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/img/img.h"

enum { CHUNK = 1 << 20 };

/* Bytes from `at` on where both are known to be zeroes; 0: they have to be read. */
static uint64_t both_zero(BlockNode *a, BlockNode *b, uint64_t at, uint64_t length)
{
    BlockNode *nodes[2] = { a, b };

    for (unsigned i = 0; i < 2; i++) {
        Extent extent = { 0 };

        if (block_locate(&nodes[i], at, length, &extent) < 0 || extent.kind != EXTENT_ZERO) {
            return 0;
        }
        length = extent.length;
    }
    return length;
}

static uint64_t first_difference(const uint8_t *a, const uint8_t *b, uint64_t length)
{
    uint64_t i = 0;

    while (i < length && a[i] == b[i]) {
        i++;
    }
    return i;
}

static bool compare_data(Img *img, BlockNode *a, BlockNode *b, uint64_t at, uint64_t length)
{
    g_autofree uint8_t *left = g_malloc(length);
    g_autofree uint8_t *right = g_malloc(length);
    int result = block_read(a, at, left, length);

    if (result == 0) {
        result = block_read(b, at, right, length);
    }
    if (result < 0) {
        return img_fail_with(img, EXIT_HOST, "at %" PRIu64 ": %s", at, g_strerror(-result));
    }
    if (memcmp(left, right, length) == 0) {
        return true;
    }
    printf("they differ at byte %" PRIu64 "\n", at + first_difference(left, right, length));
    img->exit_code = EXIT_DIFFERENT;
    return false;
}

/* What one disk has beyond the end of the other must be zeroes. */
static bool compare_tail(Img *img, BlockNode *longer, uint64_t at)
{
    g_autofree uint8_t *zeroes = g_malloc0(CHUNK);

    while (at < longer->length) {
        uint64_t length = MIN(CHUNK, longer->length - at);
        uint64_t skip = both_zero(longer, longer, at, longer->length - at);
        g_autofree uint8_t *data = skip ? NULL : g_malloc(length);

        if (skip == 0 &&
            (block_read(longer, at, data, length) < 0 || memcmp(data, zeroes, length) != 0)) {
            printf("one is longer, and not zero at %" PRIu64 "\n", at);
            img->exit_code = EXIT_DIFFERENT;
            return false;
        }
        at += skip ? skip : length;
    }
    return true;
}

static void compare(Img *img, BlockNode *a, BlockNode *b)
{
    uint64_t common = MIN(a->length, b->length);
    ImgProgress progress = { .show = img->progress, .total = common };

    if (img->strict && a->length != b->length) {
        puts("they are not equally long");
        img->exit_code = EXIT_DIFFERENT;
        return;
    }
    for (uint64_t at = 0, done; at < common; at += done) {
        img_progress(&progress, at);
        done = both_zero(a, b, at, common - at);
        if (done == 0) {
            done = MIN(CHUNK, common - at);
            if (!compare_data(img, a, b, at, done)) {
                return;
            }
        }
    }
    img_progress_end(&progress);
    if (compare_tail(img, a->length > b->length ? a : b, common) && !img->quiet) {
        puts("they hold the same");
    }
}

static void run(Img *img)
{
    BlockNode *a = img_open(img, img->argv[1], img->format, false);
    BlockNode *b = a ? img_open(img, img->argv[2], img->backing_format, false) : NULL;

    if (b) {
        compare(img, a, b);
    }
    block_unref(a);
    block_unref(b);
}

const ImgCommand img_compare = {
    .name = "compare",
    .arguments = "FILE FILE",
    .summary = "do two images hold the same disk? (-F is the format of the second)",
    .takes = "fFqpeUT",
    .least = 2,
    .most = 2,
    .run = run,
};

/* `lathe img measure`: the space that an image will take. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/img/img.h"
#include "cli/img/json.h"

static void print(const Img *img, const BlockMeasure *m)
{
    g_autoptr(GString) out = g_string_new("{");

    if (!img->json) {
        printf("required size: %" PRIu64 "\nfully allocated size: %" PRIu64 "\n", m->required,
            m->full);
        return;
    }
    json_add_number(out, "required", m->required);
    json_add_number(out, "fully-allocated", m->full);
    puts(g_string_append_c(out, '}')->str);
}

static bool measure(Img *img, BlockNode *from, BlockCreate *create)
{
    const char *format = img->output_format ? img->output_format : "raw";
    const BlockDriver *driver = block_driver_find(format);
    BlockMeasure found = { 0 };
    GError *error = NULL;

    for (unsigned i = 0; img->options && img->options[i]; i++) {
        if (!block_parse_options(img->options[i], create->options, &error)) {
            return img_fail(img, EXIT_DESCRIPTION, error);
        }
    }
    if (!driver || !driver->measure) {
        return img_fail_with(
            img, EXIT_HOST, "the size of images of format %s is not known before", format);
    }
    if (!driver->measure(from, create, &found, &error)) {
        return img_fail(img, EXIT_HOST, error);
    }
    print(img, &found);
    return true;
}

static void run(Img *img)
{
    g_autoptr(GHashTable) options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    BlockCreate create = { .options = options };
    GError *error = NULL;
    BlockNode *from = NULL;

    if ((img->argc > 1) == (img->size != NULL)) {
        img_fail_with(img, EXIT_DESCRIPTION, "say a file, or with -s the size of a disk");
        return;
    }
    if (img->size && !block_parse_size(img->size, &create.size, &error)) {
        img_fail(img, EXIT_DESCRIPTION, error);
        return;
    }
    if (img->argc > 1) {
        from = img_open(img, img->argv[1], img->format, false);
        create.size = from ? from->length : 0;
    }
    if (from || img->size) {
        measure(img, from, &create);
    }
    block_unref(from);
}

const ImgCommand img_measure = {
    .name = "measure",
    .arguments = "[FILE]",
    .summary = "the space that an image (-O) of a disk, or of -s bytes, will take",
    .takes = "fOo!JXU",
    .least = 0,
    .most = 1,
    .needs_no_key = true,
    .run = run,
};

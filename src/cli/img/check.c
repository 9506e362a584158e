/* `lathe img check`: is an image whole? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/img/img.h"
#include "cli/img/json.h"

/* Exit codes that scripts know from other tools. */
enum { CHECK_CORRUPT = 2, CHECK_LEAKS = 3, CHECK_UNKNOWN = 63 };

static void print_json(const char *path, const BlockNode *node, const BlockCheck *c)
{
    g_autoptr(GString) out = g_string_new("{");

    json_add_text(out, "filename", path);
    json_add_text(out, "format", node->driver->name);
    json_add_number(out, "check-errors", c->errors);
    json_add_number(out, "corruptions", c->corruptions);
    json_add_number(out, "corruptions-fixed", c->corruptions_fixed);
    json_add_number(out, "leaks", c->leaks);
    json_add_number(out, "leaks-fixed", c->leaks_fixed);
    json_add_number(out, "total-clusters", c->clusters);
    json_add_number(out, "allocated-clusters", c->allocated);
    json_add_number(out, "compressed-clusters", c->packed);
    json_add_number(out, "image-end-offset", c->end);
    puts(g_string_append_c(out, '}')->str);
}

static void print_text(const char *path, const BlockCheck *c)
{
    if (c->errors + c->corruptions + c->leaks == 0) {
        printf("%s: no errors\n", path);
    } else {
        printf("%s: %" PRIu64 " corruptions (%" PRIu64 " mended), %" PRIu64
               " leaked clusters (%" PRIu64 " mended), %" PRIu64 " tables that could not be read\n",
            path, c->corruptions, c->corruptions_fixed, c->leaks, c->leaks_fixed, c->errors);
    }
    printf("%" PRIu64 " of %" PRIu64 " clusters allocated, %" PRIu64 " of them compressed; %" PRIu64
           " bytes used\n",
        c->allocated, c->clusters, c->packed, c->end);
}

static int verdict(const BlockCheck *c)
{
    if (c->errors > 0) {
        return EXIT_DIFFERENT;
    }
    if (c->corruptions > c->corruptions_fixed) {
        return CHECK_CORRUPT;
    }
    return c->leaks > c->leaks_fixed ? CHECK_LEAKS : EXIT_FINE;
}

static void check(Img *img, BlockNode *node)
{
    BlockCheck found = { 0 };
    int result;

    if (!node->driver->check) {
        img_fail_with(
            img, CHECK_UNKNOWN, "images of format %s have nothing to check", node->driver->name);
        return;
    }
    result = node->driver->check(node, &found,
        img->only_leaks   ? REPAIR_LEAKS
            : img->repair ? REPAIR_ALL
                          : REPAIR_NOTHING);
    if (result < 0) {
        img_fail_with(img, EXIT_DIFFERENT, "%s", g_strerror(-result));
        return;
    }
    if (img->json) {
        print_json(img->argv[1], node, &found);
    } else if (!img->quiet) {
        print_text(img->argv[1], &found);
    }
    img->exit_code = verdict(&found);
}

/* `-r all` and `-r leaks` */
static bool take_what(Img *img)
{
    bool leaks = strcmp(img->argv[1], "leaks") == 0;

    if (img->argc == 3) {
        if (!img->repair || !(leaks || strcmp(img->argv[1], "all") == 0)) {
            return img_fail_with(img, EXIT_DESCRIPTION,
                "one FILE; `-r leaks` mends leaks, and `-r all` what it can");
        }
        img->only_leaks = leaks;
        img->argv[1] = img->argv[2];
    }
    return true;
}

static void run(Img *img)
{
    BlockNode *node;

    if (!take_what(img)) {
        return;
    }
    node = img_open(img, img->argv[1], img->format, img->repair);

    if (node) {
        check(img, node);
    }
    block_unref(node);
}

const ImgCommand img_check = {
    .name = "check",
    .arguments = "[leaks|all] FILE",
    .summary = "is an image whole? (0 yes, 2 corrupt, 3 leaks, 63 nothing to check)",
    .takes = "fJrqUT",
    .least = 1,
    .most = 2,
    .needs_no_key = true,
    .run = run,
};

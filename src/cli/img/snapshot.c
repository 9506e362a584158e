/* `lathe img snapshot`: states of the disk that an image keeps inside of itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/img/img.h"
#include "cli/img/json.h"

enum { NAME_MOST = 255 };

static void print_text(const BlockSnapshot *s)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(s->date_us / G_USEC_PER_SEC);
    g_autofree char *when = date ? g_date_time_format(date, "%F %T") : g_strdup("?");
    g_autofree char *size = g_format_size_full(s->vm_state_size, G_FORMAT_SIZE_IEC_UNITS);

    printf("%-4s %-20s %10s  %s\n", s->id, s->name, size, when);
}

static void add_json(GString *out, const BlockSnapshot *s)
{
    g_string_append(out, out->len > 1 ? ", {" : "{");
    json_add_text(out, "id", s->id);
    json_add_text(out, "name", s->name);
    json_add_number(out, "vm-state-size", s->vm_state_size);
    json_add_number(out, "disk-size", s->disk_size);
    json_add_number(out, "date-sec", s->date_us / G_USEC_PER_SEC);
    json_add_number(out, "date-nsec", s->date_us % G_USEC_PER_SEC * 1000);
    json_add_number(out, "vm-clock-nsec", s->vm_clock_ns);
    g_string_append_c(out, '}');
}

static int list(Img *img, BlockNode *node)
{
    g_autoptr(GArray) found = g_array_new(false, false, sizeof(BlockSnapshot));
    g_autoptr(GString) out = g_string_new("[");
    int result = node->driver->snapshots->list(node, found);

    for (unsigned i = 0; i < found->len && result == 0; i++) {
        const BlockSnapshot *s = &g_array_index(found, BlockSnapshot, i);

        if (img->json) {
            add_json(out, s);
        } else {
            print_text(s);
        }
    }
    if (img->json && result == 0) {
        puts(g_string_append_c(out, ']')->str);
    }
    return result;
}

static int act(Img *img, BlockNode *node)
{
    const BlockSnapshots *can = node->driver->snapshots;

    return img->create ? can->create(node, img->create)
        : img->apply   ? can->apply(node, img->apply)
        : img->remove  ? can->remove(node, img->remove)
                       : list(img, node);
}

static const char *reason(int result)
{
    switch (-result) {
    case ENOENT: return "there is no such snapshot";
    case EEXIST: return "there is a snapshot of that name, or there are too many";
    case EOVERFLOW: return "the refcounts of this image are too narrow for another snapshot";
    case ENOTSUP: return "an image with an external data file has no snapshots";
    default: return g_strerror(-result);
    }
}

static void snapshot(Img *img, BlockNode *node)
{
    int result;

    if (!node->driver->snapshots) {
        img_fail_with(img, EXIT_HOST, "images of format %s have no snapshots", node->driver->name);
        return;
    }
    result = act(img, node);
    if (result < 0) {
        img_fail_with(img, EXIT_HOST, "`%s`: %s", img->argv[1], reason(result));
    }
}

static void run(Img *img)
{
    unsigned actions = !!img->create + !!img->apply + !!img->remove + img->list;
    BlockNode *node;

    if (actions > 1 || (img->create && strlen(img->create) > NAME_MOST)) {
        img_fail_with(img, EXIT_DESCRIPTION, "one of -l, -c, -a and -d, with a name of at most %d",
            NAME_MOST);
        return;
    }
    node = img_open(img, img->argv[1], img->format, actions > 0 && !img->list);
    if (node) {
        snapshot(img, node);
    }
    block_unref(node);
}

const ImgCommand img_snapshot = {
    .name = "snapshot",
    .arguments = "FILE",
    .summary = "states of the disk kept inside of an image: list, -c create, -a apply, -d delete",
    .takes = "fJLNAD",
    .least = 1,
    .most = 1,
    .needs_no_key = true,
    .run = run,
};

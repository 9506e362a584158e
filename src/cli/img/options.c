/* The options of `lathe img`: all of them, of which each command takes some. */
#include <stdio.h>
#include <string.h>

#include "cli/img/img.h"

#define AT(field) offsetof(Img, field)

/* A key is the option's letter where that means the same everywhere. */
static const struct {
    char key;
    const char *name;
    char letter; /* 0: none */
    GOptionArg arg;
    size_t at; /* in Img */
    const char *text, *value;
} options[] = {
    /* clang-format off */
    { 'f', "format", 'f', G_OPTION_ARG_STRING, AT(format), "format of the image", "FORMAT" },
    { 'O', "output-format", 'O', G_OPTION_ARG_STRING, AT(output_format), "format of the new image", "FORMAT" },
    { 'b', "backing", 'b', G_OPTION_ARG_FILENAME, AT(backing), "image it is based on", "FILE" },
    { 'F', "backing-format", 'F', G_OPTION_ARG_STRING, AT(backing_format), "format of that image", "FORMAT" },
    { 'o', "option", 'o', G_OPTION_ARG_STRING_ARRAY, AT(options), "options of the format", "NAME=VALUE,..." },
    { 'c', "compress", 'c', G_OPTION_ARG_NONE, AT(compress), "compress the new image", NULL },
    { '*', "key-file", 0, G_OPTION_ARG_FILENAME, AT(key_file), "file with the key of encrypted images", "FILE" },
    { 'Y', "new-key-file", 0, G_OPTION_ARG_FILENAME, AT(new_key_file), "another key for the new image", "FILE" },
    { 't', "cache", 't', G_OPTION_ARG_STRING, AT(cache), "cache mode", "MODE" },
    { 'J', "json", 'J', G_OPTION_ARG_NONE, AT(json), "print facts as JSON", NULL },
    { 'r', "repair", 'r', G_OPTION_ARG_NONE, AT(repair), "mend what can be mended", NULL },
    { 'q', "quiet", 'q', G_OPTION_ARG_NONE, AT(quiet), "print nothing but errors", NULL },
    { 'p', "progress", 'p', G_OPTION_ARG_NONE, AT(progress), "show how far it is", NULL },
    { 'S', "shrink", 'S', G_OPTION_ARG_NONE, AT(shrink), "allow a smaller size", NULL },
    { 'C', "backing-chain", 'C', G_OPTION_ARG_NONE, AT(chain), "all layers", NULL },
    { 'i', "aio", 'i', G_OPTION_ARG_STRING, AT(aio), "threads, native or io_uring", "ENGINE" },
    { 'n', "count", 'n', G_OPTION_ARG_INT, AT(count), "how many requests (75000)", "N" },
    { 'd', "depth", 'd', G_OPTION_ARG_INT, AT(depth), "how many at once (64)", "N" },
    { 's', "size", 's', G_OPTION_ARG_STRING, AT(size), "of a request (4KiB)", "SIZE" },
    { '!', "size", 's', G_OPTION_ARG_STRING, AT(size), "of the disk", "SIZE" },
    { '~', "count", 'n', G_OPTION_ARG_INT, AT(count), "how many points of the log (all)", "N" },
    { 'w', "write", 'w', G_OPTION_ARG_NONE, AT(write), "write instead of read", NULL },
    { 'L', "list", 'l', G_OPTION_ARG_NONE, AT(list), "list them", NULL },
    { 'N', "create", 'c', G_OPTION_ARG_STRING, AT(create), "take one", "NAME" },
    { 'A', "apply", 'a', G_OPTION_ARG_STRING, AT(apply), "the disk becomes what it was", "NAME" },
    { 'D', "delete", 'd', G_OPTION_ARG_STRING, AT(remove), "delete one", "NAME" },
    { 'K', "keep", 'd', G_OPTION_ARG_NONE, AT(keep), "do not empty the image", NULL },
    { 'u', "unsafe", 'u', G_OPTION_ARG_NONE, AT(unsafe), "change the name only, compare nothing", NULL },
    { '^', "unsafe", 'u', G_OPTION_ARG_NONE, AT(unsafe), "what it is based on need not be there", NULL },
    { 'X', "snapshot", 'l', G_OPTION_ARG_STRING, AT(snapshot), "the disk as it was then", "NAME" },
    { '0', "base", 'b', G_OPTION_ARG_FILENAME, AT(base), "what the disk held when the log began", "FILE" },
    { '1', "seed", 'S', G_OPTION_ARG_INT, AT(seed), "of all choices (0)", "N" },
    { '2', "jobs", 'j', G_OPTION_ARG_INT, AT(jobs), "checkers at once", "N" },
    { '3', "timeout", 0, G_OPTION_ARG_INT, AT(timeout), "seconds that a checker may take (60)", "N" },
    { '4', "accept", 0, G_OPTION_ARG_STRING, AT(accept), "exit codes of the checker that are fine (0)", "N,..." },
    { '5', "keep", 'k', G_OPTION_ARG_FILENAME, AT(keep_folder), "a folder for images that are not whole", "FOLDER" },
    { '6', "point", 0, G_OPTION_ARG_STRING, AT(point), "this crash only", "POINT[:STATE]" },
    { 'U', "force-share", 'U', G_OPTION_ARG_NONE, AT(share), "also an image that another program writes", NULL },
    { 'T', "source-cache", 'T', G_OPTION_ARG_STRING, AT(source_cache), "cache mode of what is read", "MODE" },
    { 'a', "add", 0, G_OPTION_ARG_NONE, AT(bitmap_add), "a new bitmap", NULL },
    { 'R', "remove", 0, G_OPTION_ARG_NONE, AT(bitmap_remove), "no bitmap of that name", NULL },
    { 'Z', "clear", 0, G_OPTION_ARG_NONE, AT(bitmap_clear), "nothing has changed", NULL },
    { 'E', "enable", 0, G_OPTION_ARG_NONE, AT(bitmap_enable), "changes are recorded", NULL },
    { 'I', "disable", 0, G_OPTION_ARG_NONE, AT(bitmap_disable), "changes are not recorded", NULL },
    { 'M', "merge", 0, G_OPTION_ARG_STRING_ARRAY, AT(bitmap_merge), "what that bitmap records, too", "BITMAP" },
    { 'Q', "source", 'b', G_OPTION_ARG_FILENAME, AT(backing), "the image that the merged bitmaps are in", "FILE" },
    { 'g', "granularity", 'g', G_OPTION_ARG_STRING, AT(granularity), "bytes that a bit stands for", "SIZE" },
    { 'k', "no-create", 'n', G_OPTION_ARG_NONE, AT(no_create), "the new image is there already", NULL },
    { 'z', "target-is-zero", 0, G_OPTION_ARG_NONE, AT(is_zero), "and holds only zeroes", NULL },
    { 'B', "rate", 'r', G_OPTION_ARG_STRING, AT(rate), "bytes in a second, at most", "SIZE" },
    { 'l', "sparse", 'S', G_OPTION_ARG_STRING, AT(sparse), "zeroes in a row that are left out (64KiB); 0: none", "SIZE" },
    { 'm', "parallel", 'm', G_OPTION_ARG_INT, AT(parallel), "pieces that are copied at once (8)", "N" },
    { 'W', "out-of-order", 'W', G_OPTION_ARG_NONE, AT(out_of_order), "as is always done", NULL },
    { 'H', "backing", 'B', G_OPTION_ARG_FILENAME, AT(backing), "image that the new one is based on", "FILE" },
    { 'y', "bitmaps", 0, G_OPTION_ARG_NONE, AT(bitmaps), "persistent bitmaps, too", NULL },
    { 'v', "salvage", 0, G_OPTION_ARG_NONE, AT(salvage), "what cannot be read becomes zeroes", NULL },
    { 'e', "strict", 's', G_OPTION_ARG_NONE, AT(strict), "the same length, too", NULL },
    { 'h', "start-offset", 0, G_OPTION_ARG_STRING, AT(start), "where to begin", "SIZE" },
    { 'j', "max-length", 0, G_OPTION_ARG_STRING, AT(most), "how far to go", "SIZE" },
    { 'P', "preallocation", 0, G_OPTION_ARG_STRING, AT(preallocation), "off, falloc or full: of what is new", "MODE" },
    { '7', "step", 'S', G_OPTION_ARG_STRING, AT(step), "from one request to the next (their size)", "SIZE" },
    { '8', "offset", 'o', G_OPTION_ARG_STRING, AT(start), "of the first request", "SIZE" },
    { '9', "flush-interval", 0, G_OPTION_ARG_INT, AT(flush_interval), "a flush after so many writes", "N" },
    { 'x', "pattern", 0, G_OPTION_ARG_INT, AT(pattern), "byte to write (90)", "N" },
    /* clang-format on */
};

GOptionEntry *img_entries(Img *img, const char *takes)
{
    GArray *chosen = g_array_new(true, true, sizeof(GOptionEntry));

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        GOptionEntry entry = {
            .long_name = options[i].name,
            .short_name = options[i].letter,
            .arg = options[i].arg,
            .arg_data = (char *)img + options[i].at,
            .description = options[i].text,
            .arg_description = options[i].value,
        };

        if (options[i].key == '*' || strchr(takes, options[i].key)) {
            g_array_append_val(chosen, entry);
        }
    }
    return (GOptionEntry *)g_array_free(chosen, false);
}

/* "-f, --format FORMAT", and "--key-file FILE" without a letter. */
static char *notation_of(unsigned option)
{
    g_autofree char *letter = options[option].letter
        ? g_strdup_printf("-%c, ", options[option].letter)
        : g_strdup("");
    bool has_value = options[option].value != NULL;

    return g_strdup_printf("%s--%s%s%s", letter, options[option].name, has_value ? " " : "",
        has_value ? options[option].value : "");
}

void img_print_help(const ImgCommand *command)
{
    printf("usage: lathe img %s [OPTION]... %s\n\n%c%s\n\n", command->name, command->arguments,
        g_ascii_toupper(command->summary[0]), command->summary + 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].key == '*' || strchr(command->takes, options[i].key)) {
            g_autofree char *notation = notation_of(i);

            printf("  %-30s  %s\n", notation, options[i].text);
        }
    }
    puts(
        "\nExit status: 0 fine, 2 the command line is wrong, 3 the host cannot do it; of compare,\n"
        "check and crash-test, 1 and more say what was found: lathe-img(1).");
}

void img_options_clear(Img *img)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        void *place = (char *)img + options[i].at;

        switch (options[i].arg) {
        case G_OPTION_ARG_STRING:
        case G_OPTION_ARG_FILENAME: g_clear_pointer((char **)place, g_free); break;
        case G_OPTION_ARG_STRING_ARRAY: g_clear_pointer((char ***)place, g_strfreev); break;
        default: break;
        }
    }
}

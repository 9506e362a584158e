#include "block/create.h"

#include <errno.h>
#include <string.h>

#include "block/block.h"

/* ---- options ---- */

const char *block_create_option(const BlockCreate *create, const char *name, const char *otherwise)
{
    const char *value = create->options ? g_hash_table_lookup(create->options, name) : NULL;

    return value ? value : otherwise;
}

/* What people write after a number of bytes; a letter alone counts in 1024s, as other tools do. */
static bool unit_shift(const char *unit, unsigned *shift)
{
    static const char letters[] = "kmgtpe";
    const char *found;

    if (*unit == '\0' || g_ascii_strcasecmp(unit, "b") == 0) {
        *shift = 0;
        return true;
    }
    found = strchr(letters, g_ascii_tolower(unit[0]));
    if (!found || !(unit[1] == '\0' || g_ascii_strcasecmp(unit + 1, "ib") == 0)) {
        return false;
    }
    *shift = 10 * (found - letters + 1);
    return true;
}

static bool refuse_size(const char *text, GError **error)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE, "`%s` is not a size; write 64MiB", text);
    return false;
}

/* Decimal, with a fraction and a unit or without; or 0x and what has neither. */
bool block_parse_size(const char *text, uint64_t *out, GError **error)
{
    bool hex = g_str_has_prefix(text, "0x");
    const char *end = text + strspn(text, hex ? "0123456789abcdefABCDEFx" : "0123456789.");
    g_autofree char *number = g_strndup(text, end - text);
    char *number_end = NULL;
    double value = g_ascii_strtod(number, &number_end);
    uint64_t whole = g_ascii_strtoull(number, NULL, hex ? 16 : 10);
    unsigned shift;

    if (!g_ascii_isdigit(text[0]) || *number_end || !unit_shift(end, &shift) || (hex && *end) ||
        value * (double)(UINT64_C(1) << shift) >= 9.2e18) {
        return refuse_size(text, error);
    }
    *out = strchr(number, '.') ? (uint64_t)(value * (double)(UINT64_C(1) << shift))
                               : whole << shift;
    return true;
}

bool block_create_number(
    const BlockCreate *create, const char *name, uint64_t otherwise, uint64_t *out, GError **error)
{
    const char *text = block_create_option(create, name, NULL);

    *out = otherwise;
    if (text && !block_parse_size(text, out, error)) {
        g_prefix_error(error, "%s: ", name);
        return false;
    }
    return true;
}

bool block_create_switch(
    const BlockCreate *create, const char *name, bool otherwise, bool *out, GError **error)
{
    const char *text = block_create_option(create, name, otherwise ? "on" : "off");

    *out = strcmp(text, "on") == 0;
    if (!*out && strcmp(text, "off") != 0) {
        g_set_error(
            error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "%s is `on` or `off`, not `%s`", name, text);
        return false;
    }
    return true;
}

bool block_create_preallocation(
    const BlockCreate *create, bool has_metadata, BlockPreallocation *out, GError **error)
{
    static const char *const words[] = { "off", "metadata", "falloc", "full" };
    const char *text = block_create_option(create, "preallocation", "off");

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i]) == 0 && (has_metadata || i != PREALLOCATE_METADATA)) {
            *out = i;
            return true;
        }
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "preallocation is off, %sfalloc or full",
        has_metadata ? "metadata, " : "");
    return false;
}

int block_preallocate(
    BlockNode *file, uint64_t at, uint64_t length, BlockPreallocation preallocation)
{
    enum { ZEROES = 1 << 20 };
    g_autofree uint8_t *zeroes = NULL;
    int result = at + length > file->length ? block_resize(file, at + length) : 0;

    if (result < 0 || preallocation < PREALLOCATE_FALLOC) {
        return result;
    }
    if (preallocation == PREALLOCATE_FALLOC) {
        return block_zero(file, at, length, 0);
    }
    zeroes = g_malloc0(ZEROES);
    for (uint64_t done = 0; done < length && result == 0; done += ZEROES) {
        result = block_write(file, at + done, zeroes, MIN(ZEROES, length - done), 0);
    }
    return result;
}

void block_create_made(const BlockCreate *create, const char *path)
{
    char *part = g_strdup(path);

    if (!create->parts) {
        g_free(part);
        return;
    }
    g_ptr_array_add(create->parts, part);
    if (create->made) {
        create->made(part);
    }
}

char *block_path_beside(const char *image, const char *name)
{
    g_autofree char *folder = NULL;

    if (g_str_has_prefix(name, "file:")) {
        name += strlen("file:");
    }
    if (strstr(name, "://") && block_driver_for_path(name)->schemes) {
        return g_strdup(name);
    }
    folder = g_path_get_dirname(image);
    return g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(folder, name, NULL);
}

/* The next of NAME=VALUE,...; a comma that is doubled is one of the value's. */
static char *take_option(const char **text)
{
    GString *option = g_string_new(NULL);

    while (**text && (**text != ',' || (*text)[1] == ',')) {
        *text += **text == ',';
        g_string_append_c(option, *(*text)++);
    }
    *text += **text == ',';
    return g_string_free(option, false);
}

bool block_parse_options(const char *text, GHashTable *options, GError **error)
{
    while (*text) {
        g_autofree char *option = take_option(&text);
        char *value = strchr(option, '=');

        if (!value) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "`%s` is not name=value", option);
            return false;
        }
        g_hash_table_insert(options, g_strndup(option, value - option), g_strdup(value + 1));
    }
    return true;
}

static bool check_options(const BlockDriver *driver, const BlockCreate *create, GError **error)
{
    GHashTableIter iter;
    void *name;

    if (!create->options) {
        return true;
    }
    g_hash_table_iter_init(&iter, create->options);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!driver->create_options || !g_strv_contains(driver->create_options, name)) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "format %s has no option `%s`",
                driver->name, (char *)name);
            return false;
        }
    }
    return true;
}

/* ---- creation ---- */

bool block_create_image(
    IoLoop *loop, const char *format, const char *path, const BlockCreate *create, GError **error)
{
    const BlockDriver *driver = block_driver_find(format);
    BlockOptions options = {
        .path = path, .create = true, .cache = { .word = "writeback", .writeback = true }
    };
    BlockNode *file;
    bool fine;

    if (!driver || !driver->create) {
        g_set_error(
            error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "images of format `%s` cannot be made", format);
        return false;
    }
    if (!check_options(driver, create, error)) {
        return false;
    }
    if (create->backing && !driver->has_backing) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
            "an image of format %s cannot be based on another", format);
        return false;
    }
    file = block_open(loop, block_driver_find("file"), &options, NULL, NULL, error);
    if (!file) {
        return false;
    }
    fine = driver->create(file, create, error);
    block_unref(file);
    return fine;
}

/* Reads files; makes their texts known to Diag, which shows the lines. */
#include "config/source.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_FILE = 16 * 1024 * 1024 };

Source *source_from_bytes(const char *name, GBytes *text, Diag *diag)
{
    Source *source = g_new0(Source, 1);

    source->name = g_intern_string(name);
    source->text = g_bytes_ref(text);
    diag_add_source(diag, source->name, text);
    return source;
}

Source *source_from_text(const char *name, const char *text, gssize length, Diag *diag)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, length < 0 ? strlen(text) : (gsize)length);

    return source_from_bytes(name, bytes, diag);
}

/*
 * A directory or a device has no text, and no real description is as large as a disk image. A pipe
 * has one, but only a person can mean it: a file that names a pipe could make us wait for ever.
 */
static const char *unsuitable(const GStatBuf *info, bool named_by_file)
{
    if (S_ISDIR(info->st_mode)) {
        return "it is a directory";
    }
    if (!S_ISREG(info->st_mode) && (named_by_file || !S_ISFIFO(info->st_mode))) {
        return "it is not a file";
    }
    return info->st_size > LARGEST_FILE ? "it is larger than 16MiB" : NULL;
}

Source *source_read(const char *path, Diag *diag, Mark wanted_by)
{
    g_autofree char *text = NULL;
    const char *reason;
    gsize length = 0;
    GStatBuf info;
    g_autoptr(GBytes) bytes = NULL;

    if (g_stat(path, &info) != 0) {
        reason = g_strerror(errno);
    } else {
        reason = unsuitable(&info, wanted_by.file != NULL);
    }
    if (!reason && !g_file_get_contents(path, &text, &length, NULL)) {
        reason = g_strerror(errno);
    }
    if (reason) {
        diag_error(diag, DIAG_UNREADABLE, wanted_by, "cannot read `%s`: %s", path, reason);
        if (wanted_by.file && !g_path_is_absolute(path)) {
            diag_hint(diag, "a path is relative to the file that names it");
        }
        return NULL;
    }
    bytes = g_bytes_new_take(g_steal_pointer(&text), length);
    return source_from_bytes(path, bytes, diag);
}

void source_free(Source *source)
{
    if (source) {
        g_bytes_unref(source->text);
        g_free(source);
    }
}

Mark source_mark(const Source *source)
{
    return (Mark){ .file = source->name };
}
